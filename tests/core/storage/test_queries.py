"""The named statements: each fits the schema, says what it does, and is used."""

from __future__ import annotations

import re
from pathlib import Path

import asyncpg
import pytest

import novel_tasks_core.storage
from novel_tasks_core.storage.queries import load_queries, query_files

STORAGE = Path(novel_tasks_core.storage.__file__).parent
NAMED = [(file, name) for file in query_files() for name in load_queries(file)]


async def test_every_statement_fits_the_schema(db: asyncpg.Connection[asyncpg.Record]) -> None:
    """The server prepares all of them: tables, columns and types are right."""
    for file, name in NAMED:
        try:
            await db.prepare(load_queries(file)[name])
        except asyncpg.PostgresError as exc:
            pytest.fail(f"{file}.{name}: {exc}")


@pytest.mark.parametrize("file", query_files())
def test_every_statement_is_named_once_and_explained(file: str) -> None:
    """Each name stands once in its file, with a comment that says what the statement does."""
    text = (STORAGE / "sql" / f"{file}.sql").read_text(encoding="utf-8")
    names = re.findall(r"^-- name: ([a-z_]+)$", text, re.MULTILINE)
    assert len(names) == len(set(names)) == len(load_queries(file))
    assert all(body.startswith("-- ") for body in load_queries(file).values())


def test_every_statement_is_used() -> None:
    """No statement stands there that no code names."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in STORAGE.glob("*.py"))
    invariants = {"location_faults", "count_faults"}  # for tests and operators
    unused = [(file, name) for file, name in NAMED if f'"{name}"' not in code and name not in invariants]
    assert unused == []


def test_statements_cannot_be_changed_by_their_users() -> None:
    """What is read once for all is read only."""
    with pytest.raises(TypeError):
        load_queries("queue")["claim"] = "select 1"  # type: ignore[index]
