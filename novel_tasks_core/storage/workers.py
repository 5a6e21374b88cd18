"""The register of workers: their heartbeats, and the leases of those that stopped beating."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

import asyncpg
from attrs import frozen

from novel_tasks_core.models import TaskId, WorkerId, WorkerInfo
from novel_tasks_core.storage.database import Database, Link
from novel_tasks_core.storage.queries import load_queries


@frozen
class Orphan:
    """A lease that nobody renews."""

    task_id: TaskId
    attempt: int
    worker_id: WorkerId
    processor: str
    failures: int
    max_attempts: int | None
    started_at: datetime


@frozen
class Flags:
    """What a worker learns about its leases: attempts to cancel, each with the reason, and leases that are gone."""

    cancel: tuple[tuple[tuple[TaskId, int], str], ...]
    gone: tuple[tuple[TaskId, int], ...]


def serving(worker_id: WorkerId, lanes: Sequence[int]) -> tuple[str, tuple[WorkerId, list[int]]]:
    """Return the statement, and its arguments, by which a connection says that a worker claims from lanes."""
    return load_queries("workers")["serve"], (worker_id, list(lanes))


class Heartbeat:
    """One worker's own line to the register. Used from the heartbeat's thread, on a link of its own."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._sql = load_queries("workers")

    async def beat(self, worker_id: WorkerId, *, draining: bool) -> bool:
        """Renew every lease of the worker; False when it was declared dead."""
        state = "draining" if draining else "running"
        return bool(await self._link.fetch(self._sql["beat"], worker_id, state))

    async def flags(self, worker_id: WorkerId, held: Sequence[tuple[TaskId, int]]) -> Flags:
        """Return what has happened to leases of the worker; `held` are the (task, attempt) it believes in."""
        return _flags(await self._link.fetch(self._sql["flags"], worker_id, *_held_columns(held)))


class Workers:
    """The register as everybody else uses it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries("workers")

    async def register(self, *, name: str, slots: int) -> WorkerId:
        """Register a worker of this process under an id that was never used before."""
        return WorkerId(
            await self._database.fetchval(
                self._sql["register"], name, socket.gethostname(), os.getpid(), _own_version(), slots
            )
        )

    async def retire(self, worker_id: WorkerId) -> None:
        """Take a worker off the register once it holds nothing more."""
        await self._database.execute(self._sql["retire"], worker_id)

    async def flags(self, worker_id: WorkerId, held: Sequence[tuple[TaskId, int]]) -> Flags:
        """Return what has happened to leases of a worker, as its heartbeat would."""
        return _flags(await self._database.fetch(self._sql["flags"], worker_id, *_held_columns(held)))

    async def beats(self) -> dict[WorkerId, datetime]:
        """Return the last heartbeat of every worker, by the database's clock."""
        rows = await self._database.fetch(self._sql["beats"])
        return {WorkerId(row["id"]): row["beat_at"] for row in rows}

    async def bury(self, worker_id: WorkerId, *, beat_at: datetime) -> bool:
        """Declare a worker dead; False when it has beaten since `beat_at`, or somebody else was faster."""
        return await self._database.fetchval(self._sql["bury"], worker_id, beat_at) is not None

    async def orphans(self, *, limit: int) -> list[Orphan]:
        """Return leases whose worker is not registered any more."""
        return [_orphan(row) for row in await self._database.fetch(self._sql["orphans"], limit)]

    async def overdue(self, *, limit: int) -> list[Orphan]:
        """Return leases of outside services that have passed their deadline."""
        return [_orphan(row) for row in await self._database.fetch(self._sql["overdue"], limit)]

    async def list(self) -> list[WorkerInfo]:
        """Return every registered worker."""
        rows = await self._database.fetch(self._sql["list_workers"])
        return [WorkerInfo(**dict(row)) for row in rows]


def _held_columns(held: Sequence[tuple[TaskId, int]]) -> tuple[list[TaskId], list[int]]:
    return [task_id for task_id, _ in held], [attempt for _, attempt in held]


def _flags(rows: Sequence[asyncpg.Record]) -> Flags:
    held = [((TaskId(row["task_id"]), row["attempt"]), row["reason"], row["gone"]) for row in rows]
    return Flags(tuple((h, reason) for h, reason, gone in held if not gone), tuple(h for h, _, gone in held if gone))


def _orphan(row: asyncpg.Record) -> Orphan:
    return Orphan(
        task_id=TaskId(row["task_id"]),
        attempt=row["attempt"],
        worker_id=WorkerId(row["worker_id"]),
        processor=row["processor"],
        failures=row["failures"],
        max_attempts=row["max_attempts"],
        started_at=row["started_at"],
    )


def _own_version() -> str:
    try:
        return version("novel-tasks")
    except PackageNotFoundError:
        return "unknown"
