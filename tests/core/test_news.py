"""News of all tasks: gathered only while somebody wants them, and never more than a bound."""

from __future__ import annotations

from datetime import UTC, datetime

from novel_tasks_core.events import TaskDeleted, TaskProgressed, TaskRequeued
from novel_tasks_core.models import new_task_id
from novel_tasks_core.news import MAX_TASKS, News, Newsdesk

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_nothing_is_kept_while_nobody_wants_news() -> None:
    """Neither before the beginning nor after the end."""
    desk = Newsdesk()
    for _ in range(2):
        desk.changed([new_task_id()])
        desk.changed(None)
        desk.arrived()
        desk.hear(TaskDeleted(task_id=new_task_id(), at=AT))
        assert not desk.rings.is_set()
        assert desk.take() == News()
        desk.begin()
        desk.arrived()
        assert desk.rings.is_set()
        desk.end()


def test_what_happens_is_sorted() -> None:
    """By what has to be done about it, once for each task."""
    desk, one, two, three = Newsdesk(), new_task_id(), new_task_id(), new_task_id()
    desk.begin()
    progress = TaskProgressed(task_id=one, after_seq=1, at=AT, attempt=1, fraction=0.5, stage="")
    deleted = TaskDeleted(task_id=three, at=AT, owner="ann")
    for event in (progress, TaskRequeued(task_id=two, seq=1, at=AT), deleted):
        desk.hear(event)
    desk.changed([one])
    assert desk.take() == News(tasks={one, two}, progress={one: progress}, deleted={three: deleted})
    assert not desk.rings.is_set()
    desk.changed(())
    assert not desk.rings.is_set()


def test_more_than_a_bound_is_not_named() -> None:
    """All names are dropped and the loss is owned up to, of changed tasks and of deleted ones."""
    for deleted in (False, True):
        desk = Newsdesk()
        desk.begin()
        for _ in range(MAX_TASKS + 1):
            if deleted:
                desk.hear(TaskDeleted(task_id=new_task_id(), at=AT))
            else:
                desk.changed([new_task_id()])
        assert desk.take() == News(missed=True)
