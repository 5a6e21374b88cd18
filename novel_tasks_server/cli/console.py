"""Manners at the terminal: streams, exit codes, errors, help with its examples first."""

from __future__ import annotations

import inspect
import io
import sys
from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import click
from rich.console import Console
from rich.text import Text


class ExitCode(IntEnum):
    """What the program's exit code says."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    TASK_FAILED = 3
    INTERRUPTED = 130


def prepare_streams() -> None:
    """Make stdout and stderr UTF-8 and unable to fail on a file name that is not.

    A byte that is no UTF-8 comes out as `\\udcXX`, which is also how JSON writes it.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def console() -> Console:
    """Return a console on stderr that honours NO_COLOR and never wraps or interprets what it prints."""
    return Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)


def printable(text: str) -> str:
    """Return `text` on one line, with control characters escaped, so that data cannot drive the terminal."""
    return "".join(c if c.isprintable() or c == " " else c.encode("unicode_escape").decode() for c in text)


def say(text: str) -> None:
    """Tell the person something, on stderr."""
    console().print(printable(text))


def say_error(text: str, *, on: Console | None = None) -> None:
    """Tell the person what went wrong: one line on stderr, above the bars if `on` shows any."""
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
                formatter.write_dl(self.examples, col_max=70)
        formatter.write_paragraph()
        self.format_usage(ctx, formatter)
        for paragraph in filter(None, details.split("\n\n")):
            formatter.write_paragraph()
            formatter.write_text(" ".join(paragraph.split()))
        self.format_options(ctx, formatter)


class ExamplesCommand(_ExamplesFirst):
    """A command with `examples`: pairs of a command line and what it does."""


class ExamplesGroup(_ExamplesFirst, click.Group):
    """A group of commands with `examples`."""
