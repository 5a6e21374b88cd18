"""What requests say of streams of events: whether one is wanted, and what the client has already."""

from __future__ import annotations

from aiohttp import web

from novel_tasks_core import Complaint, FaultCode
from novel_tasks_server.access.bearer import bearer_token
from novel_tasks_server.keys import PRINCIPAL
from novel_tasks_server.live.stream import MEDIA_TYPE, STREAMS, Source
from novel_tasks_server.schemas.access import Principal
from novel_tasks_server.schemas.decoding import FieldFault, InvalidRequestError

_LAST_EVENT_ID = "Last-Event-ID"
_MOST_DIGITS = 18


async def serve_stream(request: web.Request, source: Source) -> web.StreamResponse:
    """Stream what `source` yields to the client, as `Streams.serve` does."""
    principal = request[PRINCIPAL]
    return await request.app[STREAMS].serve(request, source, principal=principal, token=token_of(request))


def token_of(request: web.Request) -> str | None:
    """Return the token by which the client came in; None where none was wanted."""
    return None if request[PRINCIPAL] == Principal.anyone() else bearer_token(request)


def wants_stream(request: web.Request) -> bool:
    """Say whether the client accepts a stream of events, by name: `*/*` is not enough."""
    for choice in ",".join(request.headers.getall("Accept", ())).split(","):
        kind, _, parameters = choice.partition(";")
        if kind.strip().lower() == MEDIA_TYPE:
            return "q=0" not in parameters.replace(" ", "").split(";")
    return False


def last_event_id(request: web.Request, after: int) -> int:
    """Return the seq of the last event that the client got: what the header says, else `after`.

    Raises: InvalidRequestError for what is no seq.
    """
    given = request.headers.get(_LAST_EVENT_ID)
    if not given:
        return after
    if not (given.isascii() and given.isdigit() and len(given) <= _MOST_DIGITS):
        said = Complaint("must be the seq of an event", FaultCode.SEQ)
        raise InvalidRequestError(FieldFault(f"/headers/{_LAST_EVENT_ID}", said))
    return int(given)
