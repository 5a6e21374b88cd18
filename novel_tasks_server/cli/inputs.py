"""The files that a command works on: real ones, those in folders, stdin as `-`, and pipes."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click
from attrs import frozen
from click.shell_completion import CompletionItem

from novel_tasks_core import NovelTasksError
from novel_tasks_server.cli.console import say

F = TypeVar("F", bound=Callable[..., Any])

STDIN = "-"
NOVELS = (".txt", ".md")
"""The files of a folder that are novels, where nobody says otherwise."""


@frozen
class Input:
    """One file: `name` as the user gave it, `path` where its bytes are; `problem` is why it cannot be used."""

    name: str
    path: Path
    problem: OSError | NovelTasksError | None = None


def files_argument(command: F) -> F:
    """Add `FILE...` and `--recursive`."""
    command = click.option(
        "-r", "--recursive", is_flag=True, help="A folder stands for the novels in it and in its folders."
    )(command)
    return click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=_complete_files)(command)


def _complete_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="file")]


def read_inputs(
    names: Sequence[str], spool: Path, *, recursive: bool = False, endings: Sequence[str] = NOVELS
) -> list[Input]:
    """Check each name; copy what is not a regular file (stdin, a pipe) into the folder `spool`.

    A folder stands for the files below it with one of the `endings` if `recursive`, in the order of their names.
    A file that cannot be read is told by its `problem`, so that it does not stop the others.

    Raises: click.UsageError when stdin is named twice.
    """
    if names.count(STDIN) > 1:
        raise click.UsageError("stdin can be read only once: name - once.")
    inputs: list[Input] = []
    for name in names:
        found = _read_folder(name, endings) if recursive and name != STDIN and Path(name).is_dir() else [name]
        inputs += [_read_input(one, spool / str(len(inputs) + number)) for number, one in enumerate(found)]
    return inputs


def _read_folder(name: str, endings: Sequence[str]) -> list[str]:
    """Return the novels in a folder; itself if it has none, to be told why."""
    return list(_novels(name, endings)) or [name]


def _novels(name: str, endings: Sequence[str]) -> Iterator[str]:
    for folder, folders, files in os.walk(name):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for file in sorted(files):
            if not file.startswith(".") and Path(file).suffix.lower() in endings:
                yield str(Path(folder, file))


def _read_input(name: str, spool: Path) -> Input:
    try:
        if name == STDIN:
            if sys.stdin.isatty():
                say("Reading the novel from the terminal; Ctrl-D ends it.")
            return Input(name, _spooled(sys.stdin.buffer, spool / "stdin.txt"))
        path = Path(name)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder: --recursive takes the novels in it", name)
        with path.open("rb") as file:
            if stat.S_ISREG(path.stat().st_mode):
                return Input(name, path)
            return Input(name, _spooled(file, spool / f"{path.name}.txt"))
    except OSError as exc:
        return Input(name, Path(name), exc)


def _spooled(stream: BinaryIO, path: Path) -> Path:
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        shutil.copyfileobj(stream, file, 1 << 20)
    return path


def output_folders(inputs: Sequence[Input], output: Path | None) -> list[Path | None]:
    """Choose where each file's artifacts go: `output` itself for one file, a folder per file in it for several."""
    if output is None:
        return [None] * len(inputs)
    if len(inputs) == 1:
        return [output]
    taken: set[str] = set()
    folders: list[Path | None] = []
    for item in inputs:
        stem = name = item.path.stem
        number = 1
        while name in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name)
        folders.append(output / name)
    return folders
