"""Which peers there are: their programs, and their best settings."""

from __future__ import annotations

from pathlib import Path

from benchmarks.harness.peers.environments import (
    PeerMissingError,
    interpreter,
    node,
    node_environment,
    python_environment,
)
from benchmarks.harness.peers.peer import Peer
from benchmarks.harness.peers.process import PeerError
from benchmarks.harness.run import BenchmarkSkippedError, Run

_PROGRAMS = Path(__file__).with_name("programs")


async def installed(run: Run) -> tuple[dict[Peer, str], list[str]]:
    """Return the peers that can be had with their versions, and why others cannot.

    Raises: BenchmarkSkippedError when there is none.
    """
    found: dict[Peer, str] = {}
    missing: list[str] = []
    for names, environment, made in (
        ("pgqueuer, procrastinate, SAQ", python_environment, python_peers),
        ("graphile-worker", node_environment, node_peers),
    ):
        try:
            peers = made(await environment())
        except PeerMissingError as exc:
            missing.append(f"{names}: {exc}")
            continue
        for peer in peers:
            try:
                found[peer] = await peer.version(run)
            except PeerError as exc:
                missing.append(f"{peer.name}: {exc}")
    if not found:
        raise BenchmarkSkippedError("; ".join(missing))
    return found, missing


def python_peers(environment: Path) -> list[Peer]:
    """Return the peers written in Python, at their best settings."""

    def command(name: str) -> tuple[str, ...]:
        return (str(interpreter(environment)), "-P", "-m", f"benchmarks.harness.peers.programs.{name}")

    return [
        Peer(
            name="pgqueuer",
            command=command("pgqueuer"),
            settings={"batch": 1000, "pool": 4, "chunk": 5000, "submit_pool": 10},
            unfinished="select count(*) from pgqueuer",
        ),
        Peer(
            name="procrastinate",
            command=command("procrastinate"),
            settings={"slots": 20, "pool": 20, "delete_jobs": "always", "chunk": 5000, "submit_pool": 5},
            unfinished="select count(*) from procrastinate_jobs where status in ('todo', 'doing')",
            slow=True,
        ),
        Peer(
            name="SAQ",
            command=command("saq"),
            settings={"slots": 100, "pool": 20, "submit_pool": 20},
            unfinished="select count(*) from saq_jobs where status in ('queued', 'active')",
            slow=True,
            has_bulk=False,
        ),
    ]


def node_peers(environment: Path) -> list[Peer]:
    """Return the peer written in JavaScript, at its best settings."""
    return [
        Peer(
            name="graphile-worker",
            command=(str(node(environment)), str(_PROGRAMS / "graphile_worker.mjs"), str(environment)),
            settings={"slots": 24, "pool": 25, "queue": 10_000, "chunk": 5000, "submit_pool": 50},
            unfinished="select count(*) from graphile_worker._private_jobs",
        )
    ]
