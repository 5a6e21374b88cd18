"""All that the client can ask a server for, against the real one."""

from __future__ import annotations

import asyncio

import pytest

from novel_tasks_core import LogLevel, OutcomeKind, TaskCompleted, TaskEngine, TaskStatus
from novel_tasks_server.client import Client, ServerRefusedError, UploadOptions, Wanted

from ..conftest import MAX_FILE_SIZE
from .conftest import Gate, Submit


@pytest.fixture
async def finished(submit: Submit, remote: Client, engine: TaskEngine, gate: Gate) -> str:
    """The id of a completed task."""
    gate.open.set()
    task_id = await submit()
    async with asyncio.timeout(60), engine.worker(concurrency=1):
        await remote.wait([task_id], poll_seconds=0.02)
    return task_id


async def test_a_task_is_shown_whole(remote: Client, finished: str) -> None:
    """A task, its result, attempts, log and events come as typed values."""
    task = await remote.get(finished)
    assert (task.status, task.progress, task.processor, task.file_name) == (
        TaskStatus.COMPLETED,
        100,
        "chatty",
        "novel.txt",
    )
    assert task.started_at is not None
    assert task.completed_at is not None
    assert task.uploaded_at <= task.started_at <= task.completed_at
    assert await remote.result(finished) == {"lines": 20}
    [attempt] = await remote.attempts(finished)
    assert (attempt.number, attempt.outcome, attempt.error) == (1, OutcomeKind.COMPLETED, None)
    events = await remote.events(finished)
    assert isinstance(events[-1], TaskCompleted)
    assert events[-1].seq == task.last_seq == len(events)
    assert await remote.events(finished, after=2, limit=3) == events[2:5]
    log = await remote.logs(finished)
    assert len(log) == 21
    assert await remote.logs(finished, after=log[4].seq, limit=2) == log[5:7]
    assert {entry.level for entry in await remote.logs(finished, level=LogLevel.WARNING)} == {LogLevel.WARNING}
    [artifact] = await remote.artifacts(finished)
    assert (artifact.name, artifact.size) == ("large.bin", 2_048_000)


@pytest.mark.parametrize("sort_by", ["uploaded_at", "file_name"])
async def test_lists_come_page_by_page(remote: Client, submit: Submit, sort_by: str) -> None:
    """Every task comes once, in order, also while others are made, whether pages go by cursor or by number."""
    made = [await submit("external") for _ in range(7)]
    found: list[str] = []
    async for task in remote.list(page_size=2, sort_by=sort_by, order="asc" if sort_by == "file_name" else "desc"):
        if sort_by == "uploaded_at" and len(found) in (1, 3, 5):
            await submit("external")
        found.append(task.id)
    assert sorted(found) == sorted(made)
    if sort_by == "uploaded_at":
        assert found == made[::-1]
    page = await remote.page(page_size=2, page=2)
    assert (len(page.tasks), page.page, page.page_size) == (2, 2, 2)
    assert page.total >= 7


async def test_lists_are_filtered(remote: Client, submit: Submit) -> None:
    """Every condition of a filter reaches the server."""
    task_id = await submit("external")
    await remote.cancel(await submit("split"))
    uploaded = (await remote.get(task_id)).uploaded_at
    for wanted, matches in (
        (Wanted(), 2),
        (Wanted(status=TaskStatus.CANCELLED), 1),
        (Wanted(processor="split"), 1),
        (Wanted(q=task_id), 1),
        (Wanted(q="nov"), 2),
        (Wanted(q="*vel"), 2),
        (Wanted(q="absent"), 0),
        (Wanted(owner="somebody"), 0),
        (Wanted(created_after=uploaded), 2),
        (Wanted(created_before=uploaded), 0),
    ):
        assert len([task async for task in remote.list(wanted)]) == matches, wanted


async def test_statistics_are_counted(remote: Client, submit: Submit, finished: str) -> None:
    """The counts of the server come as numbers."""
    await submit("external")
    counts = await remote.statistics()
    assert (counts.total, counts.pending, counts.completed, counts.success_rate) == (2, 1, 1, 50)


async def test_changes_are_made(remote: Client, submit: Submit) -> None:
    """A task is cancelled, sent round again, deleted; what its state does not allow is refused."""
    task_id = await submit("external")
    with pytest.raises(ServerRefusedError) as caught:
        await remote.retry(task_id)
    assert (caught.value.status, caught.value.kind) == (409, "illegal-transition")
    assert caught.value.members["task_status"] == "pending"
    assert (await remote.cancel(task_id)).status is TaskStatus.CANCELLED
    assert (await remote.retry(task_id)).status is TaskStatus.PENDING
    await remote.delete(task_id)
    with pytest.raises(ServerRefusedError) as caught:
        await remote.get(task_id)
    assert caught.value.status == 404


async def test_outside_services_report(remote: Client, submit: Submit) -> None:
    """What an outside service tells of its task is shown; of other tasks only the server itself tells."""
    task_id = await submit("external")
    running = await remote.report(task_id, status=TaskStatus.PROCESSING, progress=40)
    assert (running.status, running.progress) == (TaskStatus.PROCESSING, 40)
    done = await remote.report(task_id, status=TaskStatus.COMPLETED, result_url="https://books.example/1")
    assert (done.status, done.result_url) == (TaskStatus.COMPLETED, "https://books.example/1")
    with pytest.raises(ServerRefusedError) as caught:
        await remote.report(await submit("chatty"), progress=10)
    assert caught.value.status == 409


@pytest.mark.parametrize("change", [Client.retry, Client.cancel, Client.delete])
async def test_changes_may_depend_on_a_version(remote: Client, submit: Submit, change: object) -> None:
    """A change that is meant for an earlier version of a task is refused, and changes nothing."""
    task_id = await submit("external")
    before = await remote.get(task_id)
    after = await remote.cancel(task_id, if_version=before.version)
    assert after.version != before.version
    assert callable(change)
    with pytest.raises(ServerRefusedError) as caught:
        await change(remote, task_id, if_version=before.version)
    assert (caught.value.status, caught.value.kind) == (412, "precondition-failed")
    assert (await remote.get(task_id)).version == after.version


async def test_more_work_can_be_asked_for(remote: Client, finished: str, engine: TaskEngine) -> None:
    """A new task works on the novel of another, or on what that made."""
    wanted = UploadOptions(processor="external", priority=3, options={}, extra_data={"a": 1})
    second = await remote.process(finished, wanted=wanted)
    third = await remote.process(finished, artifact="large.bin", wanted=UploadOptions(processor="external"))
    assert len({finished, second, third}) == 3
    task = await remote.get(second)
    assert (task.file_name, task.priority, task.extra_data) == ("novel.txt", 3, {"a": 1})
    assert (await remote.get(third)).file_size == 2_048_000
    with pytest.raises(ServerRefusedError) as caught:
        await remote.process(finished, artifact="absent.txt")
    assert caught.value.status == 404


async def test_many_tasks_are_changed_at_once(remote: Client, submit: Submit) -> None:
    """What a filter matches is counted first, and then changed; what cannot be is counted by reason."""
    for _ in range(3):
        await submit("external")
    await remote.cancel(await submit("external"))
    wanted = Wanted(processor="external", q="novel")
    tried = await remote.bulk("cancel", wanted, dry_run=True)
    assert (tried.matched, tried.changed, tried.dry_run) == (4, 3, True)
    assert (await remote.statistics()).cancelled == 1
    done = await remote.bulk("cancel", wanted)
    assert (done.matched, done.changed, sum(done.reasons.values()), done.dry_run) == (4, 3, 1, False)
    assert (await remote.bulk("retry", Wanted(status=TaskStatus.CANCELLED))).changed == 4
    assert (await remote.bulk("reprioritize", Wanted(), priority=9)).changed == 4
    assert {task.priority async for task in remote.list()} == {9}
    assert (await remote.bulk("delete", Wanted())).changed == 4


async def test_the_server_tells_what_it_can(remote: Client) -> None:
    """Processors with the schema of their options, and the limits."""
    known = {processor.name: processor for processor in await remote.processors()}
    assert {"analyze", "split", "chatty", "external"} <= set(known)
    assert known["split"].options_schema["type"] == "object"
    meta = await remote.meta()
    assert (meta.default_processor, meta.limits.max_file_size) == ("external", MAX_FILE_SIZE)
    assert set(meta.processors) == set(known)
    assert meta.allowed_extensions == (".txt", ".md")


async def test_queues_are_paused_and_resumed(remote: Client, submit: Submit, engine: TaskEngine) -> None:
    """Pausing a processor shows in its queue, with a warning where tasks wait."""
    await submit("chatty")
    assert (await remote.pause("chatty")).paused
    async with engine.worker(concurrency=3):
        queue = await remote.queue()
    [lane] = [lane for lane in queue.queues if lane.processor == "chatty"]
    assert (lane.paused, lane.ready) == (True, 1)
    assert [worker.slots for worker in queue.workers] == [3]
    assert any("chatty is paused" in warning for warning in queue.warnings)
    assert not (await remote.resume("chatty")).paused
    with pytest.raises(ServerRefusedError) as caught:
        await remote.pause("absent")
    assert caught.value.status == 404


async def test_one_task_is_waited_for_by_its_id(remote: Client, submit: Submit) -> None:
    """A single id is one task, not as many as it has letters."""
    task_id = await submit("chatty")
    await remote.cancel(task_id)
    assert list(await remote.wait(task_id)) == [task_id]


async def test_the_server_tells_why(remote: Client, submit: Submit) -> None:
    """A task that waits says for what."""
    found = await remote.why(await submit("chatty"))
    assert (found["reason"], found["status"]) == ("no_worker", "pending")


async def test_health_is_told(remote: Client) -> None:
    """A healthy server says so."""
    assert (await remote.health())["status"] == "healthy"
