"""What SIGUSR1 tells: what runs, what waits and where, and never a value."""

from __future__ import annotations

import asyncio
import io
import signal
import time
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import pytest
import structlog

from novel_tasks_server.app.stacks import MAX_FRAMES, MAX_STACKS, describe, stacks_on_signal

from ..core.support import eventually


@pytest.fixture
def told() -> Iterator[list[MutableMapping[str, Any]]]:
    """What our own loggers are told."""
    with structlog.testing.capture_logs() as lines:
        yield lines


async def wait_at(gate: asyncio.Event) -> None:
    """Wait for ever, two calls deep."""
    await wait_deeper(gate)


async def wait_deeper(gate: asyncio.Event) -> None:
    """Wait for ever."""
    await gate.wait()


async def test_equal_stacks_are_told_once() -> None:
    """A thousand tasks at the same place are one stack, with the calls from the outermost to what is awaited."""
    gate = asyncio.Event()
    tasks = [asyncio.create_task(wait_at(gate), name=f"waiter {n}") for n in range(1000)]
    await asyncio.sleep(0)
    _, waiting, count, different = describe(asyncio.get_running_loop(), None)
    assert (count, different) == (1001, 2)
    first, *_ = waiting.partition("1 x ")
    assert first.startswith("1000 x waiter ")
    assert first.index("wait_at") < first.index("wait_deeper") < first.index("waits for Future")
    assert len(waiting) < 3000
    gate.set()
    await asyncio.gather(*tasks)


async def test_what_is_told_is_bounded() -> None:
    """So many stacks, and so many calls of each, however many there are and however deep."""
    gate = asyncio.Event()

    def nested(depth: int) -> Callable[[], Any]:
        scope: dict[str, Any] = {"inner": gate.wait if depth == 0 else nested(depth - 1)}
        exec(f"async def level_{depth}():\n    await inner()", scope)
        function: Callable[[], Any] = scope[f"level_{depth}"]
        return function

    tasks = [asyncio.create_task(nested(depth)()) for depth in range(MAX_STACKS + 30)]
    await asyncio.sleep(0)
    _, waiting, count, different = describe(asyncio.get_running_loop(), None)
    assert count > MAX_STACKS
    assert different > MAX_FRAMES
    assert len(waiting.splitlines()) <= MAX_STACKS * (MAX_FRAMES + 2)
    gate.set()
    await asyncio.gather(*tasks)


async def test_what_blocks_the_event_loop_is_told(told: list[MutableMapping[str, Any]]) -> None:
    """The signal is answered while nothing else is, with the place that blocks."""
    with stacks_on_signal():
        block_the_loop(told)
    assert "block_the_loop" in next(line["stack"] for line in told if line["event"] == "stack_of_main_thread")


def block_the_loop(told: list[MutableMapping[str, Any]]) -> None:
    """Send the signal, and keep the event loop until it was answered."""
    signal.raise_signal(signal.SIGUSR1)
    deadline = time.monotonic() + 10
    while len(told) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)


async def test_the_signal_does_what_it_did_before_afterwards(told: list[MutableMapping[str, Any]]) -> None:
    """Whoever had it has it again."""
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: heard.append(number))
    try:
        with stacks_on_signal():
            signal.raise_signal(signal.SIGUSR1)
            await eventually(lambda: len(told) == 2)
            assert heard == []
        signal.raise_signal(signal.SIGUSR1)
        assert heard == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, before)


async def test_it_may_come_while_a_line_is_written() -> None:
    """A signal in the middle of writing a line does not wait for that line, which waits for the signal."""

    class Interrupted(io.StringIO):
        """A stream that a signal interrupts in the middle of its first line."""

        def write(self, text: str) -> int:
            if not self.tell():
                super().write("begun ")
                signal.raise_signal(signal.SIGUSR1)
            return super().write(text)

    stream = Interrupted()
    structlog.configure(
        logger_factory=structlog.WriteLoggerFactory(stream), processors=[structlog.processors.JSONRenderer()]
    )
    try:
        with stacks_on_signal():
            structlog.get_logger().warning("written slowly")
            await eventually(lambda: "stacks_of_tasks" in stream.getvalue())
    finally:
        structlog.reset_defaults()
    assert stream.getvalue().startswith("begun ")
