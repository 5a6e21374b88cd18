"""What went wrong, as clients get to see it (RFC 9457)."""

from __future__ import annotations

from attrs import frozen

from novel_tasks_server.schemas.decoding import FieldFault


@frozen(kw_only=True, slots=False)
class ProblemView:
    """Why a request was refused, or could not be served.

    `type` names the kind of problem, and does not change; the sentence in `detail` is for people, and stands in
    `error` too. `errors` are all faults of the request, each with the JSON pointer of its place. Some kinds have
    further members. `request_id` names the request in the logs.
    """

    type: str
    title: str
    status: int
    detail: str
    error: str
    errors: list[FieldFault]
    request_id: str
