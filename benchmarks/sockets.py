"""What ten thousand idle WebSockets cost, and how soon they all hear of a change.

`sockets.idle_bytes`: the resident memory that each of 10,000 sockets adds to the server's, once all follow
one task and have been told how it stands; what the kernel keeps is left out. The limit is 25 KB.
`sockets.idle_bytes_bare` is the same figure beside that of a bare aiohttp server, whose sockets have the same
settings.

`sockets.broadcast_seconds`: the median of 10 changes, each from the moment a PATCH leaves that says how far
the task is until the last client has it; the limit is a second. `sockets.broadcast_bare` is the same figure
beside that of the bare server, which is told without HTTP, stores nothing, and writes one frame to each
transport.

`sockets.idle_cpu`: percent of a core that the server uses in 50 seconds at rest, in which each socket is asked
twice whether it is there, beside the bare server. All sockets must be open at the end, else the run stops.

The server is `novel-tasks serve --no-worker`; servers run one after the other, each in a process of its own, and
so do the clients, which come from several addresses of the loopback network. Figures are of one run each.

`--quick`: without the rest, and 3 changes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

from attrs import frozen

from benchmarks.harness.processes import cpu_seconds, resident_bytes
from benchmarks.harness.results import Better, Result, limited
from benchmarks.harness.run import Benchmark, BenchmarkError, Run
from benchmarks.harness.service import engine_beside, service
from benchmarks.harness.socket_clients import socket_clients
from benchmarks.harness.socket_servers import SocketServer, bare_server, need_descriptors, subscribe
from novel_tasks_core import TaskStatus, format_task_id

SOCKETS = 10_000
LIMIT_BYTES = 25_000.0
LIMIT_SECONDS = 1.0

_WARM = 50
_REST_SECONDS = 50.0
_CHANGE = (
    "PATCH {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n"
    '{"progress": {percent}}'
)


@frozen
class Costs:
    """What sockets cost a server: bytes each, seconds of a broadcast, percent of a core at rest."""

    idle_bytes: float
    broadcast_seconds: float
    idle_cpu: float | None


async def measure(run: Run) -> list[Result]:
    """Measure the bare server, then ours."""
    need_descriptors(SOCKETS)
    async with bare_server(run) as server:
        bare = await _costs(run, server)
    async with _service(run) as server:
        ours = await _costs(run, server)
    return _results(ours, bare)


def _results(ours: Costs, bare: Costs) -> list[Result]:
    reference = "bare aiohttp"
    bytes_each = limited("sockets.idle_bytes", ours.idle_bytes, unit="B/socket", limit=LIMIT_BYTES)
    seconds = limited("sockets.broadcast_seconds", ours.broadcast_seconds, unit="s", limit=LIMIT_SECONDS)
    results = [
        bytes_each,
        _lower("sockets.idle_bytes_bare", bytes_each.value, "B/socket").against(
            reference, bare.idle_bytes, target=None
        ),
        seconds,
        _lower("sockets.broadcast_bare", seconds.value, "s").against(reference, bare.broadcast_seconds, target=None),
    ]
    if ours.idle_cpu is not None and bare.idle_cpu is not None:
        cpu = _lower("sockets.idle_cpu", ours.idle_cpu, "% of a core")
        results.append(cpu.against(reference, bare.idle_cpu, target=None))
    return results


def _lower(metric: str, value: float, unit: str) -> Result:
    return Result(metric=metric, value=value, unit=unit, better=Better.LOWER)


@asynccontextmanager
async def _service(run: Run) -> AsyncIterator[SocketServer]:
    """Run our server with a task that is under way at an outside service."""
    async with run.database() as url, service(run, url) as server:
        async with engine_beside(run, url) as engine:
            task = await engine.submit(processor="external")
            await engine.report(task.id, status=TaskStatus.PROCESSING)
        task_id = format_task_id(task.id)
        async with socket_clients(run.new_folder() / "clients.log") as clients:
            yield SocketServer(
                pid=server.pid,
                port=server.port,
                control_port=server.port,
                clients=clients,
                say=subscribe(task_id),
                change=_CHANGE.replace("{path}", f"/api/v1/tasks/{task_id}"),
            )


async def _costs(run: Run, server: SocketServer) -> Costs:
    await server.connect(_WARM)
    await server.rounds(2)
    before = resident_bytes(server.pid)
    await server.connect(SOCKETS - _WARM)
    idle_bytes = (resident_bytes(server.pid) - before) / (SOCKETS - _WARM)
    seconds = median(await server.rounds(run.sized(10, quick=3), first=2))
    return Costs(idle_bytes, seconds, None if run.quick else await _at_rest(server))


async def _at_rest(server: SocketServer) -> float:
    """Return the percentage of a core that a server uses at rest. Raises: BenchmarkError when a socket closes."""
    before = cpu_seconds(server.pid)
    left = await server.clients.ask("rest", seconds=_REST_SECONDS)
    if left != SOCKETS:
        raise BenchmarkError(f"{SOCKETS - left:,} of {SOCKETS:,} idle sockets were closed")
    return (cpu_seconds(server.pid) - before) / _REST_SECONDS * 100


BENCHMARK = Benchmark("sockets", measure)
