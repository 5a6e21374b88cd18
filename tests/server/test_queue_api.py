"""The queues of the processors, over HTTP."""

from __future__ import annotations

import asyncio
import os
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


async def the_worker(client: Client) -> dict[str, Any]:
    """Return the one worker there is, once everybody can see what it takes tasks of."""
    async with asyncio.timeout(30):
        while True:
            workers: list[dict[str, Any]] = (await queue(client))["workers"]
            if workers and workers[0]["processors"] is not None:
                return workers[0]
            await asyncio.sleep(0.02)


async def test_queues_are_shown_with_what_is_wrong(make_task: Make, client: Client, engine: TaskEngine) -> None:
    """Ready tasks are counted by processor; that nobody works on them is said, but not of outside work."""
    await make_task(b"1", processor="split")
    await make_task(b"2", processor="external")
    shown = await queue(client)
    assert (shown["queues"]["split"]["ready"], shown["queues"]["external"]["ready"]) == (1, 1)
    assert shown["queues"]["split"]["oldest_seconds"] >= 0
    assert (shown["workers"], shown["warnings"]) == ([], ["no worker for split, one task waits"])


async def test_workers_are_shown(client: Client, engine: TaskEngine) -> None:
    """A worker of any process is shown with its slots, to admins with where it runs."""
    async with engine.worker(concurrency=3, name="desk", processors=["split", "epub"]):
        worker = await the_worker(client)
    assert (worker["name"], worker["slots"], worker["state"], worker["running"]) == ("desk", 3, "running", 0)
    assert (worker["processors"], worker["pid"]) == (["epub", "split"], os.getpid())


async def test_a_worker_for_others_is_none(make_task: Make, client: Client, engine: TaskEngine) -> None:
    """That nobody takes tasks of a processor is said, though a worker runs that takes those of another."""
    await make_task(b"1", processor="split")
    await make_task(b"2", processor="split")
    async with engine.worker(concurrency=1, processors=["epub"]):
        await the_worker(client)
        assert (await queue(client))["warnings"] == ["no worker for split, 2 tasks wait"]


async def test_a_processor_is_paused_and_resumed(make_task: Make, client: Client) -> None:
    """Pausing is answered with the queue as it is then, shown as a warning, and undone by resuming."""
    await make_task(b"1", processor="split")
    paused = await client.post(f"{QUEUE}/split/pause")
    assert (paused.status, (await paused.json())["paused"]) == (200, True)
    assert (await queue(client))["warnings"] == ["split is paused, one task waits"]
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
