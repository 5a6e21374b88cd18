"""The floor of latencies: what LISTEN and NOTIFY allow when nothing else is done, as two programs.

`python -m benchmarks.harness.raw_programs submitter|worker DATABASE_URL`

The submitter INSERTs and notifies by one statement; what arrives while that is under way goes into the next
one. The worker listens on one connection, and for each notification claims by UPDATE ... SKIP LOCKED on
another. A task has started when the claim has answered.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from benchmarks.harness import bounds
from benchmarks.harness.machine import runner
from benchmarks.harness.pacing import Starts, paces
from benchmarks.harness.partners import Partner, obey, partner

_CHANNEL = "raw_tasks"
_SUBMIT = """
with stored as (insert into raw_tasks (payload) select * from unnest($1::jsonb[]))
select pg_notify('raw_tasks', '')
"""
_MOST = 1000


@asynccontextmanager
async def raw_program(role: str, *, url: str, folder: Path) -> AsyncIterator[Partner]:
    """Run one of the programs for the length of the block; its log is in `folder`."""
    async with partner("benchmarks.harness.raw_programs", role, url, log=folder / f"{role}.log") as made:
        yield made


class _Submitter:
    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()
        self._waiting: list[str] = []

    async def submit(self, at: float) -> None:
        self._waiting.append(json.dumps({**bounds.PAYLOAD, "at": at}))
        async with self._turn:
            payloads, self._waiting = self._waiting, []
            if payloads:
                await self._connection.fetch(_SUBMIT, payloads)


async def _submit(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await obey(paces(_Submitter(connection).submit))
    finally:
        await connection.close()


async def _work(url: str) -> None:
    starts, rung = Starts(), asyncio.Event()
    listening, claiming = await asyncpg.connect(url), await asyncpg.connect(url)

    async def claim() -> None:
        while await rung.wait():
            rung.clear()
            for row in await claiming.fetch(bounds.CLAIM, _MOST):
                starts.note(json.loads(row["payload"])["at"])

    try:
        await listening.add_listener(_CHANNEL, lambda *_: rung.set())
        async with asyncio.TaskGroup() as group:
            claims = group.create_task(claim())
            await obey({"taken": starts.taken})
            claims.cancel()
    finally:
        await listening.close()
        await claiming.close()


def main(arguments: Sequence[str]) -> None:
    """Be a submitter or a worker until the input ends."""
    role, url = arguments
    with runner() as loop:
        loop.run({"submitter": _submit, "worker": _work}[role](url))


if __name__ == "__main__":
    main(sys.argv[1:])
