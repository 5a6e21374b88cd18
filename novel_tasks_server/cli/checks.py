"""Looking whether `serve` can listen where it is to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping

from novel_tasks_core import NovelTasksError
from novel_tasks_server.checks import Finding, ok, problem
from novel_tasks_server.cli.settings import server_url
from novel_tasks_server.client import Client, ServerRefusedError
from novel_tasks_server.config import ServerConfig


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
            mend = "see what it says: `novel-tasks healthcheck`, and its log"
            return problem("port", f"a server of ours listens on {where}, and is not well", mend)
    except (NovelTasksError, TimeoutError):
        pass
    else:
        return ok("port", f"a server of ours listens on {where}, and is well")
    mend = "end what uses it, or set API_HOST and API_PORT to another address"
    return problem("port", f"cannot listen on {where}: {refused}", mend)


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
