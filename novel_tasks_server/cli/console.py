"""Manners at the terminal: streams, exit codes, errors, help with its examples first."""

from __future__ import annotations

import inspect
import io
import os
import sys
from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:  # `--help` and `--version` need not wait for it
    from rich.console import Console


class ExitCode(IntEnum):
    """What the program's exit code says."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    TASK_FAILED = 3
    INTERRUPTED = 130


def prepare_streams() -> None:
    """Make stdout and stderr UTF-8 and unable to fail on a file name that is not.

    A byte that is no UTF-8 comes out as `\\udcXX`, which is also how JSON writes it. A stream that was closed by
    whoever started us becomes an empty one, lest a file or a connection be opened in its place.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            _fill(number)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115
        elif number and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _fill(number: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    if nothing == number:
        os.set_inheritable(number, True)  # child processes need their streams too
    else:
        os.dup2(nothing, number)
        os.close(nothing)


def console(*, stderr: bool = True) -> Console:
    """Return a console that honours NO_COLOR and never wraps or interprets what it prints, by default on stderr."""
    from rich.console import Console

    return Console(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)


def is_live(stream: Any) -> bool:
    """Say whether a stream is a terminal on which lines can be drawn again."""
    return bool(stream.isatty()) and os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")


def printable(text: str) -> str:
    """Return `text` on one line, with control characters escaped, so that data cannot drive the terminal."""
    return "".join(c if c.isprintable() or c == " " else c.encode("unicode_escape").decode() for c in text)


def say(text: str) -> None:
    """Tell the person something, on stderr."""
    console().print(printable(text))


def say_error(text: str, *, on: Console | None = None) -> None:
    """Tell the person what went wrong: one line on stderr, above the bars if `on` shows any."""
    from rich.text import Text

    (on or console()).print(Text.assemble(("error: ", "bold red"), printable(text)))


class _ExamplesFirst(click.Command):
    """A command whose help begins with what it is for, and how it is used in practice."""

    def __init__(self, *args: Any, examples: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the description, the examples, and only then usage and options."""
        summary, _, details = inspect.cleandoc(self.help or "").partition("\n\n")
        formatter.write_text(summary)
        if self.examples:
            with formatter.section("Examples"):
                self._format_examples(formatter)
        formatter.write_paragraph()
        self.format_usage(ctx, formatter)
        for paragraph in filter(None, details.split("\n\n")):
            formatter.write_paragraph()
            formatter.write_text(" ".join(paragraph.split()))
        self.format_options(ctx, formatter)

    def _format_examples(self, formatter: click.HelpFormatter) -> None:
        """Write them in two columns, or what each does below it when that would be too wide."""
        longest = max(len(line) for line, _ in self.examples)
        if formatter.current_indent + longest + 2 + max(len(what) for _, what in self.examples) <= formatter.width:
            formatter.write_dl(self.examples, col_max=longest)
            return
        for line, what in self.examples:
            formatter.write(f"{'':{formatter.current_indent}}{line}\n")
            with formatter.indentation(), formatter.indentation():
                formatter.write_text(what)


class ExamplesCommand(_ExamplesFirst):
    """A command with `examples`: pairs of a command line and what it does."""


class ExamplesGroup(_ExamplesFirst, click.Group):
    """A group of commands with `examples`."""
