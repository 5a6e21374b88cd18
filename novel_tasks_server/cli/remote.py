"""What the commands that talk to a server share: where it is, who asks, which tasks are meant, how it is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

import cattrs
import click
from attrs import frozen

from novel_tasks_core import NovelTasksError, TaskNotFoundError
from novel_tasks_server.cli.console import ExitCode, say_error
from novel_tasks_server.cli.settings import server_url, setting_values
from novel_tasks_server.client import Client, Wanted

F = TypeVar("F", bound=Callable[..., Any])

_WHOLE = re.compile(r"task-[0-9a-f]{32}")
_BEGINNING = re.compile(r"(?:task-)?([0-9a-f]{1,32})")

_CONVERTER = cattrs.Converter()
_CONVERTER.register_unstructure_hook(datetime, lambda moment: moment.astimezone(UTC).isoformat().replace("+00:00", "Z"))


class TaskNotNamedError(NovelTasksError):
    """The beginning of an id, `text`, is that of no task or of several."""

    def __init__(self, text: str, *, several: bool) -> None:
        super().__init__(
            f"several tasks have an id that begins with {text}: write more of it"
            if several
            else f"no task has an id that begins with {text}"
        )
        self.text = text
        self.several = several


@frozen
class Server:
    """Where the server is, and the token to show."""

    url: str
    token: str

    def client(self, *, on_pause: Callable[[NovelTasksError, float], object] | None = None) -> Client:
        """Return a client of it, to be opened; one that tells its pauses waits out limits of requests."""
        return Client(self.url, token=self.token, obeys_limits=on_pause is not None, on_pause=on_pause)


def server_options(command: F) -> F:
    """Add `--server` and `--token`."""
    command = click.option(
        "--token",
        metavar="TOKEN",
        help="Who you are. Others can see command lines: better set it in the environment."
        "  [default: $NOVEL_TASKS_TOKEN]",
    )(command)
    return click.option(
        "--server", metavar="URL", help="The server.  [default: $NOVEL_TASKS_SERVER or http://127.0.0.1:8000]"
    )(command)


def chosen_server(server: str | None, token: str | None) -> Server:
    """Return the server that flags and settings name."""
    values = setting_values({"NOVEL_TASKS_SERVER": server, "NOVEL_TASKS_TOKEN": token})
    return Server(server_url(values), values.get("NOVEL_TASKS_TOKEN", ""))


async def whole_id(client: Client, text: str) -> str:
    """Return the id that `text` is, or is the beginning of; `task-` may be left out.

    Raises: TaskNotNamedError; TaskNotFoundError for what can be no id.
    """
    wanted = text.strip().lower()
    if _WHOLE.fullmatch(wanted):
        return wanted
    beginning = _BEGINNING.fullmatch(wanted)
    if beginning is None:
        raise TaskNotFoundError(text)
    prefix = f"task-{beginning[1]}"
    found: list[str] = []
    async for task in client.list(Wanted(q=prefix)):
        if task.id.startswith(prefix):  # the server's search finds files of that name too
            found.append(task.id)
            if len(found) > 1:
                break
    if len(found) != 1:
        raise TaskNotNamedError(prefix, several=bool(found))
    return found[0]


async def for_each(client: Client, texts: Iterable[str], act: Callable[[str], Awaitable[ExitCode | None]]) -> int:
    """Do something with each task; what goes wrong with one is told, and does not stop the others.

    `act` may return an exit code. Returns the highest one, 1 for an error.
    """
    worst = ExitCode.OK
    for text in texts:
        try:
            worst = max(worst, await act(await whole_id(client, text)) or ExitCode.OK)
        except NovelTasksError as exc:
            say_error(str(exc) if text in str(exc) else f"{text}: {exc}")
            worst = max(worst, ExitCode.FAILURE)
    return worst


def json_text(value: Any) -> str:
    """Write what the client returned as JSON on one line; times are RFC 3339 in UTC."""
    return json.dumps(_CONVERTER.unstructure(value), ensure_ascii=False)


def time_text(moment: datetime | None) -> str:
    """Write a time for people."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if moment else ""
