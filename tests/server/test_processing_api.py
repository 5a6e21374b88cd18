"""More work on a novel that is here already, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from novel_tasks_core import TaskEngine, parse_task_id
from novel_tasks_server.access.gate import GATE

Client = TestClient[web.Request, web.Application]
Make = Callable[..., Awaitable[dict[str, Any]]]

TASKS = "/api/v1/tasks"
NOVEL = b"# One\n\nText.\n\n# Two\n\nMore.\n"


async def test_a_novel_is_processed_again(make_task: Make, client: Client) -> None:
    """A new task on the same source is queued, with everything that was asked for; the first stays as it is."""
    first = (await make_task(NOVEL, "novel.md"))["task_id"]
    before = await (await client.get(f"{TASKS}/{first}")).json()
    wanted = {
        "processor": "split", "options": {"encoding": "utf-8"}, "priority": 3, "max_attempts": 2,
        "timeout_seconds": 60, "extra_data": {"a": [1]}, "session_id": "s", "run_at": "2999-01-01T00:00:00Z",
    }  # fmt: skip
    response = await client.post(f"{TASKS}/{first}/process", json=wanted)
    answer = await response.json()
    assert response.status == 202
    assert (answer["status"], answer["duplicate"]) == ("processing", False)
    assert response.headers["Location"] == f"{TASKS}/{answer['task_id']}"
    task = await (await client.get(response.headers["Location"])).json()
    assert task["id"] != first
    assert task["file_name"] == "novel.md"
    assert {name: task[name] for name in wanted if name != "options"} == {
        k: v for k, v in wanted.items() if k != "options"
    }
    assert task["options"]["encoding"] == "utf-8"
    assert await (await client.get(f"{TASKS}/{first}")).json() == before


async def test_without_a_body_it_is_the_default_processor(make_task: Make, client: Client, engine: TaskEngine) -> None:
    """An old client that sends nothing gets the default processor."""
    first = (await make_task(NOVEL, processor="split"))["task_id"]
    response = await client.post(f"{TASKS}/{first}/process")
    assert response.status == 202
    made = await engine.get(parse_task_id((await response.json())["task_id"]))
    assert made.processor == "external"


async def test_the_same_work_is_asked_for_once(make_task: Make, client: Client) -> None:
    """The rule of uploads holds: the same work is the same task, unless the request says what else to do."""
    first = (await make_task(NOVEL))["task_id"]

    async def ask(**body: Any) -> tuple[int, str]:
        response = await client.post(f"{TASKS}/{first}/process", json=body)
        return response.status, (await response.json())["task_id"]

    assert await ask() == (202, first)
    made = await ask(processor="split")
    assert made[1] != first
    assert await ask(processor="split") == made
    assert await ask(processor="split", on_duplicate="reject") == (409, made[1])
    assert (await ask(processor="split", on_duplicate="allow"))[1] not in (first, made[1])


async def test_an_artifact_is_processed(make_task: Make, client: Client, engine: TaskEngine) -> None:
    """What a task made may be the source of another one."""
    first = (await make_task(NOVEL, "novel.md", processor="clean"))["task_id"]
    async with asyncio.timeout(60), engine.worker(concurrency=1):
        await engine.result(parse_task_id(first))
    names = [one["name"] for one in (await (await client.get(f"{TASKS}/{first}/artifacts")).json())["artifacts"]]
    response = await client.post(f"{TASKS}/{first}/process", json={"processor": "split", "artifact": names[0]})
    answer = await response.json()
    assert response.status == 202, answer
    task = await (await client.get(f"{TASKS}/{answer['task_id']}")).json()
    artifact = await (await client.get(f"{TASKS}/{first}/artifacts/{names[0]}")).read()
    assert await (await client.get(f"{TASKS}/{task['id']}/source")).read() == artifact


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"processor": "nobody"}, 422, "unknown-processor"),
        ({"processor": "split", "options": {"colour": 1}}, 422, "invalid-options"),
        ({"options": []}, 422, "invalid-request"),
        ({"artifact": "no-such.txt"}, 404, "artifact-not-found"),
        ({"artifact": "\x00"}, 422, "invalid-request"),
        ({"priority": 99_999}, 422, "invalid-request"),
        ({"colour": "red"}, 422, "invalid-request"),
        ({"extra_data": {"x": "y" * 70_000}}, 422, "invalid-input"),
    ],
)
async def test_what_cannot_be_done_is_refused(
    body: dict[str, Any], status: int, kind: str, make_task: Make, client: Client, engine: TaskEngine
) -> None:
    """Wrong requests each have their answer, and queue nothing."""
    first = (await make_task(NOVEL))["task_id"]
    response = await client.post(f"{TASKS}/{first}/process", json=body)
    assert (response.status, (await response.json())["type"].rpartition(":")[2]) == (status, kind)
    assert await engine.count() == 1


async def test_there_must_be_a_task_with_a_source(client: Client, engine: TaskEngine) -> None:
    """Without a task, or one without a source, there is nothing to work on."""
    bare = await engine.submit(processor="external")
    for task_id, kind in ((f"task-{uuid4().hex}", "task-not-found"), (f"task-{bare.id.hex}", "source-not-found")):
        response = await client.post(f"{TASKS}/{task_id}/process", json={})
        assert (response.status, (await response.json())["type"].rpartition(":")[2]) == (404, kind)


async def test_the_new_task_is_the_callers(make_task: Make, client: Client, engine: TaskEngine) -> None:
    """An admin who asks for work on somebody's novel owns what comes of it."""
    secret, _ = await engine.tokens.create(owner="root", scopes=["admin"])
    source = await engine.store(NOVEL, name="novel.md")
    first = await engine.submit(source, processor="external", owner="ada")
    client.app[GATE].forget()
    response = await client.post(
        f"{TASKS}/task-{first.id.hex}/process", json={}, headers={"Authorization": f"Bearer {secret}"}
    )
    made = await engine.get(parse_task_id((await response.json())["task_id"]))
    assert (response.status, made.owner, made.id == first.id) == (202, "root", False)
