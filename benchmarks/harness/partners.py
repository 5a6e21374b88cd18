"""Programs that take part in a benchmark, each in a process of its own, and do what they are told.

An order is a line of JSON on a partner's standard input, and the answer a line on its standard output. A
partner says null when it is ready, and ends when its input does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from benchmarks.harness.processes import environment, last_words, stop
from benchmarks.harness.run import BenchmarkError

Order = Callable[..., Awaitable[Any]]
"""What a partner can do: takes and returns what JSON can say."""

_LONGEST_LINE = 1 << 26
_LONGEST_SECONDS = 600.0
_END_SECONDS = 20.0


@frozen
class Partner:
    """A partner that runs."""

    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    async def ask(self, order: str, **details: Any) -> Any:
        """Have an order carried out and return the answer. Raises: BenchmarkError when the partner died of it."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([order, details]).encode() + b"\n")
        return await self.hear()

    async def hear(self) -> Any:
        """Return the next answer. Raises: BenchmarkError when there is none within ten minutes."""
        assert self.process.stdout is not None
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                line = await self.process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            raise BenchmarkError(f"a process of the benchmark does not answer:\n{last_words(self.log)}")
        return json.loads(line)

    async def end(self) -> None:
        """Let it end in good order, or else make it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self.process.wait()
        except TimeoutError:
            pass
        finally:
            await stop(self.process)


@asynccontextmanager
async def partner(*arguments: str, log: Path) -> AsyncIterator[Partner]:
    """Run `python -m` with these arguments for the length of the block; yields it once it is ready.

    `log` takes what it says on its standard error. Raises: BenchmarkError with the end of that when it does
    not start.
    """
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *arguments),
            env=environment(),
            cwd=log.parent,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=output,
            limit=_LONGEST_LINE,
        )
    made = Partner(process, log)
    try:
        await made.hear()
        yield made
    finally:
        await made.end()


async def obey(orders: Mapping[str, Order]) -> None:
    """Be a partner: carry out one order after the other until the input ends."""
    orders_in = asyncio.StreamReader(limit=_LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders_in), sys.stdin)
    print(json.dumps(None), flush=True)
    while line := await orders_in.readline():
        order, details = json.loads(line)
        print(json.dumps(await orders[order](**details)), flush=True)
