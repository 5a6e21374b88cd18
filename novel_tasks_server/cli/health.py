"""`novel-tasks healthcheck`: one question and an exit code, for containers and monitors."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import click

from novel_tasks_server.cli.console import ExamplesCommand
from novel_tasks_server.cli.settings import server_url, setting_values
from novel_tasks_server.client import Client, ServerUnreachableError


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks healthcheck", "ask the server of this machine"),
        ("novel-tasks healthcheck --url http://host:8000", "ask another one"),
    ),
)
@click.option("--url", metavar="URL", help="The server.  [default: $NOVEL_TASKS_SERVER or http://127.0.0.1:8000]")
@click.option(
    "--timeout", "timeout_seconds", type=click.FloatRange(0.1, 600), default=5.0, show_default=True, metavar="SECONDS"
)
def healthcheck(url: str | None, timeout_seconds: float) -> None:
    """Ask a server how it is; exit 0 if it is healthy, 1 if not.

    The server's own answer is printed as JSON.
    """
    answer = asyncio.run(_ask(server_url(setting_values({"NOVEL_TASKS_SERVER": url})), timeout_seconds))
    click.echo(json.dumps(answer, ensure_ascii=False))


async def _ask(url: str, timeout_seconds: float) -> dict[str, Any]:
    try:
        async with asyncio.timeout(timeout_seconds), Client(url) as client:
            return await client.health()
    except TimeoutError as exc:
        raise ServerUnreachableError(url, f"no answer within {timeout_seconds:g} s") from exc
