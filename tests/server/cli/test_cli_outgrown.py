"""A schema that is too new for the program: each command says so in one line, also when it becomes so meanwhile."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import asyncpg
import pytest

from .conftest import Run, clean_environment

AHEAD = (
    "insert into schema_migrations (number, name, checksum, min_compatible)"
    " select max(number) + 1, 'ahead', 'x', max(number) + 1 from schema_migrations"
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection to the database of the test."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.mark.parametrize("command", ["migrate", "worker", "serve"])
async def test_a_schema_that_is_too_new_is_one_line(
    command: str, database: asyncpg.Connection[asyncpg.Record], database_url: str, novel_tasks: Run
) -> None:
    """Exit code 1, a last line that says what to do, and no traceback."""
    await database.execute(AHEAD)
    done = await asyncio.to_thread(novel_tasks, command, "--database-url", database_url)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("upgrade novel-tasks")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["worker"], ["serve", "--port", "0"]], ids=["worker", "serve"])
async def test_a_process_that_is_outgrown_ends_by_itself(
    arguments: list[str],
    database: asyncpg.Connection[asyncpg.Record],
    database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """It stops in good order, so that whoever watches over it can start the next version."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "novel_tasks_server", *arguments, "--database-url", database_url),
        cwd=tmp_path_factory.mktemp("outgrown"),
        env=clean_environment() | {"HEARTBEAT_SECONDS": "0.2"},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60):
            line = b"."
            while line and b"slots;" not in line and b"listening" not in line:
                line = await process.stderr.readline()
            await database.execute(AHEAD)
            _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == 1
    assert said.decode().splitlines()[-1].endswith("upgrade novel-tasks")
    assert "schema_incompatible" in said.decode()
    assert "Traceback" not in said.decode()
    assert await database.fetchval("select count(*) from workers") == 0
