"""Explaining statements as the engine runs them, and reading the plans."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from attrs import frozen

from ..core.support import Db

BIG = {"tasks", "task_ready", "task_schedule", "task_events", "task_attempts", "task_keys", "files"}
"""Tables that grow with the number of tasks."""


@frozen
class Step:
    """One node of a plan: how many rows it gave and threw away, all loops together."""

    kind: str
    relation: str
    given: float
    removed: float

    @property
    def handled(self) -> float:
        """How many rows went through it."""
        return self.given + self.removed


@frozen
class Explained:
    """A plan that was run, and how many pages it touched."""

    steps: tuple[Step, ...]
    pages: int

    @property
    def found(self) -> float:
        """How many rows the statement gave."""
        return self.steps[0].given

    def check(self, what: object, *, most_rows: float, most_pages: int) -> None:
        """Fail when a big table is read from end to end, or more is handled than the statement has to."""
        scans = [s for s in self.steps if s.kind == "Seq Scan" and s.relation in BIG and s.handled > most_rows]
        assert not scans, (what, scans)
        large = [s for s in self.steps if s.handled > most_rows]
        assert not large, (what, large)
        assert self.pages <= most_pages, (what, self.pages, self.steps)


def steps_of(plan: dict[str, Any]) -> Iterator[Step]:
    """Walk through a plan."""
    loops = plan["Actual Loops"]
    removed = sum(plan.get(f"Rows Removed by {what}", 0) for what in ("Filter", "Index Recheck", "Join Filter"))
    yield Step(plan["Node Type"], plan.get("Relation Name", ""), plan["Actual Rows"] * loops, removed * loops)
    for inner in plan.get("Plans", ()):
        yield from steps_of(inner)


def literal(value: Any, type_name: str) -> str:
    """Write a parameter as SQL."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return f"array[{','.join(literal(one, '') for one in value)}]::{type_name}"
    text = f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)
    quoted = "'" + text.replace("'", "''") + "'"
    return f"{quoted}::{type_name}" if type_name else quoted


class Statement:
    """A statement that a connection has prepared, as drivers do, with the parameters to explain it with."""

    def __init__(self, name: str, text: str, args: Sequence[Any] = ()) -> None:
        self.name = name
        self.text = text
        self.args = args
        self._call = ""

    async def prepare(self, connection: Db) -> None:
        """Prepare it by name."""
        types = [t.name for t in (await connection.prepare(self.text)).get_parameters()]
        types = [f"{t.removesuffix('[]').removeprefix('_')}[]" if t.endswith("[]") or t[0] == "_" else t for t in types]
        declared = f" ({', '.join(types)})" if types else ""
        await connection.execute(f'prepare "{self.name}"{declared} as {self.text}')
        values = ", ".join(literal(value, type_) for value, type_ in zip(self.args, types, strict=True))
        self._call = f'execute "{self.name}"' + (f" ({values})" if types else "")

    async def explain(self, connection: Db) -> Explained:
        """Run it, undo it, and return what it did."""
        transaction = connection.transaction()
        await transaction.start()
        try:
            found = await connection.fetchval(f"explain (analyze, buffers, timing off, format json) {self._call}")
        finally:
            await transaction.rollback()
        plan = json.loads(found)[0]["Plan"]
        return Explained(tuple(steps_of(plan)), plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


async def explain(connection: Db, text: str, args: Sequence[Any] = ()) -> Explained:
    """Prepare and explain a statement once, inside a transaction that the caller may have open."""
    statement = Statement("once", text, args)
    await statement.prepare(connection)
    try:
        return await statement.explain(connection)
    finally:
        await connection.execute("deallocate once")
