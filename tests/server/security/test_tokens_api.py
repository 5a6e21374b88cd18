"""Tokens over HTTP: admins make, list and revoke them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

Client = Any
MakeToken = Callable[..., Awaitable[dict[str, str]]]
TOKENS = "/api/v1/tokens"
TASKS = "/api/v1/tasks"


async def test_an_admin_makes_lists_and_revokes_tokens(closed: Client, make_token: MakeToken) -> None:
    """The secret is in the first answer and never again; revoked it is refused at once."""
    root = await make_token("root", "admin")
    wanted = {"owner": "ann", "scopes": ["tasks:read"], "name": "phone", "expires_at": "2999-01-01T00:00:00Z"}
    made = await closed.post(TOKENS, json=wanted, headers=root)
    body = await made.json()
    assert (made.status, body["owner"], body["scopes"]) == (201, "ann", ["tasks:read"])
    hers = {"Authorization": f"Bearer {body['token']}"}
    assert (await closed.get(TASKS, headers=hers)).status == 200
    listed = await (await closed.get(TOKENS, headers=root)).text()
    assert body["id"] in listed
    assert body["token"] not in listed
    assert (await closed.delete(f"{TOKENS}/{body['id']}", headers=root)).status == 200
    assert (await closed.get(TASKS, headers=hers)).status == 401
    assert (await closed.delete(f"{TOKENS}/{body['id']}", headers=root)).status == 200


async def test_only_admins_may(closed: Client, make_token: MakeToken) -> None:
    """Whoever may read and write tasks may not make a token, least of all for themselves."""
    ann = await make_token("ann")
    for answer in (
        await closed.get(TOKENS, headers=ann),
        await closed.post(TOKENS, json={"owner": "ann", "scopes": ["admin"]}, headers=ann),
        await closed.delete(f"{TOKENS}/x", headers=ann),
    ):
        assert answer.status == 403


async def test_the_first_token_closes_an_open_server(client: Client) -> None:
    """Made by the page of a server that was open, it is wanted from then on."""
    made = await client.post(TOKENS, json={"owner": "ann", "scopes": ["admin"]})
    assert made.status == 201
    assert (await client.get(TASKS)).status == 401
    hers = {"Authorization": f"Bearer {(await made.json())['token']}"}
    assert (await client.get(TASKS, headers=hers)).status == 200


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"owner": ""}, 422),
        ({"owner": " "}, 422),
        ({"owner": "a\0"}, 422),
        ({"scopes": []}, 422),
        ({"scopes": ["root"]}, 422),
        ({"scopes": "admin"}, 422),
        ({"expires_at": "2001-01-01T00:00:00Z"}, 422),
        ({"expires_at": "2999-01-01T00:00:00"}, 422),
        ({"admin": True}, 422),
    ],
)
async def test_what_can_never_work_is_refused(client: Client, wrong: dict[str, Any], status: int) -> None:
    """A wrong field is named, and no token is made: the server stays open."""
    answer = await client.post(TOKENS, json={"owner": "ann", "scopes": ["admin"], **wrong})
    assert answer.status == status, await answer.text()
    assert (await client.get(TASKS)).status == 200


async def test_a_token_that_is_not_there_is_404(client: Client) -> None:
    """Whatever stands in the path."""
    for name in ("x", "00000000-0000-0000-0000-000000000001"):
        assert (await client.delete(f"{TOKENS}/{name}")).status == 404
