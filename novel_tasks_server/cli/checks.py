"""What only the command line can look at: the port that `serve` is to listen on, `.env`, the limits of this shell."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import resource
import shlex
import socket
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from novel_tasks_core import ConfigError, NovelTasksError
from novel_tasks_server.cli.settings import server_url
from novel_tasks_server.client import Client, ServerRefusedError
from novel_tasks_server.config import ServerConfig, read_dotenv
from novel_tasks_server.findings import Finding, ok, problem, warning

FEW_FILES = 4096


async def check_port(config: ServerConfig, values: Mapping[str, str]) -> Finding:
    """Look whether `serve` can listen where it wants to, or whether it is our own server that does."""
    where = f"{config.host} port {config.port}"
    refused = _refusal(config.host, config.port)
    if refused is None:
        return ok("port", f"{where} is free")
    try:
        async with asyncio.timeout(5), Client(server_url({**values, "NOVEL_TASKS_SERVER": ""})) as client:
            await client.health()
    except ServerRefusedError as exc:
        if exc.status == 503:
            found = f"a server of ours listens on {where}, and is not well"
            return problem("port", found, "novel-tasks healthcheck, and its log, say why", why="it refuses work")
    except (NovelTasksError, TimeoutError):
        pass
    else:
        return ok("port", f"a server of ours listens on {where}, and is well")
    mend = f"novel-tasks serve --port {config.port + 1}, or end what uses it: ss -ltnp 'sport = :{config.port}'"
    if refused != os.strerror(errno.EADDRINUSE):
        mend = "set API_HOST to an address of this machine (127.0.0.1 or 0.0.0.0), and API_PORT to one above 1023"
    return problem("port", f"cannot listen on {where}: {refused}", mend, why="`serve` would end at once")


def check_dotenv(path: Path) -> Iterator[Finding]:
    """Look whether others on this machine can read secrets in a settings file."""
    try:
        mode = path.stat().st_mode
        secrets = sorted(name for name, value in read_dotenv(path).items() if _is_secret(name, value))
    except (OSError, ConfigError):
        return
    if secrets and mode & (stat.S_IRGRP | stat.S_IROTH):
        found = f"{path} can be read by others, and holds {', '.join(secrets)}"
        yield warning("secrets", found, f"chmod 600 {shlex.quote(str(path))}", why="they could act in your name")


def _is_secret(name: str, value: str) -> bool:
    if name in ("SECRET_KEY", "JWT_KEY", "NOVEL_TASKS_TOKEN"):
        return bool(value)
    return name == "DATABASE_URL" and re.search(r"://[^/@]*:[^/@]+@", value) is not None


def check_limits() -> Finding:
    """Look how many files and connections the system lets `serve` have open: it takes all that it is granted."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY or most >= FEW_FILES:
        return ok("limits", "as many connections as anybody needs")
    found = f"at most {most:,} files and connections at once"
    mend = "ulimit -Hn 65536 as root, or LimitNOFILE=65536 in the systemd unit"
    return warning("limits", found, mend, why="each page that is open, and each upload, takes one")


def _refusal(host: str, port: int) -> str | None:
    """Return why nobody can listen there, None if one can."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as exc:
        return exc.strerror or str(exc)
    return None
