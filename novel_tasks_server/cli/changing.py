"""`novel-tasks retry` and `novel-tasks cancel`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import click

from novel_tasks_server.cli.completing import complete_tasks
from novel_tasks_server.cli.console import ExamplesCommand
from novel_tasks_server.cli.options import json_per
from novel_tasks_server.cli.remote import Server, chosen_server, for_each, json_text, server_options
from novel_tasks_server.client import Client, RemoteTask

_Change = Callable[[Client, str], Awaitable[RemoteTask]]


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks retry task-0192a3b4", "retry a task"),
        ("novel-tasks list --status failed -qn 0 | xargs novel-tasks retry", "all that failed"),
    ),
)
@click.argument("tasks", nargs=-1, required=True, metavar="TASK...", shell_complete=complete_tasks)
@server_options
@json_per("task")
def retry(tasks: tuple[str, ...], server: str | None, token: str | None, as_json: bool) -> int:
    """Retry finished tasks; print their ids.

    TASK is an id, or the beginning of one that no other task shares. One that has not finished is
    refused and does not stop the others; the exit code is then 1.
    """
    return asyncio.run(_change(chosen_server(server, token), tasks, Client.retry, as_json=as_json))


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks cancel task-0192a3b4", "a task that waits is cancelled, one that runs is stopped"),
        ("novel-tasks list --status pending -qn 0 | xargs novel-tasks cancel", "all that wait"),
    ),
)
@click.argument("tasks", nargs=-1, required=True, metavar="TASK...", shell_complete=complete_tasks)
@server_options
@json_per("task")
def cancel(tasks: tuple[str, ...], server: str | None, token: str | None, as_json: bool) -> int:
    """Cancel tasks that wait or run; print their ids.

    TASK is an id, or the beginning of one that no other task shares. One that runs is asked to stop, and says so
    until it has. A task that has finished is refused and does not stop the others; the exit code is then 1.
    """
    return asyncio.run(_change(chosen_server(server, token), tasks, Client.cancel, as_json=as_json))


async def _change(server: Server, tasks: tuple[str, ...], change: _Change, *, as_json: bool) -> int:
    async with server.client() as client:

        async def change_one(task_id: str) -> None:
            task = await change(client, task_id)
            click.echo(json_text(task) if as_json else task.id)

        return await for_each(client, tasks, change_one)
