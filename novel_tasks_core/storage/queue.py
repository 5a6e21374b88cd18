"""The queue: claims, and the ends of attempts, each a statement for many tasks at once.

Every write of a worker names (task, worker, attempt). What no longer holds its lease is left out of
the answer and changes nothing: that is the fence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import asyncpg
from attrs import Factory, define, frozen

from novel_tasks_core.conversion import result_json
from novel_tasks_core.errors import InvalidInputError
from novel_tasks_core.models import (
    Cancelled,
    Claim,
    ErrorInfo,
    Failed,
    OutcomeKind,
    Released,
    Retrying,
    Source,
    TaskId,
    WorkerId,
)
from novel_tasks_core.storage.database import Link
from novel_tasks_core.storage.endings import (
    Ending,
    Recording,
    event_columns,
    finish_columns,
    make_ending,
    postpone_columns,
)
from novel_tasks_core.storage.queries import load_queries

PROMOTE_BATCH = 1000


@frozen
class Lane:
    """The queue of one processor. `timeout_seconds` is its default."""

    id: int
    processor: str
    timeout_seconds: float


class Head(NamedTuple):
    """Ready tasks of one (lane, priority), from `position` on."""

    lane: int
    priority: int
    position: int


@frozen
class Ended:
    """What a flush stored: the last seq of every attempt that still held its lease, and tasks that are ready again.

    `instead` has the ends that were stored in place of those that were given, `confirmed` what an earlier
    flush had stored, in one way or the other.
    """

    last_seq: Mapping[TaskId, int]
    heads: tuple[Head, ...] = ()
    instead: Mapping[TaskId, Ending] = Factory(dict)
    confirmed: frozenset[TaskId] = frozenset()


@define
class _Flush:
    """A flush on its way: who holds the leases and who ends them, and what was stored so far."""

    holder: WorkerId
    finisher: WorkerId
    last_seq: dict[TaskId, int] = Factory(dict)
    heads: list[Head] = Factory(list)
    instead: dict[TaskId, Ending] = Factory(dict)


def _cancelled(ending: Ending, reason: str) -> Ending:
    """Return the end of an attempt that would have run again, had nobody cancelled its task."""
    kind = ending.kind if ending.kind is OutcomeKind.LOST else None
    return make_ending(
        ending.task_id,
        Cancelled(reason=reason or "cancelled"),
        attempt=ending.attempt,
        at=ending.finished_at,
        before=ending.before,
        kind=kind,
        started_at=ending.started_at,
    )


class Queue:
    """Claims and ends attempts over two links, so that neither waits for the other."""

    def __init__(self, *, claims: Link, flushes: Link) -> None:
        self._claims = claims
        self._flushes = flushes
        self._sql = load_queries("queue")

    async def lanes(self) -> dict[str, tuple[int, bool]]:
        """Return the id of every lane, and whether it is paused, by processor."""
        rows = await self._claims.fetch(self._sql["lanes"])
        return {row["processor"]: (row["id"], row["paused"]) for row in rows}

    async def make_lane(self, processor: str) -> int:
        """Return the id of a processor's lane, made now if need be."""
        while (lane := await self._claims.fetchval(self._sql["make_lane"], processor)) is None:
            pass  # another process makes it at this moment: only the next statement sees it
        return int(lane)

    async def pause(self, processor: str, *, paused: bool) -> bool:
        """Stop or allow claims of a processor's tasks, in all workers; say whether there is a lane of that name."""
        return bool(await self._claims.fetch(self._sql["pause_lane"], processor, paused))

    async def heads(self, lanes: Sequence[int]) -> list[Head]:
        """Return where the ready tasks of these lanes begin, highest priority first."""
        rows = await self._claims.fetch(self._sql["ready_heads"], lanes)
        return [Head(row["lane"], row["priority"], row["position"]) for row in rows]

    async def claim(
        self, heads: Sequence[Head], *, lanes: Mapping[int, Lane], most: Mapping[int, int], worker_id: WorkerId
    ) -> list[tuple[Claim, Head]]:
        """Take ready tasks in the order of `heads`, of each lane `most`, and of all the highest of these.

        Returns each with the place it came from.
        """
        rows = await self._claims.fetch(
            self._sql["claim"],
            [h.lane for h in heads],
            [h.priority for h in heads],
            [h.position for h in heads],
            [lanes[h.lane].timeout_seconds for h in heads],
            max(most.values()),
            worker_id,
            [most[h.lane] for h in heads],
        )
        return [(_claim(row, lanes), Head(*row[:3])) for row in rows]

    async def leases(self, worker_id: WorkerId) -> list[tuple[TaskId, int]]:
        """Return the (task, attempt) of every lease that a worker holds."""
        rows = await self._claims.fetch(self._sql["leases"], worker_id)
        return [(TaskId(row["task_id"]), row["attempt"]) for row in rows]

    async def promote(self) -> tuple[list[Head], int]:
        """Make due tasks ready; return where they stand, and how many they are."""
        rows = await self._claims.fetch(self._sql["promote"], PROMOTE_BATCH)
        heads = [Head(row["lane"], row["priority"], row["position"]) for row in rows]
        return heads, sum(row["tasks"] for row in rows)

    async def end(self, endings: Sequence[Ending], *, holder: WorkerId, finisher: WorkerId) -> Ended:
        """Commit outcomes of attempts held by `holder`. `finisher` is who says so: the holder, or its rescuer.

        A value that the database refuses fails only its own task: the batch is split until it stands alone.
        An attempt that would run again but whose task is to be cancelled ends as cancelled.

        Raises: DatabaseUnavailableError, after which `confirm` tells what was stored all the same.
        """
        again = [e for e in endings if isinstance(e.outcome, Retrying | Released)]
        final = [e for e in endings if not isinstance(e.outcome, Retrying | Released)] if again else endings
        flush = _Flush(holder, finisher)
        await self._end_part(flush, "finish", finish_columns, final)
        await self._end_part(flush, "postpone", postpone_columns, again)
        if missing := [e for e in again if e.task_id not in flush.last_seq]:
            await self._end_cancelled(flush, missing)
        return Ended(flush.last_seq, tuple(flush.heads), flush.instead)

    async def _end_part(self, flush: _Flush, query: str, columns: Any, part: Sequence[Ending]) -> None:
        if not part:
            return
        try:
            rows = await self._flushes.fetch(self._sql[query], *columns(part, flush.holder, flush.finisher))
        except InvalidInputError as exc:
            if len(part) == 1:
                await self._refused(flush, part[0], exc)
                return
            half = len(part) // 2
            await self._end_part(flush, query, columns, part[:half])
            await self._end_part(flush, query, columns, part[half:])
            return
        if query == "finish":
            flush.last_seq.update((row[0], row[1]) for row in rows)
            return
        for row in rows:
            flush.last_seq[TaskId(row["id"])] = row["last_seq"]
            if row["position"] is not None:
                flush.heads.append(Head(row["lane"], row["priority"], row["position"]))

    async def _refused(self, flush: _Flush, ending: Ending, exc: InvalidInputError) -> None:
        """Store, instead of an outcome that the database will not take, that it would not."""
        if ending.task_id in flush.instead:
            raise exc
        details = {"field": exc.field, "reason": exc.reason}
        error = ErrorInfo("InvalidInputError", str(exc), permanent=True, details=details)
        plain = make_ending(ending.task_id, Failed(error=error), attempt=ending.attempt, at=ending.finished_at)
        flush.instead[ending.task_id] = plain
        await self._end_part(flush, "finish", finish_columns, [plain])

    async def _end_cancelled(self, flush: _Flush, missing: Sequence[Ending]) -> None:
        """End those as cancelled that were left out because their task is to be cancelled."""
        ids, attempts = [e.task_id for e in missing], [e.attempt for e in missing]
        rows = await self._flushes.fetch(self._sql["asked_to_cancel"], flush.holder, ids, attempts)
        reasons = {row["id"]: row["cancel_reason"] for row in rows}
        endings = [_cancelled(e, reasons[e.task_id]) for e in missing if e.task_id in reasons]
        flush.instead.update((e.task_id, e) for e in endings)
        await self._end_part(flush, "finish", finish_columns, endings)

    async def confirm(self, endings: Sequence[Ending], *, finisher: WorkerId) -> Ended:
        """Tell which of these ends were stored by a flush whose answer was lost."""
        ids, attempts = [e.task_id for e in endings], [e.attempt for e in endings]
        rows = await self._flushes.fetch(self._sql["finished_by"], finisher, ids, attempts)
        last_seq = {TaskId(row["id"]): row["last_seq"] for row in rows}
        return Ended(last_seq, confirmed=frozenset(last_seq))

    async def record(self, recordings: Sequence[Recording], *, worker_id: WorkerId) -> Ended:
        """Store events of running attempts; those missing from the answer have lost their lease."""
        rows = await self._flushes.fetch(
            self._sql["record"],
            worker_id,
            [r.task_id for r in recordings],
            [r.attempt for r in recordings],
            [len(r.events) for r in recordings],
            *event_columns(recordings),
        )
        return Ended({TaskId(row["id"]): row["last_seq"] for row in rows})

    async def recorded(self, held: Sequence[tuple[TaskId, int]]) -> dict[TaskId, tuple[int, int]]:
        """Return how many events of these attempts are stored, and the last seq of them; none where none is."""
        ids, attempts = [task_id for task_id, _ in held], [attempt for _, attempt in held]
        rows = await self._flushes.fetch(self._sql["recorded"], ids, attempts)
        return {TaskId(row["task_id"]): (row["events"], row["last_seq"]) for row in rows}

    async def progress(self, latest: Iterable[tuple[TaskId, int, float, str]], *, worker_id: WorkerId) -> None:
        """Write (task, attempt, fraction, stage) into the leases that still hold."""
        columns = list(zip(*latest, strict=True))
        await self._flushes.fetch(self._sql["progress"], worker_id, *map(list, columns))

    async def checkpoint(self, task_id: TaskId, attempt: int, value: Any, *, worker_id: WorkerId) -> bool:
        """Store a checkpoint, and say whether the attempt still held its lease."""
        stored = await self._flushes.fetch(self._sql["checkpoint"], task_id, worker_id, attempt, result_json(value))
        return bool(stored)


def _claim(row: asyncpg.Record, lanes: Mapping[int, Lane]) -> Claim:
    lane, _, _, task_id, attempt, failures, max_attempts, timeout_seconds = row[:8]
    started_at, last_seq, options, extra_data, checkpoint, sha256, size, name = row[8:]
    return Claim(
        task_id=task_id,
        attempt=attempt,
        processor=lanes[lane].processor,
        source=None if sha256 is None else Source(sha256.hex(), size, name),
        max_attempts=max_attempts,
        failures=failures,
        timeout_seconds=timeout_seconds,
        started_at=started_at,
        last_seq=last_seq,
        options_json=options,
        extra_json=extra_data,
        checkpoint_json=checkpoint,
    )
