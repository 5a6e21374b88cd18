"""`novel-tasks prune`: delete what finished long ago, beside any server that uses the database."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

import click
from attrs import frozen

from novel_tasks_core import ConfigError, EngineConfig, TaskEngine, TaskStatus
from novel_tasks_server.cli.ages import parse_age
from novel_tasks_server.cli.console import ExamplesCommand, ExitCode, say
from novel_tasks_server.cli.settings import for_one_question, setting_values

_FINAL = [status for status in TaskStatus if status.is_final]
_DAY = timedelta(days=1)


def _age(ctx: click.Context, param: click.Parameter, value: str | None) -> timedelta | None:
    """Read an age such as 12h, 30d or 8w."""
    if value is None:
        return None
    try:
        age = parse_age(value)
    except OverflowError:
        age = None
    if age is None:
        raise click.BadParameter(f"{value!r} is no age: write it as 12h, 30d or 8w.", ctx=ctx, param=param)
    return age


@frozen(kw_only=True)
class _Plan:
    """What is deleted: tasks in these statuses, by their retention or by an age in days."""

    days: float | None
    statuses: list[TaskStatus]
    dry_run: bool
    sure: bool
    as_json: bool

    def told(self, count: int, config: EngineConfig) -> str:
        """Say how many tasks there are, and which are meant."""
        noun = "task" if count == 1 else "tasks"
        if self.days is not None:
            kinds = "" if len(self.statuses) == len(_FINAL) else f"{' or '.join(self.statuses)} "
            return f"{count:,} {kinds}{noun} that ended more than {_days(self.days)} ago"
        kept = (f"{status} after {_days(config.retention_of(status))}" for status in self.kept(config))
        return f"{count:,} {noun} whose retention is over ({', '.join(kept)})"

    def kept(self, config: EngineConfig) -> list[TaskStatus]:
        """Return the statuses that have a retention."""
        return [status for status in self.statuses if config.retention_of(status) is not None]


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks prune --dry-run", "count what the retention settings would delete"),
        ("novel-tasks prune --older-than 30d --status failed", "failed tasks that ended a month ago"),
        ("novel-tasks prune --older-than 52w --yes", "ask nothing, for scripts"),
    ),
)
@click.option("--older-than", callback=_age, metavar="AGE", help="Ended so long ago.  [default: by RETENTION_DAYS]")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([status.value for status in _FINAL]),
    help="Only tasks that ended so, any number of times.  [default: all that ended]",
)
@click.option("--dry-run", is_flag=True, help="Only count; delete nothing.")
@click.option("-y", "--yes", "sure", is_flag=True, help="Do not ask.")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="As for `serve`.")
@click.option("--database-url", metavar="URL", help="As for `serve`.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object with the count.")
def prune(
    older_than: timedelta | None,
    statuses: tuple[str, ...],
    dry_run: bool,
    sure: bool,
    data_dir: Path | None,
    database_url: str | None,
    as_json: bool,
) -> int:
    """Delete tasks that finished long ago, with all that they made.

    Works on the database itself, beside any server. Tasks that wait or run are never touched. On a terminal
    it says how many it would delete, and asks; anywhere else it wants --yes. Workers do the same by
    themselves every ten minutes if RETENTION_DAYS is set. What is deleted is gone for good; the space of
    files that no other task needs is free within the hour.
    """
    config = EngineConfig.from_env(setting_values({"DATA_DIR": data_dir, "DATABASE_URL": database_url}))
    plan = _Plan(
        days=older_than / _DAY if older_than is not None else None,
        statuses=[TaskStatus(status) for status in statuses] or _FINAL,
        dry_run=dry_run,
        sure=sure,
        as_json=as_json,
    )
    _require_sense(plan, config)
    return _prune(plan, config)


def _require_sense(plan: _Plan, config: EngineConfig) -> None:
    """Refuse what would delete nothing for want of a rule, and what nobody could be asked about."""
    if plan.days is None and not plan.kept(config):
        raise click.UsageError("nothing says how old is too old: add --older-than 30d, or set RETENTION_DAYS.")
    if not (plan.sure or plan.dry_run or sys.stdin.isatty()):
        raise click.UsageError("nobody can be asked here: add --yes, or --dry-run to count only.")
    if config.database_url is None and not (config.data_dir / "postgres").is_dir():
        raise ConfigError("DATA_DIR", f"there is no database in {config.data_dir}, and DATABASE_URL is not set")


def _prune(plan: _Plan, config: EngineConfig) -> int:
    """Count, ask unless nobody needs to be asked, delete."""
    if plan.dry_run or not plan.sure:
        count = asyncio.run(_on_database(config, plan, dry_run=True))
        if plan.dry_run or count == 0:
            return _told(count, "Would delete", plan, config)
        if not _confirmed(f"Delete {plan.told(count, config)}, for good?"):
            say("Nothing was deleted.")
            return ExitCode.FAILURE
    return _told(asyncio.run(_on_database(config, plan, dry_run=False)), "Deleted", plan, config)


def _confirmed(question: str) -> bool:
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        say("")  # the question stands on the line
        raise


async def _on_database(config: EngineConfig, plan: _Plan, *, dry_run: bool) -> int:
    """Delete or count."""
    count = 0
    async with TaskEngine.open(for_one_question(config), migrate=False) as engine:
        for status in plan.statuses:
            days = config.retention_of(status) if plan.days is None else plan.days
            if days is not None:
                count += await engine.prune(older_than_days=days, statuses=[status], dry_run=dry_run)
    return count


def _told(count: int, what: str, plan: _Plan, config: EngineConfig) -> int:
    if plan.as_json:
        click.echo(json.dumps({"matched": count, "deleted": 0 if plan.dry_run else count}))
    say(f"{what} {plan.told(count, config)}.")
    return ExitCode.OK


def _days(days: float | None) -> str:
    return f"{days:g} day{'' if days == 1 else 's'}"
