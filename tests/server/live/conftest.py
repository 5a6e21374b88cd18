"""Sockets of the running application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import ClientWebSocketResponse, ClientWSTimeout, web
from aiohttp.test_utils import TestClient

from novel_tasks_server.live.hub import HUB, ConnectionManager
from tests.server.live.talking import Connect

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def connect(client: Client) -> AsyncIterator[Connect]:
    """Open sockets, by default each with a client id of its own."""
    async with AsyncExitStack() as stack:

        async def opened(client_id: str | None = None, **kwargs: Any) -> ClientWebSocketResponse:
            path = f"/api/v1/ws/tasks/{client_id or uuid4().hex}"
            timeout = ClientWSTimeout(ws_close=0.5)
            return await stack.enter_async_context(client.ws_connect(path, timeout=timeout, **kwargs))

        yield opened


@pytest.fixture
def hub(app: web.Application, client: Client) -> ConnectionManager:
    """The hub of the running application."""
    return app[HUB]
