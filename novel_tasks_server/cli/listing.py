"""`novel-tasks list`: the tasks of a server."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

import click
from attrs import frozen

from novel_tasks_core import TaskStatus
from novel_tasks_server.cli.ages import parse_age
from novel_tasks_server.cli.completing import complete_processors
from novel_tasks_server.cli.console import ExamplesCommand, say
from novel_tasks_server.cli.options import json_per
from novel_tasks_server.cli.remote import Server, chosen_server, json_text, server_options
from novel_tasks_server.cli.table import TaskTable
from novel_tasks_server.client import Wanted

_PAGE = 100


def _time(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """Read a time: as in RFC 3339, a date, both local if they name no zone; or an age such as 30m, 2h or 7d."""
    if value is None:
        return None
    try:
        if age := parse_age(value):
            return datetime.now(UTC) - age
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        said = f"{value!r} is no time: write 2026-01-31, 2026-01-31T12:00:00Z, or an age such as 30m, 2h, 7d."
        raise click.BadParameter(said, ctx=ctx, param=param) from None


@frozen(kw_only=True)
class _Plan:
    wanted: Wanted
    sort_by: str
    order: str
    limit: int
    only_ids: bool
    as_json: bool


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks list", "the 20 newest tasks"),
        ("novel-tasks list --status failed --since 2d", "what failed in the last two days"),
        ("novel-tasks list -s 'war and' --json", "by the file's name, for scripts"),
    ),
)
@click.option("--status", type=click.Choice([status.value for status in TaskStatus]), help="Only tasks in this status.")
@click.option("-p", "--processor", metavar="NAME", shell_complete=complete_processors, help="Only of this processor.")
@click.option("-s", "--search", metavar="TEXT", help="Id or file name begins so; *TEXT finds it anywhere in the name.")
@click.option("--owner", metavar="NAME", help="Only tasks of this owner; for admins.")
@click.option(
    "--since", callback=_time, metavar="TIME", help="Uploaded at or after: a time, a date, or an age as in 2h."
)
@click.option("--until", callback=_time, metavar="TIME", help="Uploaded before.")
@click.option(
    "--sort",
    "sort_by",
    type=click.Choice(["uploaded_at", "file_name", "status", "priority"]),
    default="uploaded_at",
    show_default=True,
    help="What to sort by.",
)
@click.option("-r", "--reverse", is_flag=True, help="Smallest or oldest first.")
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    metavar="N",
    help="How many at most; 0 for all.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only the ids.")
@server_options
@json_per("task")
def list(  # the command's name
    status: str | None,
    processor: str | None,
    search: str | None,
    owner: str | None,
    since: datetime | None,
    until: datetime | None,
    sort_by: str,
    reverse: bool,
    limit: int,
    quiet: bool,
    server: str | None,
    token: str | None,
    as_json: bool,
) -> None:
    """List the tasks of a server, the newest first.

    How many there are in all goes to stderr.
    """
    wanted = Wanted(
        status=TaskStatus(status) if status else None,
        processor=processor,
        owner=owner,
        q=search,
        created_after=since,
        created_before=until,
    )
    plan = _Plan(
        wanted=wanted, sort_by=sort_by, order="asc" if reverse else "desc", limit=limit, only_ids=quiet, as_json=as_json
    )
    asyncio.run(_list(chosen_server(server, token), plan))


async def _list(server: Server, plan: _Plan) -> None:
    page_size = min(plan.limit or _PAGE, _PAGE)
    table, shown, total = TaskTable(), 0, None
    async with server.client() as client:
        pages = client.pages(plan.wanted, sort_by=plan.sort_by, order=plan.order, page_size=page_size)
        async with aclosing(pages):
            async for page in pages:
                total = total or ("about " if page.total_is_estimate else "") + f"{page.total:,}"
                for task in page.tasks[: plan.limit - shown if plan.limit else None]:
                    if plan.as_json:
                        click.echo(json_text(task))
                    elif plan.only_ids:
                        click.echo(task.id)
                    else:
                        table.add(task)
                    shown += 1
                if shown == plan.limit:
                    break
    table.flush()
    if not (plan.as_json or plan.only_ids):
        say(f"{shown:,} of {total} tasks" if shown else "no tasks")
