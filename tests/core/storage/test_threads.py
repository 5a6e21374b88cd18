"""Threads for disk work: every result comes back to its caller, and no cancellation leaves work behind."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from novel_tasks_core.errors import EngineClosedError
from novel_tasks_core.storage.threads import Threads

from ..support import eventually


@pytest.fixture
def threads() -> Iterator[Threads]:
    """Four threads at most."""
    made = Threads(4, name="tested")
    yield made
    made.close()


def running() -> list[threading.Thread]:
    """List the threads that the tests started."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("tested")]


@pytest.fixture(autouse=True)
def left_alone() -> Iterator[None]:
    """Leave the next test none of this one's threads: what is closed may still be about to end."""
    yield
    for thread in running():
        thread.join(60)


async def test_every_caller_gets_its_own_result(threads: Threads) -> None:
    """Many at once, over few threads."""
    async with asyncio.timeout(60):
        got = await asyncio.gather(*(threads.run(divmod, number, 7) for number in range(3000)))
    assert got == [divmod(number, 7) for number in range(3000)]


class Finished(deque[Any]):
    """What is to be given out; between the last look and its end somebody may come."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def __bool__(self) -> bool:
        """Look whether there is more."""
        found = len(self) > 0
        if not found:
            self._meanwhile()
        return found


async def test_what_finishes_just_after_the_last_look_is_given_out_too() -> None:
    """A thread that finishes while the results of others are given out wakes the event loop again."""
    threads = Threads(1, name="tested")
    may_end, later, may_end_later = threading.Event(), threading.Event(), threading.Event()

    def finish_the_second() -> None:
        may_end.set()
        later.wait(60)  # the one thread has begun the third: so it is done with the second

    threads._finished = Finished(finish_the_second)
    first, second = threads.begin(abs, -1), threads.begin(may_end.wait, 20)

    def last() -> None:
        later.set()
        may_end_later.wait(600)

    third = threads.begin(last)
    try:
        async with asyncio.timeout(60):
            assert (await first.waiting, await second.waiting) == (1, True)
    finally:
        may_end_later.set()
        await third.end()
        threads.close()


async def test_an_error_reaches_its_caller_alone(threads: Threads) -> None:
    """What the work raises is raised where it was asked for."""
    good, bad = await asyncio.gather(threads.run(int, "7"), threads.run(int, "x"), return_exceptions=True)
    assert good == 7
    assert isinstance(bad, ValueError)


async def test_threads_are_started_as_they_are_needed(threads: Threads) -> None:
    """One caller after the other needs one thread; many at once get no more than there may be."""
    for number in range(5):
        await threads.run(abs, number)
    assert len(running()) == 1
    barrier = threading.Barrier(4)
    await asyncio.gather(*(threads.run(barrier.wait, 60) for _ in range(8)))
    assert len(running()) == 4


async def test_a_cancelled_caller_waits_for_its_work(threads: Threads) -> None:
    """A system call cannot be stopped: the cancellation goes on once it is over, however often it comes."""
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        may_end.wait(60)
        ended.set()

    caller = asyncio.create_task(threads.run(work))
    await eventually(begun.is_set)
    for _ in range(3):
        caller.cancel()
        await asyncio.sleep(0)
    assert not caller.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.is_set()


async def test_work_that_never_ends_is_not_waited_for_after_close(threads: Threads) -> None:
    """A disk that does not answer keeps no caller on its way out, whether its cancellation came before or after."""
    may_end = threading.Event()
    before, after = (asyncio.create_task(threads.run(may_end.wait, 600)) for _ in range(2))
    await eventually(lambda: len(running()) == 2)
    before.cancel()
    await asyncio.sleep(0)
    assert not before.done()
    threads.close()
    after.cancel()
    try:
        await asyncio.wait((before, after), timeout=60)
        assert before.cancelled()
        assert after.cancelled()
    finally:
        may_end.set()


async def test_after_close_there_is_no_work_and_no_thread(threads: Threads) -> None:
    """What was begun is finished; the threads end."""
    job = threads.begin(abs, -1)
    threads.close()
    threads.close()
    assert await job.waiting == 1
    with pytest.raises(EngineClosedError):
        await threads.run(abs, -1)
    await eventually(lambda: not running())


def test_a_loop_that_closed_meanwhile_is_no_error() -> None:
    """Work that outlives its event loop ends quietly: nobody waits for it."""
    threads, may_end, failed = Threads(1, name="tested"), threading.Event(), list[object]()

    async def leave() -> None:
        threads.begin(may_end.wait, 20)

    hook, threading.excepthook = threading.excepthook, failed.append
    try:
        asyncio.run(leave())
        [thread] = running()
        may_end.set()
        threads.close()
        thread.join(20)
    finally:
        threading.excepthook = hook
    assert failed == []
    assert not thread.is_alive()
