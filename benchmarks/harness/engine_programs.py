"""An engine that only submits, and one that works, as programs.

`python -m benchmarks.harness.engine_programs submitter|worker DATABASE_URL FOLDER`

The worker runs no-ops, tasks whose handler notes on its first line how long it took until there, and tasks
that talk.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from benchmarks.harness import bounds
from benchmarks.harness.machine import runner
from benchmarks.harness.noops import SLOTS, Counter
from benchmarks.harness.pacing import Starts, Submit, paces
from benchmarks.harness.partners import Order, Partner, obey, partner
from novel_tasks_core import AttemptContext, EngineConfig, Processors, TaskEngine

STAMPED = "stamped"
TALKING = "talking"

_WORDS = 10
_WATCHERS = 50


@asynccontextmanager
async def engine_program(role: str, *, url: str, folder: Path) -> AsyncIterator[Partner]:
    """Run one of the programs for the length of the block; its engine and its log are in `folder`."""
    arguments = ("benchmarks.harness.engine_programs", role, url, str(folder / "data"))
    async with partner(*arguments, log=folder / f"{role}.log") as made:
        yield made


def stamped(starts: Starts, known: Processors) -> Processors:
    """Add the processor whose handler notes its starts to `known`."""

    async def handle(ctx: AttemptContext) -> dict[str, int]:
        starts.note(ctx.extra_data["at"])
        return bounds.RESULT

    known.register(STAMPED, handle)
    return known


def submitter(engine: TaskEngine) -> Submit:
    """Return what submits stamped tasks."""

    async def submit(at: float) -> None:
        await engine.submit(processor=STAMPED, extra_data={**bounds.PAYLOAD, "at": at})

    return submit


async def _say_much(ctx: AttemptContext) -> dict[str, int]:
    for word in range(_WORDS):
        await ctx.log(f"line {word} of a log that is about as long as others are")
        await ctx.progress(word, total=_WORDS, stage=f"stage {word}")
        await asyncio.sleep(0)
    return bounds.RESULT


async def _talk(engine: TaskEngine, *, tasks: int) -> None:
    """Submit tasks that talk and watch each of them to its end, fifty at once."""
    left = iter(range(tasks))

    async def watch() -> None:
        for _ in left:
            task = await engine.submit(processor=TALKING)
            async for _ in engine.watch(task.id):
                pass

    await asyncio.gather(*(watch() for _ in range(_WATCHERS)))


async def _submit(config: EngineConfig) -> None:
    async with TaskEngine.open(config, processors=stamped(Starts(), Processors())) as engine:
        await obey(paces(submitter(engine)))


async def _work(config: EngineConfig) -> None:
    starts, counter = Starts(), Counter()
    known = stamped(starts, counter.processors())
    known.register(TALKING, _say_much)
    async with (
        TaskEngine.open(config, processors=known, observers=[counter]) as engine,
        engine.worker(concurrency=SLOTS),
    ):
        orders: dict[str, Order] = {
            "taken": starts.taken,
            "committed": counter.committed,
            "talk": partial(_talk, engine),
            "tidy": _tidy,
        }
        await obey(orders)


async def _tidy() -> None:
    """Collect garbage and give free memory back to the system, so that what remains is in use."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def main(arguments: Sequence[str]) -> None:
    """Be a submitter or a worker until the input ends."""
    role, url, folder = arguments
    config = EngineConfig(database_url=url, data_dir=Path(folder))
    with runner() as loop:
        loop.run({"submitter": _submit, "worker": _work}[role](config))


if __name__ == "__main__":
    main(sys.argv[1:])
