"""A process of one of two versions: `upgrade_program.py DATABASE_URL DATA_DIR old|new|breaking`.

The old version is this program. The new one knows one migration more, an additive one; the breaking one
knows another on top, which needs itself. Each submits a task every few milliseconds and works, until a
line comes in; it prints `ready` once it runs, and in the end how many it has submitted, or why it stopped.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from novel_tasks_core import AttemptContext, EngineConfig, Processors, RetryPolicy, SchemaError, TaskEngine
from novel_tasks_core.storage import migrator
from novel_tasks_core.storage.migrator import Migration

OURS = migrator.load_migrations()
NEWEST = OURS[-1].number
ADDITIVE = Migration(
    NEWEST + 1,
    "additive",
    """
    alter table tasks add column colour text not null default 'blue';
    alter table task_ready add column note text;
    alter table task_leases add column place integer not null default 7;
    alter table workers add column cores integer;
    create table colours (name text primary key);
    """,
    min_compatible=NEWEST,
)
BREAKING = Migration(NEWEST + 2, "breaking", "alter table tasks drop column colour;", min_compatible=NEWEST + 2)
VERSIONS = {"old": OURS, "new": (*OURS, ADDITIVE), "breaking": (*OURS, ADDITIVE, BREAKING)}


async def short(ctx: AttemptContext) -> int:
    """Say something, and end a little later."""
    await ctx.log("begun")
    await asyncio.sleep(0.01)
    return ctx.attempt


async def work(engine: TaskEngine) -> int:
    """Submit and run until told; returns how many were submitted."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, told.set)
    submitted = 0
    async with asyncio.TaskGroup() as group:
        outgrown = group.create_task(engine.outgrown())
        while not told.is_set():
            await engine.submit(processor="short")
            submitted += 1
            if submitted == 3:
                sys.stdout.write("ready\n")
                sys.stdout.flush()
            await asyncio.sleep(0.005)
        outgrown.cancel()
    return submitted


async def main(url: str, data: Path, version: str) -> None:
    """Be a process of a version."""
    migrator.load_migrations = lambda: VERSIONS[version]
    processors = Processors()
    processors.register("short", short, retry=RetryPolicy.never())
    config = EngineConfig(database_url=url, data_dir=data, lease_ttl_seconds=2, heartbeat_seconds=0.2, slots=2)
    async with TaskEngine.open(config, processors=processors) as engine, engine.worker(name=version):
        said = f"submitted {await work(engine)}"
    sys.stdout.write(f"{said}\n")


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
    except* SchemaError as group:
        sys.stdout.write(f"{group.exceptions[0]}\n")
