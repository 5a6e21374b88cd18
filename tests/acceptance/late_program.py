"""A program that stays, and that something keeps from stopping when it is told to: `KIND`, one of those below."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from novel_tasks_server.app import LastResort
from novel_tasks_server.config import LogThreshold
from novel_tasks_server.logs import configure_logging

GRACE_SECONDS = 0.4
REST_SECONDS = 0.4


async def keep_the_loop() -> None:
    """Let nothing else run on the event loop, computing and sleeping."""
    while True:
        sum(range(1000))
        time.sleep(0.01)  # noqa: ASYNC251 - that is the point


async def hear_no_cancellation() -> None:
    """Go on whatever happens."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue


async def keep_a_thread() -> None:
    """Leave a thread of the executor that never comes back, for which asyncio and the interpreter wait at the end."""
    await asyncio.to_thread(time.sleep, 3600)


async def fill_stderr() -> None:
    """Write where nobody reads, until that takes no more."""
    while True:
        sys.stderr.write("x" * 1000 + "\n")


async def end_in_time() -> None:
    """Stop as one should."""


KINDS: Mapping[str, Callable[[], Awaitable[None]]] = MappingProxyType(
    {kind.__name__: kind for kind in (keep_the_loop, hear_no_cancellation, keep_a_thread, fill_stderr, end_in_time)}
)


async def main(kind: Callable[[], Awaitable[None]]) -> None:
    """Wait for SIGTERM beside whatever keeps us."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    LastResort(grace_seconds=GRACE_SECONDS, rest_seconds=REST_SECONDS).watch(signal.SIGTERM)
    await asyncio.sleep(GRACE_SECONDS + REST_SECONDS)  # that time counts from the signal, not from the start
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    kept = asyncio.ensure_future(kind())
    await stop.wait()
    kept.cancel()


if __name__ == "__main__":
    configure_logging(level=LogThreshold.INFO, as_json=True)
    asyncio.run(main(KINDS[sys.argv[1]]))
