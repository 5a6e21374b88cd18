"""The queues of the processors, over HTTP."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from attrs import evolve
from yarl import URL

from novel_tasks_core import (
    AttemptContext,
    EngineConfig,
    Processors,
    QueueStatus,
    TaskEngine,
    WorkerId,
    WorkerInfo,
    parse_task_id,
)
from novel_tasks_server.routes.queue import is_silent, warnings_of

Client = TestClient[web.Request, web.Application]
Make = Callable[..., Awaitable[dict[str, Any]]]

QUEUE = "/api/v1/queue"


async def queue(client: Client) -> dict[str, Any]:
    """Return the state of all queues, the lanes by processor."""
    body: dict[str, Any] = await (await client.get(QUEUE)).json()
    return {**body, "queues": {lane["processor"]: lane for lane in body["queues"]}}


async def the_worker(client: Client) -> dict[str, Any]:
    """Return the one worker there is, once everybody can see what it takes tasks of."""
    async with asyncio.timeout(60):
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


async def test_a_queue_without_its_processor_is_resumed(client: Client, engine_config: EngineConfig) -> None:
    """One that was paused can be resumed although nobody here knows its processor any more; it is not paused again."""
    known = Processors.builtin()

    @known.register("retired")
    async def retired(ctx: AttemptContext) -> None:
        """Do nothing."""

    async with TaskEngine.open(engine_config, processors=known) as former:
        await former.submit(processor="retired")
        await former.pause("retired")
    assert (await queue(client))["queues"]["retired"]["paused"]
    resumed = await client.post(f"{QUEUE}/retired/resume")
    assert (resumed.status, (await resumed.json())["paused"]) == (200, False)
    assert (await client.post(f"{QUEUE}/retired/pause")).status == 404
    assert not (await queue(client))["queues"]["retired"]["paused"]


@pytest.mark.parametrize("name", ["nobody", "no%00body", "no%ED%A0%80body"])
async def test_an_unknown_processor_is_404(client: Client, name: str) -> None:
    """There is nothing at the path of a processor that there is not."""
    for action in ("pause", "resume"):
        response = await client.post(URL(f"{QUEUE}/{name}/{action}", encoded=True))
        assert (response.status, (await response.json())["type"]) == (
            404,
            "urn:novel-tasks:problem:processor-not-found",
        )


async def test_history_is_shown_step_by_step(make_task: Make, client: Client, engine: TaskEngine) -> None:
    """What came and ended, how long it waited and ran, of one processor or of all; steps without any are there too."""
    made = await make_task(b"Chapter 1\n\nOnce.", processor="split")
    await make_task(b"2", processor="external")
    async with engine.worker():
        await engine.result(parse_task_id(made["task_id"]))
    for query, submitted in (("", 2), ("?processor=split", 1), ("?processor=nobody&minutes=60", 0)):
        shown = await (await client.get(f"{QUEUE}/history{query}")).json()
        assert set(shown) == {"step_seconds", "since", "until", "is_sample", "points", "wait", "run"}
        assert (shown["step_seconds"], shown["is_sample"], len(shown["points"])) == (60, False, 61)
        assert sum(point["submitted"] for point in shown["points"]) == submitted
        ended = sum(point["completed"] for point in shown["points"])
        assert ended == (query != "?processor=nobody&minutes=60")
        assert (shown["run"]["p50"] is not None) is bool(ended)
        assert set(shown["points"][0]) == {
            "at", "submitted", "completed", "failed", "cancelled", "wait_p50", "wait_p95", "run_p50", "run_p95"
        }  # fmt: skip
    long = await (await client.get(f"{QUEUE}/history?minutes=10080")).json()
    assert (long["step_seconds"], len(long["points"])) == (7200, 85)


async def test_many_pages_cost_one_look(make_task: Make, client: Client, engine: TaskEngine) -> None:
    """Who asks at the same time, or soon after, for the same is answered the same; who asks for another is not."""
    looks = 0
    history = engine._parts.flow.history

    async def counted(**wanted: Any) -> Any:
        nonlocal looks
        looks += 1
        return await history(**wanted)

    engine._parts.flow.history = counted  # type: ignore[method-assign]
    answers = await asyncio.gather(*(client.get(f"{QUEUE}/history") for _ in range(10)))
    bodies = [await answer.read() for answer in (*answers, await client.get(f"{QUEUE}/history?minutes=60"))]
    assert (len(set(bodies)), looks) == (1, 1)
    await client.get(f"{QUEUE}/history?minutes=61")
    assert looks == 2


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("minutes=0", "/minutes"),
        ("minutes=10081", "/minutes"),
        ("minutes=x", "/minutes"),
        ("processor=a%00", "/processor"),
    ],
)
async def test_other_histories_are_refused(client: Client, query: str, pointer: str) -> None:
    """A window out of bounds, and a name that cannot be one, are told by their place."""
    response = await client.get(f"{QUEUE}/history?{query}")
    assert (response.status, [fault["pointer"] for fault in (await response.json())["errors"]]) == (422, [pointer])


async def test_a_worker_that_fell_silent_counts_for_nothing(client: Client, engine: TaskEngine) -> None:
    """Before it is declared dead it is shown as silent, and what it would have to do as without a worker."""
    worker = WorkerInfo(
        id=WorkerId(7), name="w", host="h", pid=1, version="1", state="running", slots=1, running=0, beat_seconds=9
    )
    lane = QueueStatus(processor="split", paused=False, ready=2, scheduled=0, processing=0, oldest_seconds=1.0)
    assert list(warnings_of([lane], [worker], engine)) == []
    silent = evolve(worker, beat_seconds=engine.config.heartbeat_seconds * 3 + 15)
    assert is_silent(silent, engine)
    [warning] = warnings_of([lane], [silent], engine)
    assert (warning.code, warning.text) == ("no_worker", "no worker for split, 2 tasks wait")
