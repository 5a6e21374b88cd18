"""`novel-tasks migrate`: the schema of the database."""

from __future__ import annotations

import asyncio
from importlib.resources import files

import click

from novel_tasks_core import EngineConfig, TaskEngine
from novel_tasks_server.cli.console import ExamplesCommand, say
from novel_tasks_server.cli.settings import setting_values


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks migrate", "bring the database of these settings up to date"),
        ("novel-tasks migrate --sql | less", "read what that does; touches no database"),
    ),
)
@click.option("--sql", is_flag=True, help="Print the migrations instead of applying them.")
@click.option("--database-url", metavar="URL", help="The database.  [default: $DATABASE_URL or the embedded one]")
def migrate(sql: bool, database_url: str | None) -> None:
    """Bring the database's schema up to date.

    A database that is up to date stays as it is. `serve` and `worker` do this by themselves when they
    start. Several at once wait for each other.
    """
    if sql:
        click.echo(_migrations())
        return
    asyncio.run(_migrate(EngineConfig.from_env(setting_values({"DATABASE_URL": database_url}))))
    say("The schema is up to date.")


def _migrations() -> str:
    """Return the text of all migrations, each under its name."""
    folder = files("novel_tasks_core") / "storage" / "migrations"
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return "\n".join(f"-- {file.name}\n{file.read_text(encoding='utf-8')}" for file in found)


async def _migrate(config: EngineConfig) -> None:
    async with TaskEngine.open(config):
        pass  # opening migrates
