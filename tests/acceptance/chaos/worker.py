"""A worker process of a chaos run: the engine as it is, and a journal of what it did and was told.

`python -m tests.acceptance.chaos.worker DATABASE_URL DATA_DIR [MUTANT]`; ends by SIGTERM.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from novel_tasks_core import DatabaseUnavailableError, Observer, OutcomeKind, TaskEngine, TaskId, WorkerId
from novel_tasks_core.storage.endings import Ending
from novel_tasks_core.storage.queue import Ended, Queue
from novel_tasks_core.storage.workers import Workers

from .journal import journal
from .mutants import MUTANTS
from .work import config, processors

_RESTART_SECONDS = 0.2
_TRACEBACK_LINES = 6


class Witness(Observer):
    """Writes down every end that the database has acknowledged."""

    def attempt_finished(
        self, *, task_id: TaskId, processor: str, attempt: int, outcome: OutcomeKind, seconds: float
    ) -> None:
        """Note what this process believes in."""
        journal().write("ended", task_id.hex, attempt, outcome.value)


class Faults(logging.Handler):
    """Writes down what the engine itself calls an error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Note the event's name, and if there is one the exception with its way to us."""
        words = [record.getMessage(), getattr(record, "service", "")]
        if record.exc_info:
            words.append("".join(traceback.format_exception(*record.exc_info)[-_TRACEBACK_LINES:]))
        journal().write("error", " ".join(filter(None, words)))


def witness_refusals() -> None:
    """Write down which ends the database refused, and under which ids this process works."""
    end, register = Queue.end, Workers.register

    async def end_and_note(self: Queue, endings: Sequence[Ending], *, holder: WorkerId, finisher: WorkerId) -> Ended:
        ended = await end(self, endings, holder=holder, finisher=finisher)
        for ending in endings:
            if holder == finisher and ending.task_id not in ended.last_seq:
                journal().write("refused", ending.task_id.hex, ending.attempt, ending.kind.value, holder)
        return ended

    async def register_and_note(self: Workers, *, name: str, slots: int) -> WorkerId:
        worker_id = await register(self, name=name, slots=slots)
        journal().write("worker", worker_id)
        return worker_id

    Queue.end = end_and_note  # type: ignore[method-assign]
    Workers.register = register_and_note  # type: ignore[method-assign]


def stop_request() -> asyncio.Event:
    """Return what SIGTERM sets, from now on; SIGUSR1 has everything tell where it waits."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, tell_stacks)
    return stop


def tell_stacks() -> None:
    """Write to stderr where every asyncio task waits, from without to within."""
    for task in asyncio.all_tasks():
        waits: Any = task.get_coro()
        while frame := getattr(waits, "cr_frame", None):
            sys.stderr.write(f"{task.get_name()}: {frame.f_code.co_qualname}, line {frame.f_lineno}\n")
            waits = waits.cr_await


def keep_stdout() -> None:
    """Keep the pipe to the conductor from child processes: as long as one holds it we seem to be alive."""
    ours = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(ours, "w")


def say_ready() -> None:
    """Tell the conductor, once."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write("ready\n")
        sys.stdout.close()


async def work(database_url: str, data_dir: Path) -> None:
    """Work until told to end; a database that is away at the start is waited for."""
    stop = stop_request()
    while not stop.is_set():
        try:
            async with (
                TaskEngine.open(
                    config(database_url, data_dir), processors=processors(), observers=[Witness()], migrate=False
                ) as engine,
                engine.worker(),
            ):
                say_ready()
                await stop.wait()
                return
        except DatabaseUnavailableError:
            await asyncio.sleep(_RESTART_SECONDS)


def main(database_url: str, data_dir: str, *mutants: str) -> None:
    """Set the journal up, take out guards if wanted, and work."""
    faulthandler.enable()
    keep_stdout()
    logging.getLogger().addHandler(Faults(level=logging.ERROR))
    for name in mutants:
        MUTANTS[name]()
    witness_refusals()
    asyncio.run(work(database_url, Path(data_dir)))


if __name__ == "__main__":
    main(*sys.argv[1:])
