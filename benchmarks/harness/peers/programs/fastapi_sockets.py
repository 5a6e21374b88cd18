"""Sockets as services built with FastAPI usually have them: a list of connections, and a loop that awaits each.

`python -m benchmarks.harness.peers.programs.fastapi_sockets PORT CONTROL_PORT`
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from benchmarks.harness.updates import controlled, update


class ConnectionManager:
    """The class of FastAPI's own manual."""

    def __init__(self) -> None:
        self.active_connections: list[WebSocket] = []

    async def connect(self, websocket: WebSocket) -> None:
        """Accept a connection."""
        await websocket.accept()
        self.active_connections.append(websocket)

    def disconnect(self, websocket: WebSocket) -> None:
        """Forget a connection."""
        self.active_connections.remove(websocket)

    async def broadcast(self, message: str) -> None:
        """Send a message to each connection, one after the other."""
        for connection in self.active_connections:
            await connection.send_text(message)


def make_app(control_port: int) -> FastAPI:
    """Build the application."""
    manager = ConnectionManager()

    async def publish(percentage: int) -> None:
        await manager.broadcast(update(percentage))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        server = await controlled(control_port, publish)
        yield
        server.close()

    async def follow(websocket: WebSocket, client_id: str) -> None:
        await manager.connect(websocket)
        try:
            while True:
                await websocket.receive_text()
                await websocket.send_text(update(0))
        except WebSocketDisconnect:
            manager.disconnect(websocket)

    app = FastAPI(lifespan=lifespan)
    app.add_api_websocket_route("/api/v1/ws/tasks/{client_id}", follow)
    return app


if __name__ == "__main__":
    port, control_port = map(int, sys.argv[1:])
    uvicorn.run(make_app(control_port), host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1)
