"""The queues of the processors, over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient

from novel_tasks_core import TaskEngine

Client = TestClient[web.Request, web.Application]
Make = Callable[..., Awaitable[dict[str, Any]]]

QUEUE = "/api/v1/queue"


async def queue(client: Client) -> dict[str, Any]:
    """Return the state of all queues, the lanes by processor."""
    body: dict[str, Any] = await (await client.get(QUEUE)).json()
    return {**body, "queues": {lane["processor"]: lane for lane in body["queues"]}}


async def test_queues_are_shown_with_what_is_wrong(make_task: Make, client: Client, engine: TaskEngine) -> None:
    """Ready tasks are counted by processor; that nobody works on them is said, but not of outside work."""
    await make_task(b"1", processor="split")
    await make_task(b"2", processor="external")
    shown = await queue(client)
    assert (shown["queues"]["split"]["ready"], shown["queues"]["external"]["ready"]) == (1, 1)
    assert shown["queues"]["split"]["oldest_seconds"] >= 0
    assert (shown["workers"], shown["warnings"]) == ([], ["no worker for split: 1 tasks wait"])


async def test_workers_are_shown(client: Client, engine: TaskEngine) -> None:
    """A worker of any process is shown with its slots, to admins with where it runs."""
    async with engine.worker(concurrency=3, name="desk", processors=["split"]):
        (worker,) = (await queue(client))["workers"]
    assert (worker["name"], worker["slots"], worker["state"], worker["running"]) == ("desk", 3, "running", 0)
    assert worker["pid"] > 0


async def test_a_processor_is_paused_and_resumed(make_task: Make, client: Client) -> None:
    """Pausing is answered with the queue as it is then, shown as a warning, and undone by resuming."""
    await make_task(b"1", processor="split")
    paused = await client.post(f"{QUEUE}/split/pause")
    assert (paused.status, (await paused.json())["paused"]) == (200, True)
    assert (await queue(client))["warnings"] == ["split is paused: 1 tasks wait"]
    resumed = await client.post(f"{QUEUE}/split/resume")
    assert (resumed.status, (await resumed.json())["paused"]) == (200, False)
    assert not (await queue(client))["queues"]["split"]["paused"]


async def test_an_unknown_processor_is_404(client: Client) -> None:
    """There is nothing at the path of a processor that there is not."""
    for action in ("pause", "resume"):
        response = await client.post(f"{QUEUE}/nobody/{action}")
        assert (response.status, (await response.json())["type"]) == (
            404,
            "urn:novel-tasks:problem:processor-not-found",
        )
