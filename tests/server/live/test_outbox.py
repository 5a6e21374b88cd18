"""What a slow reader misses, and what not."""

from __future__ import annotations

from novel_tasks_core.models import new_task_id
from novel_tasks_server.live.outbox import Outbox

TASK = new_task_id()


def drained(box: Outbox) -> list[bytes]:
    """Take all that waits."""
    taken = []
    while (message := box.take()) is not None:
        taken.append(message)
    return taken


def test_messages_come_out_in_order() -> None:
    """The first in is the first out."""
    box = Outbox()
    assert box.put(b"1")
    assert box.put(b"2", about=TASK)
    assert box.put_progress(TASK, b"3")
    assert drained(box) == [b"1", b"2", b"3"]


def test_waiting_progress_is_replaced_by_later_progress() -> None:
    """Only the latest progress of a task waits, in the place of the first."""
    box = Outbox()
    box.put_progress(TASK, b"10%")
    box.put(b"between")
    box.put_progress(TASK, b"20%")
    assert drained(box) == [b"20%", b"between"]


def test_progress_never_overtakes_a_change_of_state() -> None:
    """Progress told after a change of state is sent after it, even when older progress still waits."""
    box = Outbox()
    box.put_progress(TASK, b"90%")
    box.put(b"pending again", about=TASK)
    box.put_progress(TASK, b"5%")
    assert drained(box) == [b"90%", b"pending again", b"5%"]


def test_a_full_box_drops_progress_first() -> None:
    """When half the room is gone no more progress is taken; everything else still is."""
    box = Outbox(capacity=4)
    assert box.put(b"a")
    assert box.put(b"b")
    assert not box.put_progress(TASK, b"lost")
    assert box.put(b"c")
    assert box.dropped == 1
    assert drained(box) == [b"a", b"b", b"c"]


def test_an_overflowing_box_says_so() -> None:
    """A message that must arrive and finds no room means that this reader is lost; a goodbye always fits."""
    box = Outbox(capacity=2)
    assert [box.put(b"a"), box.put(b"b"), box.put(b"c")] == [True, True, False]
    box.put_last(b"bye")
    assert drained(box) == [b"a", b"b", b"bye"]


def test_long_messages_fill_the_box_sooner() -> None:
    """What waits is bounded in bytes too; one message alone may be longer than that."""
    box = Outbox(capacity_bytes=100)
    assert box.put(b"x" * 500)
    assert not box.put(b"y")
    assert box.take() == b"x" * 500
    assert box.put(b"y" * 60)
    assert not box.put_progress(TASK, b"z")
    assert box.put(b"z" * 40)
    assert not box.put(b"z")


def test_replaced_progress_does_not_use_up_room() -> None:
    """Progress that is replaced gives its bytes back."""
    box = Outbox(capacity_bytes=100)
    for _ in range(100):
        assert box.put_progress(TASK, b"x" * 40)
    assert box.put(b"y" * 60)
    assert not box.put(b"z")
    drained(box)
    assert box.put(b"y" * 100)


def test_a_box_is_crowded_until_half_of_it_is_free() -> None:
    """Who asks for more waits until messages have left."""
    box, seen = Outbox(capacity=4), []
    for step in (lambda: box.put(b"a"), lambda: box.put(b"b"), box.take):
        step()
        seen.append(box.is_crowded)
    assert seen == [False, True, False]
