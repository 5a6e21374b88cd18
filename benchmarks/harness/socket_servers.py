"""Servers of sockets as processes of their own: ours, a bare one, and one as FastAPI's users have them."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from attrs import frozen

from benchmarks.harness.fanout_server import fanout_server
from benchmarks.harness.loads import Load, load_of
from benchmarks.harness.partners import Partner
from benchmarks.harness.peers.environments import Environment, base_folder, install_python, interpreter
from benchmarks.harness.processes import free_port, serving
from benchmarks.harness.run import BenchmarkSkippedError, Run
from benchmarks.harness.socket_clients import socket_clients

REQUIREMENTS = Path(__file__).parent / "peers" / "sockets-requirements.txt"
SPARE_DESCRIPTORS = 500
"""What a process needs beside its sockets."""

_HELLO = "hello"


@frozen(kw_only=True)
class SocketServer:
    """A server that runs, and clients of its own. `say` is what a client says to follow, `change` as in `rounds`."""

    pid: int
    port: int
    control_port: int
    clients: Partner
    say: str
    change: str = ""

    async def connect(self, sockets: int) -> None:
        """Add clients, each of which has been answered then."""
        await self.clients.ask("connect", port=self.port, sockets=sockets, say=self.say)

    async def rounds(self, rounds: int, *, first: int = 0) -> list[float]:
        """Send updates, each once the one before has reached everybody; return the seconds that each took."""
        seconds: list[float] = await self.clients.ask(
            "rounds", port=self.control_port, say=self.change, first=first, rounds=rounds
        )
        return seconds

    async def spread(self, rounds: int, *, sockets: int) -> Load:
        """Send updates to all `sockets` that are connected, and say what that took."""
        return await load_of(self.pid, self.rounds(rounds), amount=rounds * sockets)


def need_descriptors(sockets: int) -> None:
    """Let this process, and those that it starts, have so many sockets. Raises: BenchmarkSkippedError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = sockets + SPARE_DESCRIPTORS
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise BenchmarkSkippedError(f"it needs {wanted:,} open files a process and the limit is {hard:,}")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def subscribe(task_id: str) -> str:
    """Return what a client of ours says to follow a task."""
    return json.dumps({"type": "subscribe", "task_id": task_id})


@asynccontextmanager
async def publishing_server(run: Run, url: str) -> AsyncIterator[SocketServer]:
    """Run our server with an engine that publishes at any speed."""
    folder, port, control_port = run.new_folder(), free_port(), free_port()
    async with (
        fanout_server(url, folder=folder, port=port, control_port=control_port) as server,
        socket_clients(folder / "clients.log") as clients,
    ):
        say = subscribe(await server.ask("task"))
        yield SocketServer(pid=server.pid, port=port, control_port=control_port, clients=clients, say=say)


@asynccontextmanager
async def bare_server(run: Run) -> AsyncIterator[SocketServer]:
    """Run the bare server."""
    async with _told_server(run, "benchmarks.harness.bare_sockets", python=sys.executable) as server:
        yield server


@asynccontextmanager
async def fastapi_server(run: Run) -> AsyncIterator[SocketServer]:
    """Run the one with FastAPI, installed first if need be. Raises: PeerMissingError."""
    environment = Environment(base_folder() / "sockets", REQUIREMENTS, sys.version, _install)
    python = interpreter(await environment.ready())
    async with _told_server(run, "benchmarks.harness.peers.programs.fastapi_sockets", python=str(python)) as server:
        yield server


async def _install(folder: Path) -> None:
    await install_python(folder, REQUIREMENTS)


@asynccontextmanager
async def _told_server(run: Run, module: str, *, python: str) -> AsyncIterator[SocketServer]:
    folder, port, control_port = run.new_folder(), free_port(), free_port()
    arguments = (module, str(port), str(control_port))
    async with (
        serving(arguments, port=port, log=folder / "log", env={}, python=python) as pid,
        socket_clients(folder / "clients.log") as clients,
    ):
        yield SocketServer(pid=pid, port=port, control_port=control_port, clients=clients, say=_HELLO)
