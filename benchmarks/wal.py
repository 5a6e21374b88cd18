"""How many bytes a task writes to the write-ahead log, from its submit to its end.

`wal.bytes`: bytes of log a task, with its row, result and two events kept, in 50 waves of a hundred no-op
tasks that are submitted, claimed and finished together. The limit is 1,600. `wal.bytes_single` is the same
for 200 tasks that come one by one; it has no limit.

Counts: what of it each statement logs (`wal.submit`, `wal.claim`, `wal.finish`, each also with `_single`).
A transaction is known by what it does to which table, so nothing is missed that a statement does besides.

Full-page images are left out, since they depend on when the last checkpoint was, and transactions that the
clock alone sets off: those that touch no table of tasks. Autovacuum is off.

`python -m benchmarks.wal` prints what was logged by statement, table or index, and kind of record.

`--quick`: changes nothing.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from attrs import frozen

from benchmarks.harness.costs import Records, log_of, still
from benchmarks.harness.machine import runner
from benchmarks.harness.noops import NO_POLLS, noop_engine, wave
from benchmarks.harness.results import Better, Result, count, limited
from benchmarks.harness.run import Benchmark, Run, server

LIMIT_BYTES = 1_600

_WAVES = (("", 50, 100), ("_single", 200, 1))
_STATEMENTS = ("submit", "claim", "finish")
_CLOCKED = ("workers", "maintenance", "task_counts")


@frozen
class Logged:
    """What some tasks logged, by statement. `suffix` is that of the metrics."""

    suffix: str
    tasks: int
    records: tuple[tuple[str, Records], ...]

    def bytes(self, *statements: str) -> float:
        """Return the bytes a task, of these statements or of all."""
        return sum(r.bytes for s, r in self.records if not statements or s in statements) / self.tasks


async def measure(run: Run) -> list[Result]:
    """Count the bytes."""
    waves, singles = await _logged(run)
    total = limited("wal.bytes", waves.bytes(), unit="B/task", limit=LIMIT_BYTES)
    single = Result(metric="wal.bytes_single", value=singles.bytes(), unit="B/task", better=Better.LOWER)
    return [total, single, *_counts(waves), *_counts(singles)]


def _counts(logged: Logged) -> Iterable[Result]:
    for statement in _STATEMENTS:
        metric = f"wal.{statement}{logged.suffix}"
        yield count(metric, logged.bytes(statement), unit="B/task", depends_on=["postgresql"])


async def _logged(run: Run) -> list[Logged]:
    async with (
        run.database() as url,
        log_of(url) as log,
        noop_engine(run, url, poll_seconds=NO_POLLS) as (engine, counter),
        engine.worker(concurrency=100),
    ):
        await still(url)
        logged = []
        for suffix, waves, size in _WAVES:
            await wave(engine, counter, tasks=size)  # connects, prepares
            await log.begin()
            for _ in range(waves):
                await wave(engine, counter, tasks=size)
            logged.append(Logged(suffix, waves * size, tuple(by_statement(await log.records()))))
        return logged


def by_statement(records: Sequence[Records]) -> Iterable[tuple[str, Records]]:
    """Return records, each with the statement that its transaction is, or "other"; the clock's are left out."""
    transactions = defaultdict(list)
    for one in records:
        transactions[one.transaction].append(one)
    for transaction, its in transactions.items():
        statement = _statement(its)
        if statement != "other" or transaction == 0 or not _is_clocked(its):
            yield from ((statement, one) for one in its)


def _statement(its: Sequence[Records]) -> str:
    if any(one.relation == "tasks" and "INSERT" in one.kind for one in its):
        return "submit"
    if any(one.relation == "task_ready" and "DELETE" in one.kind for one in its):
        return "claim"
    if any(one.relation == "tasks" and "UPDATE" in one.kind for one in its):
        return "finish"
    return "other"


def _is_clocked(its: Sequence[Records]) -> bool:
    return all(one.relation.startswith(_CLOCKED) for one in its if one.relation)


def table(logged: Logged) -> str:
    """Return what was logged as text, the most expensive first within each statement."""
    found: defaultdict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for statement, one in logged.records:
        found[statement, one.relation, one.kind].update(records=one.records, bytes=one.bytes)
    lines = [f"{logged.tasks:,} tasks, {logged.bytes():,.0f} bytes a task", "", f"{'records':>72}{'bytes a task':>14}"]
    for statement in (*_STATEMENTS, "other"):
        lines.append(f"{statement:64}{logged.bytes(statement):22.1f}")
        rows = [(key, sums) for key, sums in found.items() if key[0] == statement]
        for (_, relation, kind), sums in sorted(rows, key=lambda row: -row[1]["bytes"]):
            each = f"{sums['records'] / logged.tasks:8.3f}{sums['bytes'] / logged.tasks:14.1f}"
            lines.append(f"  {relation:32}{kind:30}{each}")
    return "\n".join(lines)


async def _print(folder: Path) -> None:
    async with server(folder) as url:
        for logged in await _logged(Run(quick=False, server_url=url, folder=folder)):
            print(table(logged), end="\n\n")


def main() -> None:
    """Print what is logged."""
    with tempfile.TemporaryDirectory(prefix="nt-bench-") as made, runner() as loop:
        Path(made).chmod(0o755)  # as in a run
        loop.run(_print(Path(made)))


BENCHMARK = Benchmark("wal", measure)

if __name__ == "__main__":
    main()
