"""`novel-tasks submit`: send files to a server, and with `--wait` follow them to their end."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import click
from attrs import define, frozen

from novel_tasks_core import NovelTasksError, TaskStatus
from novel_tasks_server.cli.console import ExamplesCommand, ExitCode
from novel_tasks_server.cli.display import Display, Row
from novel_tasks_server.cli.inputs import Input, read_inputs
from novel_tasks_server.cli.options import json_flag, parse_options, processor_options
from novel_tasks_server.cli.remote import Server, chosen_server, server_options
from novel_tasks_server.client import Client, RemoteTask, TaskUpdate, Upload, UploadOptions

_UPLOADS_AT_ONCE = 4


@frozen(kw_only=True)
class _Plan:
    """What is done with every file."""

    wanted: UploadOptions
    wait: bool
    as_json: bool


@define(kw_only=True)
class _Sent:
    """One file on its way: what the server made of it, so far."""

    item: Input
    row: Row
    upload: Upload | None = None
    task: RemoteTask | None = None
    error: Exception | None = None


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks submit novel.txt", "queue it; prints the id of its task"),
        ("novel-tasks submit --wait *.txt", "queue all and follow them; exit code 3 if one fails"),
        ("novel-tasks submit -p split novel.txt --server http://host:8000", "another processor, another server"),
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@server_options
@processor_options
@click.option("--priority", type=click.IntRange(-32768, 32767), help="Higher runs first.  [default: 0]")
@click.option(
    "--on-duplicate",
    type=click.Choice(["return", "replace", "reject", "allow"]),
    help="What to do when the server already has a task for the same bytes.  [default: return it]",
)
@click.option("--wait", is_flag=True, help="Follow the tasks until they have finished.")
@json_flag
@click.option("-q", "--quiet", is_flag=True, help="No progress, only results and errors.")
def submit(
    files: tuple[str, ...],
    server: str | None,
    token: str | None,
    processor: str | None,
    pairs: tuple[str, ...],
    priority: int | None,
    on_duplicate: str | None,
    wait: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Send files to a server, each as a task; print the tasks' ids.

    FILE may be - for stdin. A file that fails does not stop the others. With --wait the exit code is
    3 if a task failed or was cancelled; it is 1 if a file could not be sent.
    """
    wanted = UploadOptions(
        processor=processor, options=parse_options(pairs), priority=priority, on_duplicate=on_duplicate
    )
    plan = _Plan(wanted=wanted, wait=wait, as_json=as_json)
    with tempfile.TemporaryDirectory(prefix="novel-tasks-") as scratch, Display(quiet=quiet) as display:
        inputs = read_inputs(files, Path(scratch))
        return asyncio.run(_submit_all(inputs, server=chosen_server(server, token), plan=plan, display=display))


async def _submit_all(inputs: list[Input], *, server: Server, plan: _Plan, display: Display) -> int:
    gate = asyncio.Semaphore(_UPLOADS_AT_ONCE)
    async with server.client() as client, asyncio.TaskGroup() as group:
        sent = [_Sent(item=item, row=display.begin(item.name)) for item in inputs]
        uploads = [group.create_task(_upload(client, each, gate=gate, plan=plan)) for each in sent]
        for each, upload in zip(sent, uploads, strict=True):
            await upload
            if each.upload is not None and not plan.as_json:
                click.echo(each.upload.task_id)
        if plan.wait:
            await _follow(client, sent)
    if plan.as_json:
        for each in sent:
            click.echo(json.dumps(_document(each), ensure_ascii=False))
    return max(_exit_code(each) for each in sent)


async def _upload(client: Client, sent: _Sent, *, gate: asyncio.Semaphore, plan: _Plan) -> None:
    """Upload one file. What goes wrong stays with the file and is told at once."""
    async with gate:
        try:
            if sent.item.problem is not None:
                raise sent.item.problem
            sent.upload = await client.upload(sent.item.path, wanted=plan.wanted, progress=sent.row.count)
        except OSError as exc:
            sent.error = exc
            sent.row.fail(exc.strerror or str(exc))
        except NovelTasksError as exc:
            sent.error = exc
            sent.row.fail(str(exc))
        else:
            if not plan.wait:
                sent.row.finish("already there" if sent.upload.duplicate else "queued")


async def _follow(client: Client, sent: list[_Sent]) -> None:
    """Show the tasks' progress until each has finished. Two files may share one task."""
    rows: dict[str, list[_Sent]] = {}
    for each in sent:
        if each.upload is not None:
            rows.setdefault(each.upload.task_id, []).append(each)

    def updated(update: TaskUpdate) -> None:
        for each in rows[update.task_id]:
            each.row.update(update.progress / 100, update.status.value)

    finished = await client.wait(rows, on_update=updated)
    for task_id, task in finished.items():
        for each in rows[task_id]:
            each.task = task
            _tell_end(each.row, task)


def _tell_end(row: Row, task: RemoteTask) -> None:
    if task.status is TaskStatus.COMPLETED:
        row.finish("completed")
    else:
        row.fail(f"{task.id} {task.status}: {task.error_message or 'no reason given'}")


def _exit_code(sent: _Sent) -> ExitCode:
    if sent.error is not None:
        return ExitCode.FAILURE
    if sent.task is not None and sent.task.status is not TaskStatus.COMPLETED:
        return ExitCode.TASK_FAILED
    return ExitCode.OK


def _document(sent: _Sent) -> dict[str, Any]:
    """Return what `--json` prints of one file."""
    document: dict[str, Any] = {"file": sent.item.name}
    if sent.upload is not None:
        document |= {
            "task_id": sent.upload.task_id,
            "duplicate": sent.upload.duplicate,
            "status": sent.upload.status.value,
        }
    if sent.task is not None:
        document |= {"status": sent.task.status.value, "progress": sent.task.progress}
        document |= {"result_url": sent.task.result_url, "error_message": sent.task.error_message}
    if sent.error is not None:
        document["error"] = {"type": type(sent.error).__name__, "message": str(sent.error)}
    return document
