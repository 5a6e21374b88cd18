"""`novel-tasks show` and `novel-tasks logs`: one task and what happened to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

import click

from novel_tasks_core import LogLevel
from novel_tasks_server.cli.completing import complete_tasks
from novel_tasks_server.cli.console import ExamplesCommand, printable
from novel_tasks_server.cli.options import json_per
from novel_tasks_server.cli.remote import (
    Server,
    chosen_server,
    for_each,
    json_text,
    server_options,
    time_text,
    whole_id,
)
from novel_tasks_server.client import Client, RemoteArtifact, RemoteAttempt, RemoteLogEntry, RemoteTask

_PAGE = 1000


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks show task-0192a3b4", "where the task is; the beginning of its id will do"),
        ("novel-tasks show --json task-0192a3b4 | jq .artifacts", "for scripts"),
    ),
)
@click.argument("tasks", nargs=-1, required=True, metavar="TASK...", shell_complete=complete_tasks)
@server_options
@json_per("task")
def show(tasks: tuple[str, ...], server: str | None, token: str | None, as_json: bool) -> int:
    """Show tasks: where they stand, their attempts, what they made.

    TASK is an id, or the beginning of one that no other task shares.
    """
    return asyncio.run(_show(chosen_server(server, token), tasks, as_json=as_json))


async def _show(server: Server, tasks: tuple[str, ...], *, as_json: bool) -> int:
    async with server.client() as client:

        async def show_one(task_id: str) -> None:
            task = await client.get(task_id)
            attempts, artifacts = await client.attempts(task_id), await client.artifacts(task_id)
            if as_json:
                click.echo(json_text(_document(task, attempts, artifacts)))
            else:
                click.echo(_told(task, attempts, artifacts))

        return await for_each(client, tasks, show_one)


def _document(
    task: RemoteTask, attempts: tuple[RemoteAttempt, ...], artifacts: tuple[RemoteArtifact, ...]
) -> dict[str, Any]:
    from attrs import asdict  # only `--json` needs it

    return {**asdict(task), "attempts": attempts, "artifacts": artifacts}


def _told(task: RemoteTask, attempts: tuple[RemoteAttempt, ...], artifacts: tuple[RemoteArtifact, ...]) -> str:
    rows = [*_facts(task)]
    rows += [(f"attempt {one.number}", _attempt(one)) for one in attempts]
    rows += [("artifact", f"{one.name} ({one.size:,} bytes, {one.content_type})") for one in artifacts]
    width = max(len(name) for name, _ in rows)
    return "\n".join([task.id, *(f"  {name:<{width}}  {printable(text)}" for name, text in rows)])


def _facts(task: RemoteTask) -> Iterator[tuple[str, str]]:
    """Yield what is worth telling of a task, name by name."""
    if task.file_name is not None:
        yield "file", f"{task.file_name} ({task.file_size or 0:,} bytes)"
    yield "status", _status(task)
    yield "processor", task.processor
    facts = {
        "options": json_text(task.options) if task.options else "",
        "priority": str(task.priority) if task.priority else "",
        "owner": task.owner,
        "session": task.session_id or "",
        "extra data": json_text(task.extra_data) if task.extra_data else "",
        "uploaded": time_text(task.uploaded_at),
        "not before": time_text(task.run_at),
        "started": time_text(task.started_at),
        "ended": time_text(task.completed_at),
        "error": task.error_message or "",
        "result": task.result_url or "",
    }
    yield from ((name, text) for name, text in facts.items() if text)


def _status(task: RemoteTask) -> str:
    if task.status.is_final:
        return task.status.value
    stage = f" ({task.stage})" if task.stage else ""
    left = f", about {task.eta_seconds:.0f} s left" if task.eta_seconds is not None else ""
    asked = ", asked to stop" if task.cancel_requested else ""
    return f"{task.status.value}, {task.progress:.0f}%{stage}{left}{asked}"


def _attempt(attempt: RemoteAttempt) -> str:
    why = f": {attempt.error.type}: {attempt.error.message}" if attempt.error else ""
    return f"{attempt.outcome.value} after {attempt.duration_seconds:.1f} s{why}"


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks logs task-0192a3b4", "the whole log"),
        ("novel-tasks logs -f task-0192a3b4", "and what is still to come, until the task has finished"),
        ("novel-tasks logs --level warning task-0192a3b4", "only what went wrong"),
    ),
)
@click.argument("task", metavar="TASK", shell_complete=complete_tasks)
@click.option("-f", "--follow", is_flag=True, help="Go on until the task has finished.")
@click.option("--level", type=click.Choice([level.value for level in LogLevel]), help="Entries of at least this level.")
@server_options
@json_per("entry")
def logs(task: str, follow: bool, level: str | None, server: str | None, token: str | None, as_json: bool) -> None:
    """Print the log of a task: what was told to people.

    TASK is an id, or the beginning of one that no other task shares. With -f a connection that breaks, and a
    server that is restarted, cost no entry.
    """
    wanted = LogLevel(level) if level else None
    asyncio.run(_logs(chosen_server(server, token), task, level=wanted, follow=follow, as_json=as_json))


async def _logs(server: Server, task: str, *, level: LogLevel | None, follow: bool, as_json: bool) -> None:
    async with server.client() as client:
        task_id = await whole_id(client, task)
        entries = client.follow_logs(task_id, level=level) if follow else _stored(client, task_id, level)
        async with aclosing(entries):
            async for entry in entries:
                click.echo(json_text(entry) if as_json else _line(entry))


async def _stored(client: Client, task_id: str, level: LogLevel | None) -> AsyncGenerator[RemoteLogEntry, None]:
    after = 0
    while page := await client.logs(task_id, level=level, after=after, limit=_PAGE):
        for entry in page:
            yield entry
        if len(page) < _PAGE:
            return
        after = page[-1].seq


def _line(entry: RemoteLogEntry) -> str:
    return f"{time_text(entry.at)}  {entry.level.value:<7}  {printable(entry.message)}"
