"""How fast the news of one task reaches all who follow it over a WebSocket.

`fanout.1`, `fanout.100` and `fanout.1000`: messages a second that reach that many clients, an update being
sent once all have the one before, so that none can be left out; 20,000, 1,000 and 200 updates. The server is the
whole application in a process of its own, beside an engine in which progress is published as a worker there
publishes it, without its limit of five a second. The clients are one other process, plain sockets that read
the heads of frames; server and clients have a core each on a machine with two, and nothing else. The
reference, before, between and after 3 runs: a bare aiohttp server that makes one frame an update and writes
it to each transport. `fanout.1000_cpu` is the CPU time of the server process for one message to one of a
thousand clients, beside the same of the bare server; it says more where cores are shared.

`fanout.1000_fastapi` and `fanout.1000_fastapi_cpu`: the same for a thousand clients beside FastAPI on uvicorn
with the connection manager of FastAPI's manual, a loop that awaits the sending to each. It is installed into an
environment of its own.

`--quick`: a fifth of the updates, 2 runs, without FastAPI.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.harness.loads import Load, Loading, Loads, loads_in_turns
from benchmarks.harness.peers.environments import PeerMissingError
from benchmarks.harness.results import Result, Table
from benchmarks.harness.run import Benchmark, Run
from benchmarks.harness.socket_servers import (
    SocketServer,
    bare_server,
    fastapi_server,
    need_descriptors,
    publishing_server,
)

TARGET = 0.8
FASTAPI_TARGET = 2.0

_SOCKETS = (1, 100, 1_000)
_MOST = max(_SOCKETS)
_UPDATES = {1: 20_000, 100: 1_000, 1_000: 200}
_QUICK = 5
_WARM = 5


async def measure(run: Run) -> list[Result | Table]:
    """Measure ours beside the bare server, then beside FastAPI."""
    need_descriptors(_MOST)
    async with run.database() as url, publishing_server(run, url) as ours:
        results: list[Result | Table] = []
        async with bare_server(run) as bare:
            connected = 0
            for sockets in _SOCKETS:
                for server in (ours, bare):
                    await server.connect(sockets - connected)
                connected = sockets
                results += _beside_bare(sockets, await _in_turns(run, bare, ours, sockets))
        return [*results, *([] if run.quick else await _beside_fastapi(run, ours))]


def _beside_bare(sockets: int, loads: Loads) -> list[Result]:
    metric, reference = f"fanout.{sockets}", "bare writes"
    rate = loads.rate(metric, unit="message", reference=reference, target=_target(sockets))
    return [rate, loads.cpu(f"{metric}_cpu", unit="message", reference=reference)] if sockets == _MOST else [rate]


def _target(sockets: int) -> float | None:
    return TARGET if sockets == _MOST else None


async def _beside_fastapi(run: Run, ours: SocketServer) -> list[Result | Table]:
    try:
        async with _connected(run) as theirs:
            loads = await _in_turns(run, theirs, ours, _MOST)
    except PeerMissingError as exc:
        return [Table(title="FastAPI", headings=("skipped",), rows=((str(exc),),))]
    metric, reference = f"fanout.{_MOST}_fastapi", "FastAPI"
    return [
        loads.rate(metric, unit="message", reference=reference, target=FASTAPI_TARGET),
        loads.cpu(f"{metric}_cpu", unit="message", reference=reference),
    ]


@asynccontextmanager
async def _connected(run: Run) -> AsyncIterator[SocketServer]:
    async with fastapi_server(run) as server:
        await server.connect(_MOST)
        yield server


async def _in_turns(run: Run, bound: SocketServer, ours: SocketServer, sockets: int) -> Loads:
    updates = run.sized(_UPDATES[sockets], quick=_UPDATES[sockets] // _QUICK)

    def spreading(server: SocketServer) -> Loading:
        async def spread() -> Load:
            await server.rounds(_WARM, first=updates)
            return await server.spread(updates, sockets=sockets)

        return spread

    return await loads_in_turns(spreading(bound), spreading(ours), pairs=run.sized(3, quick=2))


BENCHMARK = Benchmark("fanout", measure)
