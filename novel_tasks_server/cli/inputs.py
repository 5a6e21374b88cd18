"""The files that a command works on: real ones, stdin as `-`, and pipes."""

from __future__ import annotations

import shutil
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import click
from attrs import frozen

STDIN = "-"


@frozen
class Input:
    """One file: `name` as the user gave it, `path` where its bytes are; `problem` is why it cannot be read."""

    name: str
    path: Path
    problem: OSError | None = None


def read_inputs(names: Sequence[str], spool: Path) -> list[Input]:
    """Check each name; copy what is not a regular file (stdin, a pipe) into the folder `spool`.

    A file that cannot be read is told by its `problem`, so that it does not stop the others.

    Raises: click.UsageError when stdin is named twice.
    """
    if names.count(STDIN) > 1:
        raise click.UsageError("stdin can be read only once: name - once.")
    return [_read_input(name, spool / str(number)) for number, name in enumerate(names)]


def _read_input(name: str, spool: Path) -> Input:
    try:
        if name == STDIN:
            return Input(name, _spooled(sys.stdin.buffer, spool / "stdin.txt"))
        path = Path(name)
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
