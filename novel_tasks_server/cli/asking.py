"""`novel-tasks why`: why a task is where it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import click
from attrs import evolve

from novel_tasks_core import ConfigError, EngineConfig, Processors, TaskEngine, parse_task_id
from novel_tasks_server.cli.console import ExamplesCommand, printable
from novel_tasks_server.cli.settings import server_url, setting_values
from novel_tasks_server.client import Client
from novel_tasks_server.schemas.views import encode
from novel_tasks_server.schemas.why import WhyView


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks why task-0192...", "ask the server of this machine"),
        ("novel-tasks why task-0192... --json", "with all the facts, for scripts"),
        ("novel-tasks why task-0192... --database", "ask the database itself: no server needs to run"),
    ),
)
@click.argument("task_id", metavar="TASK")
@click.option("--server", metavar="URL", help="The server.  [default: $NOVEL_TASKS_SERVER or http://127.0.0.1:8000]")
@click.option("--database", is_flag=True, help="Ask the database of DATABASE_URL or DATA_DIR instead of a server.")
@click.option("--json", "as_json", is_flag=True, help="Print everything that is known, as one JSON object.")
def why(task_id: str, server: str | None, database: bool, as_json: bool) -> None:
    """Say why a task runs, waits, or has ended as it has.

    Is its processor paused? Does a worker run it? How many are before it? When is it due? Who runs it,
    since when, and when was that worker last heard? Why did it fail, and how often may it still?
    """
    if database and server is not None:
        raise click.UsageError("--server and --database exclude each other")
    values = setting_values({"NOVEL_TASKS_SERVER": server})
    found = asyncio.run(_ask_database(values, task_id) if database else _ask_server(server_url(values), task_id))
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else _told(found))


async def _ask_server(url: str, task_id: str) -> dict[str, Any]:
    async with Client(url) as client:
        return await client.why(task_id)


async def _ask_database(values: Mapping[str, str], task_id: str) -> dict[str, Any]:
    """Open an engine that runs nothing, and changes no schema, for one question."""
    wanted = parse_task_id(task_id)
    config = evolve(EngineConfig.from_env(values), pool_size=2, pool_overflow=0)
    if config.database_url is None and not (config.data_dir / "postgres").is_dir():
        raise ConfigError("DATA_DIR", f"there is no database in {config.data_dir}, and DATABASE_URL is not set")
    processors = Processors.builtin()
    processors.load_entry_points()
    async with TaskEngine.open(config, processors=processors, migrate=False) as engine:
        found: dict[str, Any] = json.loads(encode(WhyView.of(await engine.explain(wanted))))
        return found


def _told(found: Mapping[str, Any]) -> str:
    return printable(f"{found.get('task_id')} {found.get('status')}: {found.get('explanation')}")
