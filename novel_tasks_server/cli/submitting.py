"""`novel-tasks submit`: send files to a server, and with `--wait` follow them to their end."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import click
from attrs import define, evolve, field, frozen

from novel_tasks_core import NovelTasksError, Source, TaskStatus
from novel_tasks_server.cli.console import ExamplesCommand, ExitCode, say_error
from novel_tasks_server.cli.display import Display, Row
from novel_tasks_server.cli.inputs import NOVELS, Input, files_argument, read_inputs
from novel_tasks_server.cli.options import json_flag, parse_options, processor_options
from novel_tasks_server.cli.remote import Server, chosen_server, server_options
from novel_tasks_server.client import (
    Client,
    RemoteTask,
    ServerMeta,
    ServerRefusedError,
    ServerUnreachableError,
    TaskUpdate,
    Upload,
    UploadOptions,
)

_UPLOADS_AT_ONCE = 4


class NotTakenError(NovelTasksError):
    """The server does not take such a file; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"not sent: {reason}")
        self.reason = reason


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
    is_told: bool = False


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks submit novel.txt", "queue it; prints the id of its task"),
        ("novel-tasks submit --wait *.txt", "queue all and follow them; exit code 3 if one fails"),
        ("novel-tasks submit -r library -p split", "every novel in a folder, by another processor"),
        ("novel-tasks submit novel.txt --server http://host:8000", "to another server"),
    ),
)
@files_argument
@processor_options
@click.option("--priority", type=click.IntRange(-32768, 32767), metavar="N", help="Higher runs first.  [default: 0]")
@click.option(
    "--on-duplicate",
    type=click.Choice(["return", "replace", "reject", "allow"]),
    help="What to do when the server already has a task for the same bytes.  [default: return it]",
)
@click.option("--wait", is_flag=True, help="Follow the tasks until they have finished.")
@server_options
@json_flag
@click.option("-q", "--quiet", is_flag=True, help="No progress, only results and errors.")
def submit(
    files: tuple[str, ...],
    recursive: bool,
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

    FILE may be - for stdin. What the server does not take is told and not sent, and does not stop the
    others. A server that limits requests is waited for. With --wait the exit code is 3 if a task failed
    or was cancelled; it is 1 if a file could not be sent.
    """
    wanted = UploadOptions(
        processor=processor, options=parse_options(pairs), priority=priority, on_duplicate=on_duplicate
    )
    plan = _Plan(wanted=wanted, wait=wait, as_json=as_json)
    chosen = chosen_server(server, token)
    meta = asyncio.run(_meta(chosen))
    with tempfile.TemporaryDirectory(prefix="novel-tasks-") as scratch:
        endings = meta.allowed_extensions if meta else NOVELS
        inputs = read_inputs(files, Path(scratch), recursive=recursive, endings=endings)
        with Display(quiet=quiet) as display:
            return asyncio.run(_submit_all([_checked(one, meta) for one in inputs], chosen, plan, display))


async def _meta(server: Server) -> ServerMeta | None:
    """Return what the server takes; None for one that does not tell."""
    async with server.client() as client:
        try:
            return await client.meta()
        except ServerRefusedError as exc:
            if exc.status != 404:
                raise
            return None


def _checked(item: Input, meta: ServerMeta | None) -> Input:
    """Look whether the server takes a file, before anything is sent."""
    if meta is None or item.problem is not None:
        return item
    try:
        size = item.path.stat().st_size
    except OSError as exc:
        return evolve(item, problem=exc)
    most = meta.limits.max_file_size
    if Source(sha256="", size=size, name=item.path.name).file_type not in meta.allowed_extensions:
        return evolve(item, problem=NotTakenError(f"the server takes only {', '.join(meta.allowed_extensions)}"))
    if size > most:
        return evolve(item, problem=NotTakenError(f"{size:,} bytes are more than the {most:,} that the server takes"))
    return evolve(item, problem=None if size else NotTakenError("the file is empty"))


async def _submit_all(inputs: list[Input], server: Server, plan: _Plan, display: Display) -> int:
    sending = _Sending(
        plan=plan, display=display, sent=[_Sent(item=one, row=display.begin(one.name)) for one in inputs]
    )
    async with server.client(on_pause=sending.pauses) as client:
        try:
            await sending.upload_all(client)
            if plan.wait:
                await sending.follow(client)
        except asyncio.CancelledError:
            if any(each.upload is not None for each in sending.sent):
                display.tell("What was sent goes on without us: `novel-tasks list` shows it.")
            raise
        finally:
            sending.print_rest()
    return max(_exit_code(each) for each in sending.sent)


@define(kw_only=True)
class _Sending:
    """Sends the files and follows their tasks. `lost` is why there is no server any more."""

    plan: _Plan
    display: Display
    sent: list[_Sent]
    gate: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(_UPLOADS_AT_ONCE))
    lost: ServerUnreachableError | None = None

    def pauses(self, error: NovelTasksError, seconds: float) -> None:
        """Say what is waited for."""
        if isinstance(error, ServerRefusedError) and error.status == 429:
            self.display.note("The server limits requests; going on in", seconds)
        else:
            self.display.note(f"{error}; trying again in", seconds)

    async def upload_all(self, client: Client) -> None:
        """Upload the files, a few at once; print their ids in the order given."""
        async with asyncio.TaskGroup() as group:
            uploads = [group.create_task(self._upload(client, each)) for each in self.sent]
            for each, upload in zip(self.sent, uploads, strict=True):
                await upload
                if not self.plan.as_json:
                    self._print(each)
        left = sum(each.error is self.lost for each in self.sent) if self.lost else 0
        if left > 1:
            text = f"{left:,} files were not sent; the same command sends them, and none twice"
            say_error(text, on=self.display.console)

    async def _upload(self, client: Client, sent: _Sent) -> None:
        """Upload one file. What goes wrong stays with the file and is told at once; a lost server only once."""
        async with self.gate:
            if self.lost is not None:
                self._lose(sent, self.lost)
                return
            try:
                if sent.item.problem is not None:
                    raise sent.item.problem
                sent.upload = await client.upload(sent.item.path, wanted=self.plan.wanted, progress=sent.row.count)
            except OSError as exc:
                self._fail(sent, exc, exc.strerror or str(exc))
            except ServerUnreachableError as exc:
                self._lose(sent, exc)
            except NovelTasksError as exc:
                self._fail(sent, exc, str(exc))
            else:
                self._arrived(sent, sent.upload)

    def _fail(self, sent: _Sent, error: Exception, reason: str) -> None:
        sent.error = error
        sent.row.fail(reason, "not sent")

    def _lose(self, sent: _Sent, error: ServerUnreachableError) -> None:
        """Say once that there is no server any more."""
        if self.lost is None:
            self.lost = error
            self._fail(sent, error, str(error))
        else:
            sent.error = self.lost
            sent.row.skip("not sent")

    def _arrived(self, sent: _Sent, upload: Upload) -> None:
        self.display.note("")
        if self.plan.wait:
            sent.row.wait()
        else:
            self._finish(sent, upload, "already there" if upload.duplicate else "queued")

    def _finish(self, sent: _Sent, upload: Upload, what: str) -> None:
        """Say that all is well; with the id in a line that stands for stdout's."""
        sent.row.finish(what, f"{what}  {upload.task_id}" if self.display.says_data else "")

    async def follow(self, client: Client) -> None:
        """Show the tasks' progress until each has finished. Two files may share one task."""
        rows: dict[str, list[_Sent]] = {}
        for each in self.sent:
            if each.upload is not None:
                rows.setdefault(each.upload.task_id, []).append(each)
        finished: set[str] = set()

        def updated(update: TaskUpdate) -> None:
            self.display.note("")
            if update.task_id not in finished:
                for each in rows[update.task_id]:
                    assert each.upload is not None
                    self._news(each, each.upload, update)
            if update.status.is_final:
                finished.add(update.task_id)

        for task_id, task in (await client.wait(rows, on_update=updated)).items():
            for each in rows[task_id]:
                each.task = task

    def _news(self, sent: _Sent, upload: Upload, update: TaskUpdate) -> None:
        match update.status:
            case TaskStatus.PENDING:
                sent.row.wait()
            case TaskStatus.PROCESSING:
                sent.row.update(update.progress / 100)
            case TaskStatus.COMPLETED:
                was_there = upload.duplicate and upload.status is TaskStatus.COMPLETED
                self._finish(sent, upload, "completed before" if was_there else "completed")
            case TaskStatus.FAILED | TaskStatus.CANCELLED:
                reason = update.error_message or "no reason given"
                sent.row.fail(f"{update.task_id} {update.status}: {reason}", update.status.value)

    def _print(self, sent: _Sent) -> None:
        """Print the id of what has arrived, once, unless its line says it."""
        if sent.upload is not None and not sent.is_told and not self.display.says_data:
            click.echo(sent.upload.task_id)
        sent.is_told = sent.upload is not None

    def print_rest(self) -> None:
        """Print what is not printed yet, of what has arrived: nothing is forgotten when somebody presses Ctrl-C."""
        for each in self.sent:
            if self.plan.as_json:
                self.display.data(json.dumps(_document(each), ensure_ascii=False))
            else:
                self._print(each)


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
