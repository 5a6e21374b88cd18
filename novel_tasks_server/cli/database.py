"""`novel-tasks migrate`: the schema of the database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import click

from novel_tasks_core import EngineConfig, Migration, TaskEngine
from novel_tasks_server.cli.console import ExamplesCommand, say
from novel_tasks_server.cli.settings import setting_values


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks migrate", "bring the database of these settings up to date"),
        ("novel-tasks migrate --dry-run", "say what that would apply to it"),
        ("novel-tasks migrate --sql | less", "read what that does; touches no database"),
    ),
)
@click.option("--sql", is_flag=True, help="Print all migrations instead; touches no database.")
@click.option("--dry-run", is_flag=True, help="Say which migrations the database lacks; change nothing.")
@click.option("--database-url", metavar="URL", help="The database.  [default: $DATABASE_URL or the embedded one]")
def migrate(sql: bool, dry_run: bool, database_url: str | None) -> None:
    """Bring the database's schema up to date.

    A database that is up to date stays as it is. `serve` and `worker` do this by themselves when they
    start. Several at once wait for each other.
    """
    if sql:
        click.echo("\n".join(f"-- {_name(one)}\n{one.sql}" for one in TaskEngine.migrations()))
        return
    config = EngineConfig.from_env(setting_values({"DATABASE_URL": database_url}))
    found = asyncio.run(TaskEngine.migrate(config, dry_run=dry_run))
    _list("Would apply" if dry_run else "Applied", found)
    if not (dry_run and found):
        say("The schema is up to date.")


def _list(what: str, migrations: Iterable[Migration]) -> None:
    for one in migrations:
        say(f"{what} {_name(one)}.")


def _name(migration: Migration) -> str:
    return f"{migration.number:04}_{migration.name}"
