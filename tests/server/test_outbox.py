"""What a slow reader misses, and what not."""

from __future__ import annotations

import asyncio

from novel_tasks_core.models import new_task_id
from novel_tasks_server.live.outbox import Outbox

TASK = new_task_id()


async def drained(box: Outbox) -> list[bytes]:
    """Close the box and take all that waits."""
    box.close()
    taken = []
    while (message := await box.get()) is not None:
        taken.append(message)
    return taken


async def test_messages_come_out_in_order() -> None:
    """The first in is the first out."""
    box = Outbox()
    assert box.put(b"1")
    assert box.put_state(TASK, b"2")
    box.put_progress(TASK, b"3")
    assert await drained(box) == [b"1", b"2", b"3"]


async def test_waiting_progress_is_replaced_by_later_progress() -> None:
    """Only the latest progress of a task waits, in the place of the first."""
    box = Outbox()
    box.put_progress(TASK, b"10%")
    box.put(b"between")
    box.put_progress(TASK, b"20%")
    assert await drained(box) == [b"20%", b"between"]


async def test_progress_never_overtakes_a_change_of_state() -> None:
    """Progress told after a change of state is sent after it, even when older progress still waits."""
    box = Outbox()
    box.put_progress(TASK, b"90%")
    box.put_state(TASK, b"pending again")
    box.put_progress(TASK, b"5%")
    assert await drained(box) == [b"90%", b"pending again", b"5%"]


async def test_a_full_box_drops_progress_first() -> None:
    """When half the room is gone no more progress is taken; everything else still is."""
    box = Outbox(capacity=4)
    assert box.put(b"a")
    assert box.put(b"b")
    box.put_progress(TASK, b"lost")
    assert box.put(b"c")
    assert box.dropped == 1
    assert await drained(box) == [b"a", b"b", b"c"]


async def test_an_overflowing_box_says_so() -> None:
    """A message that must arrive and finds no room means that this reader is lost."""
    box = Outbox(capacity=2)
    assert [box.put(b"a"), box.put(b"b"), box.put(b"c")] == [True, True, False]
    box.close(discard=True)
    assert await drained(box) == []


async def test_a_closed_box_takes_nothing() -> None:
    """What is told after the close is not sent, and is no overflow."""
    box = Outbox(capacity=1)
    box.close()
    assert box.put(b"a")
    box.put_progress(TASK, b"b")
    assert await drained(box) == []


async def test_reader_wakes_when_something_comes() -> None:
    """Whoever waits for a message gets the next one."""
    box = Outbox()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        waiting = group.create_task(box.get())
        await asyncio.sleep(0)
        box.put(b"here")
    assert waiting.result() == b"here"


async def test_room_comes_back_as_messages_leave() -> None:
    """Who asks for more waits until half of the box is free again."""
    box = Outbox(capacity=2)
    await box.room()
    box.put(b"a")
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        asking = group.create_task(box.room())
        await asyncio.sleep(0)
        assert not asking.done()
        await box.get()
