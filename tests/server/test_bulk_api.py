"""One action on all tasks that a filter matches, over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from novel_tasks_core import TaskEngine, parse_task_id
from novel_tasks_server.access.gate import GATE

Client = TestClient[web.Request, web.Application]
Make = Callable[..., Awaitable[dict[str, Any]]]

BULK = "/api/v1/tasks/bulk"


async def change(client: Client, **body: Any) -> dict[str, Any]:
    """Ask for a change of many tasks, and return the counts."""
    response = await client.post(BULK, json=body)
    answer: dict[str, Any] = await response.json()
    assert response.status == 200, answer
    return answer


async def statuses(client: Client) -> dict[str, str]:
    """Return the status of every task by file name."""
    body = await (await client.get("/api/v1/tasks")).json()
    return {task["file_name"]: task["status"] for task in body["tasks"]}


@pytest.fixture
async def three(make_task: Make, engine: TaskEngine) -> list[str]:
    """Three tasks: two that wait, of two processors, and one that is cancelled."""
    made = [
        await make_task(b"1", "waits.txt"),
        await make_task(b"2", "splits.txt", processor="split"),
        await make_task(b"3", "over.txt"),
    ]
    ids = [str(one["task_id"]) for one in made]
    await engine.cancel(parse_task_id(ids[2]))
    return ids


async def test_all_that_match_are_changed_and_the_others_counted(three: list[str], client: Client) -> None:
    """An empty filter stands for all; what cannot be cancelled is counted with the reason."""
    counts = await change(client, action="cancel", filter={})
    assert counts == {
        "action": "cancel", "dry_run": False, "matched": 3, "changed": 2, "skipped": 1, "reasons": {"illegal": 1},
    }  # fmt: skip
    assert set((await statuses(client)).values()) == {"cancelled"}


async def test_a_dry_run_counts_and_changes_nothing(three: list[str], client: Client) -> None:
    """The counts of a dry run are those of the real one after it."""
    before = await statuses(client)
    dry = await change(client, action="delete", filter={"processor": "split"}, dry_run=True)
    assert (dry["matched"], dry["changed"], dry["dry_run"]) == (1, 1, True)
    assert await statuses(client) == before
    real = await change(client, action="delete", filter={"processor": "split"})
    assert {**real, "dry_run": True} == dry
    assert "splits.txt" not in await statuses(client)


async def test_finished_tasks_go_round_again(three: list[str], client: Client) -> None:
    """The action retry sends those round again that its filter finds by their status."""
    counts = await change(client, action="retry", filter={"status": "cancelled"})
    assert (counts["matched"], counts["changed"]) == (1, 1)
    assert set((await statuses(client)).values()) == {"pending"}


async def test_priorities_are_changed_by_the_beginning_of_a_name(three: list[str], client: Client) -> None:
    """The action reprioritize takes a priority."""
    counts = await change(client, action="reprioritize", filter={"q": "wai"}, priority=7)
    assert counts["changed"] == 1
    task = await (await client.get(f"/api/v1/tasks/{three[0]}")).json()
    assert task["priority"] == 7


async def test_only_ones_own_tasks_are_changed(three: list[str], client: Client, engine: TaskEngine) -> None:
    """An empty filter is all of the caller's; who asks for those of others is refused, not given their own."""
    secret, _ = await engine.tokens.create(owner="ada", scopes=["tasks:read", "tasks:write"])
    client.app[GATE].forget()
    hers = await engine.submit(processor="external", owner="ada")
    headers = {"Authorization": f"Bearer {secret}"}
    for path, body in ((BULK, {"action": "delete", "filter": {"owner": "bob"}}), ("/api/v1/tasks?owner=bob", None)):
        response = await client.request("POST" if body else "GET", path, json=body, headers=headers)
        assert (response.status, (await response.json())["type"].rpartition(":")[2]) == (403, "foreign-owner")
    response = await client.post(BULK, json={"action": "cancel", "filter": {}}, headers=headers)
    assert (await response.json())["matched"] == 1
    assert (await engine.get(hers.id)).status == "cancelled"
    assert [(await engine.get(parse_task_id(one))).status for one in three] == ["pending", "pending", "cancelled"]


WRONG = [
    ({}, {"/action", "/filter"}),
    ({"action": "cancel"}, {"/filter"}),
    ({"action": "cancel", "filter": None}, {"/filter"}),
    ({"action": "cancel", "filter": []}, {"/filter"}),
    ({"action": "burn", "filter": {}}, {"/action"}),
    ({"action": [], "filter": {}}, {"/action"}),
    ({"action": "delete", "filter": {"colour": "red", "status": "lost"}}, {"/filter/colour", "/filter/status"}),
    ({"action": "delete", "filter": {"created_after": "2030-01-01"}}, {"/filter/created_after"}),
    ({"action": "delete", "filter": {}, "dry_run": "yes"}, {"/dry_run"}),
    ({"action": "reprioritize", "filter": {}}, {"/priority"}),
    ({"action": "reprioritize", "filter": {}, "priority": 40_000}, {"/priority"}),
    ({"action": "reprioritize", "filter": {}, "priority": 1.5}, {"/priority"}),
    ({"action": "cancel", "filter": {}, "priority": 1}, {"/priority"}),
    ({"action": "cancel", "filter": {"q": "\x00"}}, {"/filter/q"}),
]  # fmt: skip


async def test_wrong_requests_change_nothing(three: list[str], client: Client) -> None:
    """A filter must be given, and every fault is told by its place."""
    before, wrong = await statuses(client), {}
    for body, pointers in WRONG:
        response = await client.post(BULK, json=body)
        problem = await response.json()
        if response.status != 422 or {e["pointer"] for e in problem["errors"]} != pointers:
            wrong[str(body)] = problem
    assert not wrong, wrong
    assert await statuses(client) == before
