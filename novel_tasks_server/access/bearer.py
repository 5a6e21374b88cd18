"""Tokens on the wire (RFC 6750): where they may stand, and how those that do not do are refused.

Never in the URL: it ends up in logs, histories and Referer headers.
"""

from __future__ import annotations

import re

from aiohttp import hdrs, web

from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.schemas.access import Scope

MAX_TOKEN_CHARACTERS = 4096
"""The longest token that is looked at."""

SUBPROTOCOL_PREFIX = "bearer."
"""Begins the subprotocol by which a page, which cannot set headers, hands its token to a WebSocket."""

_CREDENTIALS = re.compile(r"bearer +([a-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)
_REALM = 'Bearer realm="novel-tasks"'


def bearer_token(request: web.Request) -> str | None:
    """Return the token that came with the request; None when there is none, or credentials of another kind.

    Raises: RequestRefusedError (401) for one that is not written as a token, and for more than one.
    """
    given = [value for value in request.headers.getall(hdrs.AUTHORIZATION, ()) if _is_bearer(value)]
    given += [f"bearer {word.removeprefix(SUBPROTOCOL_PREFIX)}" for word in _subprotocols(request)]
    if not given:
        return None
    match = _CREDENTIALS.fullmatch(given[0]) if len(given) == 1 else None
    if match is None or len(match[1]) > MAX_TOKEN_CHARACTERS:
        raise token_refused()
    return match[1]


def _is_bearer(credentials: str) -> bool:
    return credentials.partition(" ")[0].lower() == "bearer"


def _subprotocols(request: web.Request) -> list[str]:
    """Return the subprotocols that carry a token, of a request that asks for a WebSocket."""
    if not is_websocket(request):
        return []
    lines = request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, ())
    words = (word.strip() for line in lines for word in line.split(","))
    return [word for word in words if word.startswith(SUBPROTOCOL_PREFIX)]


def is_websocket(request: web.Request) -> bool:
    """Say whether the request asks to become a WebSocket."""
    return "websocket" in request.headers.get(hdrs.UPGRADE, "").lower()


def token_needed() -> RequestRefusedError:
    """Return the refusal of a request without a token."""
    return RequestRefusedError(
        401,
        "token-needed",
        "Send a token in the header 'Authorization: Bearer ...'.",
        headers={hdrs.WWW_AUTHENTICATE: _REALM},
    )


def token_refused() -> RequestRefusedError:
    """Return the refusal of a token that is good for nothing; it does not tell why."""
    return RequestRefusedError(
        401,
        "token-invalid",
        "The token is malformed, unknown, revoked or expired.",
        headers={hdrs.WWW_AUTHENTICATE: f'{_REALM}, error="invalid_token"'},
    )


def scope_missing(scope: Scope) -> RequestRefusedError:
    """Return the refusal of a token that is good, but not for this."""
    return RequestRefusedError(
        403,
        "scope-missing",
        f"The token lacks the scope {scope}.",
        headers={hdrs.WWW_AUTHENTICATE: f'{_REALM}, error="insufficient_scope", scope="{scope}"'},
    )
