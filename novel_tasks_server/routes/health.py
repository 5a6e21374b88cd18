"""How the service is: for people and monitors, for orchestrators, and its figures."""

from __future__ import annotations

import asyncio

import structlog
from aiohttp import web

from novel_tasks_core import Health, NovelTasksError
from novel_tasks_server.access.addresses import is_local
from novel_tasks_server.access.bearer import scope_missing
from novel_tasks_server.access.gate import GATE
from novel_tasks_server.access.origins import names_this_machine
from novel_tasks_server.keys import CONFIG, ENGINE, METRICS
from novel_tasks_server.metrics import CONTENT_TYPE
from novel_tasks_server.middlewares.draining import DRAINING
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.routes.replies import json_response
from novel_tasks_server.schemas.access import Scope
from novel_tasks_server.schemas.views import HealthView, MessageView

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
_QUEUE_SECONDS = 2.0
"""How long the metrics wait for the database: whoever asks for them gives up after ten seconds or so."""


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [
        Operation(
            "GET", "/health", show_health, tag=Tag.SERVICE, scope=None, answers={200: HealthView, 503: HealthView}
        ),
        Operation("GET", "/livez", show_alive, tag=Tag.SERVICE, scope=None, answers={200: MessageView}),
        Operation(
            "GET",
            "/readyz",
            show_ready,
            tag=Tag.SERVICE,
            scope=None,
            answers=dict.fromkeys((200, 503), MessageView | HealthView),
        ),
        Operation(
            "GET", "/metrics", show_metrics, tag=Tag.SERVICE, scope=None, media_types=("text/plain",), problems=(403,)
        ),
    ]


async def show_health(request: web.Request) -> web.Response:
    """Answer how database and storage are; 503 when one of them is not well."""
    health = await _health(request)
    return json_response(HealthView.of(health), status=200 if health.healthy else 503)


async def show_alive(request: web.Request) -> web.Response:
    """Answer that the event loop turns."""
    return json_response(MessageView("alive"))


async def show_ready(request: web.Request) -> web.Response:
    """Answer whether to send requests here: 503 while stopping or unwell. `?verbose` tells which part is."""
    if request.app[DRAINING].begun:
        return json_response(MessageView("stopping"), status=503)
    health = await _health(request)
    brief = MessageView("ready" if health.healthy else "not ready")
    body = HealthView.of(health) if "verbose" in request.query else brief
    return json_response(body, status=200 if health.healthy else 503)


async def _health(request: web.Request) -> Health:
    return await request.app[ENGINE].health(room_bytes=request.app[CONFIG].little_room_bytes)


async def show_metrics(request: web.Request) -> web.Response:
    """Answer with all figures in the text format of Prometheus; to this machine and to admins, unless opened.

    Those of the queue are left out while the database does not tell them in time.
    """
    await _require_insider(request)
    metrics, engine = request.app[METRICS], request.app[ENGINE]
    metrics.show_pool(engine.pool_status())
    try:
        async with asyncio.timeout(_QUEUE_SECONDS):
            metrics.show_queue(await engine.queue_status())
    except (NovelTasksError, TimeoutError) as exc:
        metrics.forget_queue()
        _log.warning("queue_not_measured", error=type(exc).__name__)
    return web.Response(body=metrics.render(), headers={"Content-Type": CONTENT_TYPE})


async def _require_insider(request: web.Request) -> None:
    """Raise RequestRefusedError (401, 403) for who is neither on this machine nor admin, unless all may see."""
    if request.app[CONFIG].metrics_public or (is_local(request) and names_this_machine(request)):
        return
    principal = await request.app[GATE].identify(request)
    if not principal.is_admin:
        raise scope_missing(Scope.ADMIN)
