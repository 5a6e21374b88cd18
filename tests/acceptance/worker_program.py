"""A worker as a process of its own, to be killed and stopped: `DATABASE_URL DATA_DIR [unfenced]`.

Prints its worker id once it runs, and works until it is ended.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import time
from pathlib import Path

from novel_tasks_core import AttemptContext, EngineConfig, Processors, RetryPolicy, TaskEngine
from novel_tasks_core.worker import Worker

from .chaos.mutants import take_the_fence_out

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))

OFTEN = RetryPolicy(max_attempts=100, base_seconds=0, jitter=0)
LEASE_SECONDS = 2.0


async def hold(ctx: AttemptContext) -> str:
    """Look for a file again and again until it is there."""
    flag = Path(ctx.options["file"])
    while not flag.exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.005)
    return f"attempt {ctx.attempt}"


async def block(ctx: AttemptContext) -> int:
    """Keep the event loop for three leases, computing and waiting."""
    until = time.monotonic() + 3 * LEASE_SECONDS
    while time.monotonic() < until:
        sum(range(20_000))
        time.sleep(0.01)  # noqa: ASYNC251 - that is the point
    return ctx.attempt


async def sleeper(ctx: AttemptContext) -> None:
    """Checkpoint, then never end."""
    if ctx.resume_from is None:
        await ctx.checkpoint("chapter 3")
        await ctx.log("checkpointed")
        await asyncio.Event().wait()


def processors() -> Processors:
    """The processors of this program."""
    engine_specimens = importlib.import_module("engine_specimens")
    known = Processors()
    known.register("block", block, retry=OFTEN)
    known.register("hold", hold, retry=OFTEN)
    known.register("sleeper", sleeper, retry=OFTEN)
    known.register("child", engine_specimens.sleep_for_ever, retry=OFTEN)
    return known


def config(database_url: str, data_dir: Path) -> EngineConfig:
    """The settings of this program: leases of two seconds."""
    return EngineConfig(
        database_url=database_url,
        data_dir=data_dir,
        pool_size=2,
        pool_overflow=2,
        lease_ttl_seconds=LEASE_SECONDS,
        heartbeat_seconds=0.2,
        poll_min_seconds=0.01,
        poll_max_seconds=0.1,
        slots=3,
    )


def believe_in_yourself() -> None:
    """Make this worker end attempts without asking whether it still holds them, and deaf to being declared dead."""
    take_the_fence_out()
    Worker._lost = lambda self, reason: None  # type: ignore[method-assign]


async def main(database_url: str, data_dir: Path) -> None:
    """Work until the process is ended."""
    settings = config(database_url, data_dir)
    async with TaskEngine.open(settings, processors=processors(), migrate=False) as engine, engine.worker() as worker:
        sys.stdout.write(f"{worker.id}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[3:] == ["unfenced"]:
        believe_in_yourself()
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
