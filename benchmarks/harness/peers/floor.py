"""The floor of the start latency: one INSERT that notifies, one claim by who listens, and nothing else."""

from __future__ import annotations

import asyncio
import json
import time

import asyncpg

from benchmarks.harness import bounds

_CHANNEL = "raw_tasks"
_SUBMIT = f"with i as (insert into raw_tasks (payload) values ($1)) select pg_notify('{_CHANNEL}', '')"
_TAKE = """
update raw_tasks set status = 1, started_at = now()
where id in (select id from raw_tasks where status = 0 order by priority, id limit 10 for update skip locked)
returning payload
"""


async def latency(url: str, *, tasks: int, gap_seconds: float) -> list[float]:
    """Submit to an idle listener now and then; return the seconds until each task had been claimed."""
    submits, claims, listens = [await asyncpg.connect(url) for _ in range(3)]
    waited: list[float] = []
    rung = asyncio.Event()

    async def claim() -> None:
        while len(waited) < tasks:
            await rung.wait()
            rung.clear()
            rows = await claims.fetch(_TAKE)
            waited.extend(time.monotonic() - json.loads(row["payload"])["sent"] for row in rows)

    try:
        await listens.add_listener(_CHANNEL, lambda *_: rung.set())
        async with asyncio.TaskGroup() as group:
            group.create_task(claim())
            for _ in range(tasks):
                await submits.execute(_SUBMIT, json.dumps({**bounds.PAYLOAD, "sent": time.monotonic()}))
                await asyncio.sleep(gap_seconds)
    finally:
        for connection in (submits, claims, listens):
            await connection.close()
    return waited
