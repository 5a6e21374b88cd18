"""`novel-tasks result`: what came of a task."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from pathlib import Path, PurePosixPath, PureWindowsPath

import click
from attrs import frozen

from novel_tasks_core import NovelTasksError, TaskStatus
from novel_tasks_server.cli.completing import complete_tasks
from novel_tasks_server.cli.console import ExamplesCommand, ExitCode, printable, say, say_error
from novel_tasks_server.cli.display import Display
from novel_tasks_server.cli.remote import Server, chosen_server, server_options, whole_id
from novel_tasks_server.client import Client, ServerRefusedError


class UnsafeNameError(NovelTasksError):
    """An artifact's `name` cannot be that of a file in a folder."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the artifact {name!r} cannot be written under its name: ask for it by --artifact and -o")
        self.name = name


@frozen(kw_only=True)
class _Plan:
    artifact: str | None
    every: bool
    output: Path | None
    quiet: bool


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks result task-0192a3b4", "the result as JSON"),
        ("novel-tasks result task-0192a3b4 --artifact report.html -o report.html", "a file that the task made"),
        ("novel-tasks result task-0192a3b4 --all -o report", "every file that it made, into a folder"),
    ),
)
@click.argument("task", metavar="TASK", shell_complete=complete_tasks)
@click.option("--artifact", metavar="NAME", help="Get this file that the task made, instead of its result.")
@click.option("--all", "every", is_flag=True, help="Get every file that the task made, into the folder of -o.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="PATH", help="Write to this file.  [default: stdout]"
)
@server_options
@click.option("-q", "--quiet", is_flag=True, help="No progress, only results and errors.")
def result(
    task: str,
    artifact: str | None,
    every: bool,
    output: Path | None,
    server: str | None,
    token: str | None,
    quiet: bool,
) -> int:
    """Print the result of a task as JSON, or get what it made.

    TASK is an id, or the beginning of one that no other task shares. A file appears when it is complete and is
    what the server has. The exit code is 3 if the task failed or was cancelled, 1 if it has not finished.
    """
    if every and (artifact is not None or output is None):
        raise click.UsageError("--all takes a folder as -o, and no --artifact.")
    plan = _Plan(artifact=artifact, every=every, output=output, quiet=quiet)
    return asyncio.run(_result(chosen_server(server, token), task, plan))


async def _result(server: Server, text: str, plan: _Plan) -> int:
    async with server.client() as client:
        task_id = await whole_id(client, text)
        if plan.every or plan.artifact is not None:
            return await _artifacts(client, task_id, plan)
        try:
            value = await client.result(task_id)
        except ServerRefusedError as exc:
            if exc.status != 409:
                raise
            return await _without_result(client, task_id, exc)
    shown = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    if plan.output is None:
        click.echo(shown, nl=False)
    else:
        await asyncio.to_thread(plan.output.write_text, shown, encoding="utf-8", errors="surrogatepass")
    return ExitCode.OK


async def _without_result(client: Client, task_id: str, refusal: NovelTasksError) -> ExitCode:
    """Say why there is no result."""
    task = await client.get(task_id)
    if task.status not in (TaskStatus.FAILED, TaskStatus.CANCELLED):
        say_error(str(refusal))
        return ExitCode.FAILURE
    say_error(f"{task.id} {task.status}: {task.error_message or 'no reason given'}")
    return ExitCode.TASK_FAILED


async def _artifacts(client: Client, task_id: str, plan: _Plan) -> ExitCode:
    with Display(quiet=plan.quiet) as display:
        if plan.every:
            assert plan.output is not None
            artifacts = await client.artifacts(task_id)
            if not artifacts:
                say(f"{task_id} has made no files")
            for one in artifacts:
                path = plan.output / _file_name(one.name)
                await _download(client, task_id, one.name, path, display)
                click.echo(printable(str(path)))
            return ExitCode.OK
        assert plan.artifact is not None
        if plan.output is not None:
            await _download(client, task_id, plan.artifact, plan.output, display)
            return ExitCode.OK
        with tempfile.TemporaryDirectory(prefix="novel-tasks-") as folder:
            path = Path(folder) / "artifact"
            await _download(client, task_id, plan.artifact, path, display)
            await asyncio.to_thread(_print, path)
    return ExitCode.OK


async def _download(client: Client, task_id: str, name: str, path: Path, display: Display) -> None:
    row = display.begin(name)
    try:
        await client.download(task_id, name, to=path, progress=row.count)
    finally:
        row.remove()


def _print(path: Path) -> None:
    with path.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer, 1 << 20)
    sys.stdout.buffer.flush()


def _file_name(name: str) -> str:
    """Return an artifact's name if it is that of a file in a folder, on any system. Raises: UnsafeNameError."""
    if (
        name in ("", ".", "..")
        or "\0" in name
        or PurePosixPath(name).name != name
        or PureWindowsPath(name).name != name
    ):
        raise UnsafeNameError(name)
    return name
