"""Where the commands take their settings from: flags, then the environment, then `.env`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from novel_tasks_server.config import read_dotenv


def setting_values(flags: Mapping[str, object] | None = None) -> dict[str, str]:
    """Return the settings by their variable names; `.env` is read from the working directory.

    A flag that is None was not given.

    Raises: ConfigError when `.env` cannot be read.
    """
    from_file = read_dotenv(Path(".env"))
    from_flags = {name: str(value) for name, value in (flags or {}).items() if value is not None}
    return from_file | dict(os.environ) | from_flags


def server_url(values: Mapping[str, str]) -> str:
    """Return the address of the server to talk to: NOVEL_TASKS_SERVER, or where `serve` listens by these settings."""
    if values.get("NOVEL_TASKS_SERVER"):
        return values["NOVEL_TASKS_SERVER"]
    host = values.get("API_HOST") or "127.0.0.1"
    if host in ("0.0.0.0", "::"):  # noqa: S104 - what a server listens on is not where a client goes
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{values.get('API_PORT') or 8000}"
