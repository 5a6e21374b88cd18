"""Where handlers find what they work with: typed keys of the application and of a request.

Keys of classes of this package's upper layers stand beside those classes.
"""

from __future__ import annotations

from aiohttp import web

from novel_tasks_core import TaskEngine, Worker
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.metrics import Metrics
from novel_tasks_server.schemas.access import Principal

CONFIG = web.AppKey("config", ServerConfig)
ENGINE = web.AppKey("engine", TaskEngine)
METRICS = web.AppKey("metrics", Metrics)
WORKER = web.AppKey("worker", Worker)
"""The worker of this process; missing when the application runs none."""

REQUEST_ID = web.RequestKey("request_id", str)
"""What names one request in logs, problems and the X-Request-ID header."""

PRINCIPAL = web.RequestKey("principal", Principal)
"""Whoever the request comes from: there in every handler."""
