"""Fan-out inside a process: bounded, and never silent about a stored event."""

from __future__ import annotations

from datetime import UTC, datetime

from novel_tasks_core.broadcast import LIMIT, Broadcast
from novel_tasks_core.events import TaskLogged, TaskProgressed
from novel_tasks_core.models import LogLevel, TaskId, new_task_id
from novel_tasks_core.observers import Observer

AT = datetime(2026, 1, 1, tzinfo=UTC)


class Counting(Observer):
    """Counts dropped progress."""

    def __init__(self) -> None:
        self.dropped = 0

    def progress_dropped(self, *, events: int) -> None:
        """Count."""
        self.dropped += events


def log(task_id: TaskId, seq: int) -> TaskLogged:
    """Make a stored event."""
    return TaskLogged(task_id=task_id, seq=seq, at=AT, attempt=1, level=LogLevel.INFO, message="")


def progress(task_id: TaskId, fraction: float) -> TaskProgressed:
    """Make a live one."""
    return TaskProgressed(task_id=task_id, after_seq=1, at=AT, attempt=1, fraction=fraction, stage="")


async def test_events_reach_those_who_follow_the_task_and_nobody_else() -> None:
    """Two followers of one task both get its events in order; a follower of another gets none."""
    broadcast, mine, other = Broadcast(Observer()), new_task_id(), new_task_id()
    with broadcast.subscribe(mine) as one, broadcast.subscribe(mine) as two, broadcast.subscribe(other) as three:
        broadcast.publish([log(mine, 1), log(mine, 2)])
        assert await one.take(within_seconds=1) == ([log(mine, 1), log(mine, 2)], False)
        assert await two.take(within_seconds=1) == ([log(mine, 1), log(mine, 2)], False)
        assert await three.take(within_seconds=0.001) == ([], True)


async def test_a_reader_that_hears_nothing_is_told_to_look() -> None:
    """After the time is up the database is to be asked: a lost doorbell only delays."""
    broadcast, task_id = Broadcast(Observer()), new_task_id()
    with broadcast.subscribe(task_id) as reader:
        assert await reader.take(within_seconds=0.001) == ([], True)


async def test_only_the_latest_progress_waits() -> None:
    """Progress that was not read yet is replaced, so that a slow reader does not fall behind."""
    broadcast, task_id = Broadcast(Observer()), new_task_id()
    with broadcast.subscribe(task_id) as reader:
        broadcast.publish([log(task_id, 1), *(progress(task_id, n / 1000) for n in range(1000))])
        events, look = await reader.take(within_seconds=1)
    assert (events, look) == ([log(task_id, 1), progress(task_id, 0.999)], False)


async def test_a_full_queue_drops_progress_and_has_the_rest_looked_up() -> None:
    """A reader that does not read holds at most `LIMIT` events; a stored one beyond makes it look."""
    observer = Counting()
    broadcast, task_id = Broadcast(observer), new_task_id()
    with broadcast.subscribe(task_id) as reader:
        broadcast.publish(log(task_id, seq) for seq in range(1, LIMIT + 1))
        broadcast.publish([progress(task_id, 0.5)])
        assert observer.dropped == 1
        broadcast.publish([log(task_id, LIMIT + 1)])
        events, look = await reader.take(within_seconds=1)
        assert ([e.seq for e in events if isinstance(e, TaskLogged)], look) == (list(range(1, LIMIT + 1)), True)
        broadcast.publish([progress(task_id, 0.6)])
        assert await reader.take(within_seconds=1) == ([progress(task_id, 0.6)], False)
    assert observer.dropped == 1


async def test_a_poke_reaches_the_named_or_all() -> None:
    """News from elsewhere makes followers look; None means that any task may have news."""
    broadcast, mine, other = Broadcast(Observer()), new_task_id(), new_task_id()
    with broadcast.subscribe(mine) as one, broadcast.subscribe(other) as two:
        broadcast.poke([mine, new_task_id()])
        assert await one.take(within_seconds=1) == ([], True)
        broadcast.poke(None)
        assert await one.take(within_seconds=1) == ([], True)
        assert await two.take(within_seconds=1) == ([], True)


def test_nothing_is_kept_once_nobody_follows() -> None:
    """`watched` is true exactly while somebody follows, and the last one out leaves nothing."""
    broadcast, task_id = Broadcast(Observer()), new_task_id()
    with broadcast.subscribe(task_id), broadcast.subscribe(task_id):
        assert broadcast.watched(task_id)
    assert not broadcast.watched(task_id)
    broadcast.publish([log(task_id, 1)])
    broadcast.poke([task_id])
    assert not broadcast.watched(task_id)
