"""Where the commands take their settings from: flags, then the environment, then `.env`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from novel_tasks_core import EngineConfig
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


def for_one_question(config: EngineConfig) -> EngineConfig:
    """Return the settings of an engine that is opened for a moment: with few connections, and without retention.

    An engine with retention deletes by it as soon as it is open, which nobody asked for here.
    """
    return evolve(
        config,
        pool_size=2,
        pool_overflow=0,
        retention_days=None,
        retention_days_completed=None,
        retention_days_failed=None,
        retention_days_cancelled=None,
    )
