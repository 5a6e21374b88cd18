"""What a process is doing: SIGUSR1 has it log what blocks it, and what each of its asyncio tasks waits for.

Files, lines and functions only: never a value.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import traceback
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import structlog

MAX_STACKS = 40
"""How many different stacks are told, the most frequent first."""

MAX_FRAMES = 20
_MAX_NAMES = 3
_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@contextmanager
def stacks_on_signal() -> Iterator[None]:
    """Log the stacks whenever SIGUSR1 comes while the block runs; also while something blocks the event loop.

    Needs the main thread.
    """
    loop = asyncio.get_running_loop()

    def tell(number: int, frame: FrameType | None) -> None:
        # From a thread: this may have come while the main thread writes another line.
        threading.Thread(target=_write, args=describe(loop, frame), name="stacks", daemon=True).start()

    before = signal.signal(signal.SIGUSR1, tell)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


def describe(loop: asyncio.AbstractEventLoop, frame: FrameType | None) -> tuple[str, str, int, int]:
    """Return the stack of what runs now, those of the asyncio tasks, and how many tasks and different stacks there are.

    Equal stacks are told once, with how many tasks have them.
    """
    running = [_place(f.f_code.co_filename, line, f.f_code.co_name) for f, line in traceback.walk_stack(frame)]
    tasks = asyncio.all_tasks(loop)
    groups = _grouped(tasks)
    told = [
        f"{len(names)} x {', '.join(names[:_MAX_NAMES])}{', ...' if len(names) > _MAX_NAMES else ''}\n{stack}"
        for stack, names in groups[:MAX_STACKS]
    ]
    return "\n".join(running[:MAX_FRAMES]), "\n".join(told), len(tasks), len(groups)


def _write(running: str, waiting: str, tasks: int, different: int) -> None:
    _log.warning("stack_of_main_thread", stack=running)
    _log.warning("stacks_of_tasks", tasks=tasks, different=different, stack=waiting)


def _grouped(tasks: Iterable[asyncio.Task[Any]]) -> list[tuple[str, list[str]]]:
    """Return the different stacks with the names of the tasks that have them, the most frequent first."""
    groups: dict[str, list[str]] = defaultdict(list)
    for task in tasks:
        groups["\n".join(_stack(task))].append(task.get_name())
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def _stack(task: asyncio.Task[Any]) -> list[str]:
    """Return where a task waits, the outermost call first: coroutine by coroutine, each awaited by the one before."""
    places: list[str] = []
    awaited: Any = task.get_coro()
    while awaited is not None and len(places) < MAX_FRAMES:
        frame = _first(awaited, "cr_frame", "gi_frame", "ag_frame")
        if frame is None:
            places.append(f"  waits for {type(awaited).__name__}")
            break
        places.append(_place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        awaited = _first(awaited, "cr_await", "gi_yieldfrom", "ag_await")
    return places


def _first(thing: object, *attributes: str) -> Any:
    return next((found for name in attributes if (found := getattr(thing, name, None)) is not None), None)


def _place(file: str, line: int | None, function: str) -> str:
    return f"  {file}:{line} {function}"
