"""Tokens: who has one, new ones, and the end of old ones. For admins."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from novel_tasks_core import TokenNotFoundError
from novel_tasks_server.access.gate import GATE
from novel_tasks_server.keys import ENGINE
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.routes.replies import body_of, json_response
from novel_tasks_server.schemas.access import Scope
from novel_tasks_server.schemas.tokens import NewTokenView, TokenListView, TokenRequest, TokenView
from novel_tasks_server.schemas.views import MessageView

_ALL = "/api/v1/tokens"


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [
        Operation("GET", _ALL, list_tokens, tag=Tag.TOKENS, scope=Scope.ADMIN, answers={200: TokenListView}),
        Operation(
            "POST",
            _ALL,
            create_token,
            tag=Tag.TOKENS,
            scope=Scope.ADMIN,
            body=TokenRequest,
            answers={201: NewTokenView},
        ),
        Operation(
            "DELETE",
            f"{_ALL}/{{token_id}}",
            revoke_token,
            tag=Tag.TOKENS,
            scope=Scope.ADMIN,
            answers={200: MessageView},
        ),
    ]


async def list_tokens(request: web.Request) -> web.Response:
    """Answer with all tokens, those that are revoked or have expired too; never with their secrets."""
    tokens = await request.app[ENGINE].tokens.list()
    return json_response(TokenListView(tokens=[TokenView.of(token) for token in tokens]))


async def create_token(request: web.Request) -> web.Response:
    """Make a token and answer with its secret, which is shown this once.

    The first token of a server that was open closes it: from then on every request needs one.
    """
    wanted = await body_of(request, TokenRequest)
    secret, token = await request.app[ENGINE].tokens.create(
        owner=wanted.owner, scopes=wanted.scopes, name=wanted.name, expires_at=wanted.expires_at
    )
    request.app[GATE].forget()
    return json_response(NewTokenView.made(token, secret=secret), status=201)


async def revoke_token(request: web.Request) -> web.Response:
    """Revoke a token for good: here at once, on other servers within seconds."""
    await request.app[ENGINE].tokens.revoke(_token_id(request.match_info["token_id"]))
    request.app[GATE].forget()
    return json_response(MessageView("Token revoked"))


def _token_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise TokenNotFoundError(text) from None
