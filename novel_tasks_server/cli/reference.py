"""`novel-tasks openapi`: the description of the API, without a server."""

from __future__ import annotations

import click

from novel_tasks_server.cli.console import ExamplesCommand


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks openapi > openapi.json", "write the document that /api/openapi.json serves"),
        ("novel-tasks openapi | jq '.paths | keys'", "list the paths of the API"),
    ),
)
def openapi() -> None:
    """Print the OpenAPI document of the API.

    It is of OpenAPI 3.1, as JSON; needs no server and no database.
    """
    from novel_tasks_server.app import create_app  # the whole server: only this command waits for it
    from novel_tasks_server.cli.settings import setting_values
    from novel_tasks_server.config import ServerConfig
    from novel_tasks_server.routes.reference import DOCUMENT

    app = create_app(ServerConfig.from_env(setting_values(), dotenv=None))
    click.echo(app[DOCUMENT].text, nl=False)
