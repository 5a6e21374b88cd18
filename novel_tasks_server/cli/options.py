"""Flags that several commands share, and the reading of `--option KEY=VALUE`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click

from novel_tasks_server.cli.completing import complete_processors

F = TypeVar("F", bound=Callable[..., Any])


def processor_options(command: F) -> F:
    """Add `--processor` and `--option`."""
    command = click.option(
        "-O",
        "--option",
        "pairs",
        multiple=True,
        metavar="KEY=VALUE",
        help="An option of the processor, any number of times; the value may be JSON.",
    )(command)
    return click.option(
        "-p",
        "--processor",
        metavar="NAME",
        shell_complete=complete_processors,
        help="What to do with each file.  [default: $DEFAULT_PROCESSOR or analyze]",
    )(command)


def json_per(what: str) -> Callable[[F], F]:
    """Return what adds `--json`, for a command that prints an object per `what`."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print one JSON object per {what}.")


json_flag = json_per("file")
"""Adds `--json` to a command that prints an object per file."""


def parse_options(pairs: Iterable[str], schema: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Read KEY=VALUE pairs. A value is JSON where it reads as JSON and the schema does not want text.

    Raises: click.UsageError for a pair without `=` or a key given twice.
    """
    properties = (schema or {}).get("properties", {})
    options: dict[str, Any] = {}
    for pair in pairs:
        key, separator, text = pair.partition("=")
        if not separator or not key:
            raise click.UsageError(f"--option {pair!r}: write it as KEY=VALUE.")
        if key in options:
            raise click.UsageError(f"--option {key!r} is given twice.")
        options[key] = text if _wants_text(properties.get(key)) else _json_or_text(text)
    return options


def _wants_text(schema: Any) -> bool:
    """Whether the JSON schema of a value accepts text and nothing else, null aside."""
    if not isinstance(schema, Mapping):
        return False
    if "anyOf" in schema:
        choices = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]
        return bool(choices) and all(_wants_text(choice) for choice in choices)
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds or []
    return "string" in kinds and set(kinds) <= {"string", "null"}


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
