"""`novel-tasks why`: why a task is where it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import click

from novel_tasks_core import ConfigError, EngineConfig, Processors, TaskEngine, parse_task_id
from novel_tasks_server.cli.completing import complete_tasks
from novel_tasks_server.cli.console import ExamplesCommand, printable
from novel_tasks_server.cli.remote import Server, chosen_server, server_options, whole_id
from novel_tasks_server.cli.settings import for_one_question, setting_values
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
@click.argument("task_id", metavar="TASK", shell_complete=complete_tasks)
@server_options
@click.option("--database", is_flag=True, help="Ask the database of DATABASE_URL or DATA_DIR instead of a server.")
@click.option("--json", "as_json", is_flag=True, help="Print everything that is known, as one JSON object.")
def why(task_id: str, server: str | None, token: str | None, database: bool, as_json: bool) -> None:
    """Say why a task runs, waits, or has ended as it has.

    Is its processor paused? Does a worker run it? How many are before it? When is it due? Who runs it,
    since when, and when was that worker last heard? Why did it fail, and how often may it still? A server
    is satisfied with the beginning of an id that no other task shares.
    """
    if database and server is not None:
        raise click.UsageError("--server and --database exclude each other")
    asking = (
        _ask_database(setting_values(), task_id) if database else _ask_server(chosen_server(server, token), task_id)
    )
    found = asyncio.run(asking)
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else _told(found))


async def _ask_server(server: Server, task_id: str) -> dict[str, Any]:
    async with server.client() as client:
        return await client.why(await whole_id(client, task_id))


async def _ask_database(values: Mapping[str, str], task_id: str) -> dict[str, Any]:
    """Open an engine that runs nothing, and changes no schema, for one question."""
    wanted = parse_task_id(task_id)
    config = for_one_question(EngineConfig.from_env(values))
    if config.database_url is None and not (config.data_dir / "postgres").is_dir():
        raise ConfigError("DATA_DIR", f"there is no database in {config.data_dir}, and DATABASE_URL is not set")
    processors = Processors.builtin()
    processors.load_entry_points()
    async with TaskEngine.open(config, processors=processors, migrate=False) as engine:
        found: dict[str, Any] = json.loads(encode(WhyView.of(await engine.explain(wanted))))
        return found


def _told(found: Mapping[str, Any]) -> str:
    return printable(f"{found.get('task_id')} {found.get('status')}: {found.get('explanation')}")
