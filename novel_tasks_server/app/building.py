"""What the application is made of, and in which order.

Built first to last, taken down last to first: engine, worker, gate, hub of the sockets, the watch over the event loop.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import structlog
from aiohttp import WSCloseCode, web

from novel_tasks_core import ConfigError, Processors, TaskEngine, UnknownProcessorError
from novel_tasks_server.access.gate import GATE, Gate
from novel_tasks_server.access.jwts import JwtVerifier, jwt_verifier
from novel_tasks_server.access.links import LINKS, LinkSigner
from novel_tasks_server.access.rates import RATES, Rates, tell_quota
from novel_tasks_server.app.lag import lag_context
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.keys import CONFIG, ENGINE, METRICS, WORKER
from novel_tasks_server.live.doorkeeper import Doorkeeper
from novel_tasks_server.live.hub import HUB, ConnectionManager
from novel_tasks_server.live.speech import SPEECHES, Speeches
from novel_tasks_server.live.stream import STREAMS, Streams
from novel_tasks_server.logs import TaskLog
from novel_tasks_server.metrics import Metrics
from novel_tasks_server.middlewares.access_log import tell_requests
from novel_tasks_server.middlewares.auth import require_scopes
from novel_tasks_server.middlewares.cors import allow_origins
from novel_tasks_server.middlewares.cross_site import refuse_other_sites
from novel_tasks_server.middlewares.draining import DRAINING, Draining
from novel_tasks_server.middlewares.encodings import refuse_encoded_bodies
from novel_tasks_server.middlewares.errors import answer_errors
from novel_tasks_server.middlewares.request_id import echo_request_id, name_requests
from novel_tasks_server.middlewares.security_headers import set_security_headers
from novel_tasks_server.openapi import add_operations
from novel_tasks_server.routes import (
    artifacts,
    bulk,
    chapters,
    dashboard,
    health,
    history,
    links,
    live,
    processing,
    queue,
    reference,
    service,
    system,
    tasks,
    tokens,
    uploads,
)
from novel_tasks_server.routes.previews import PREVIEWS, Previews

KEEPALIVE_SECONDS = 15.0
"""How long an idle connection stays, and how long a client may take over its headers."""

LINGER_SECONDS = 3.0
"""How long the rest of a refused body is read and thrown away, so that the client gets to see the refusal."""

GOODBYE_SECONDS = 0.75
"""How long sockets may take to answer when the service stops: it must not take longer than its grace for them."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_MIDDLEWARES = (
    name_requests,  # first, so that whatever follows can be told apart in the logs
    tell_requests,  # sees the final status of every answer
    allow_origins,  # marks problems too, else pages could not read why they were refused
    answer_errors,
    refuse_other_sites,
    require_scopes,
    refuse_encoded_bodies,
)
"""Outermost first."""

_ROUTES = (
    health,
    service,
    system,
    chapters,
    bulk,
    tasks,
    processing,
    history,
    artifacts,
    links,
    queue,
    live,
    tokens,
    reference,
    dashboard,
)
"""Fixed paths before those with an id in them."""


def create_app(
    config: ServerConfig, *, engine: TaskEngine | None = None, processors: Processors | None = None
) -> web.Application:
    """Build the application.

    Without `engine` it opens one by `config.engine` when it starts, and runs a worker unless the settings
    say otherwise; both close with it. `processors` is what that engine knows: by default the built-in ones
    and those that installed packages offer. An engine that is given stays the caller's: it is neither
    closed nor given a worker, and reports nothing to the metrics.

    Raises: ConfigError for settings of JWTs that are incomplete or weak.

    Starting raises: ConfigError when the default processor does not exist, and what opening an engine raises.
    """
    app = web.Application(
        middlewares=_MIDDLEWARES,
        client_max_size=256 * 1024,
        handler_args={
            "access_log": None,  # `tell_requests` does that
            "auto_decompress": False,
            "keepalive_timeout": KEEPALIVE_SECONDS,
            "lingering_time": LINGER_SECONDS,
        },
    )
    app[CONFIG] = config
    app[METRICS] = Metrics()
    app[DRAINING] = Draining()
    app[RATES] = Rates(config)
    app[PREVIEWS] = Previews(config.engine)
    app[LINKS] = LinkSigner(config.secret_key)
    app[reference.DOCUMENT] = reference.Document(app)
    app[dashboard.SHELF] = dashboard.Shelf()
    app[queue.HISTORIES] = queue.Histories(app)
    app[system.SYSTEM] = system.System(app)
    app.on_startup.append(app[system.SYSTEM].start)
    engine_context = _given_engine(engine) if engine else _own_engine(processors)
    gate_context = _gate_context(jwt_verifier(config))
    app.cleanup_ctx.extend((engine_context, gate_context, _hub_context, lag_context))
    app.on_shutdown.extend((close_sockets, _stop_previews))
    app.on_response_prepare.extend((echo_request_id, tell_quota, set_security_headers))
    for module in _ROUTES:
        add_operations(app, module.routes())
    add_operations(app, uploads.routes(app[METRICS]))
    if config.ignored:
        _log.warning("settings_ignored", names=", ".join(config.ignored))
    return app


_Context = Callable[[web.Application], AsyncIterator[None]]


def _given_engine(engine: TaskEngine) -> _Context:
    async def context(app: web.Application) -> AsyncIterator[None]:
        _take_engine(app, engine)
        yield

    return context


def _own_engine(processors: Processors | None) -> _Context:
    async def context(app: web.Application) -> AsyncIterator[None]:
        known = _all_processors() if processors is None else processors
        async with AsyncExitStack() as stack:
            opening = TaskEngine.open(app[CONFIG].engine, processors=known, observers=[app[METRICS], TaskLog()])
            engine = await stack.enter_async_context(opening)
            _take_engine(app, engine)
            if app[CONFIG].runs_worker:
                app[WORKER] = await stack.enter_async_context(engine.worker())
            yield

    return context


def _all_processors() -> Processors:
    processors = Processors.builtin()
    processors.load_entry_points()
    return processors


def _take_engine(app: web.Application, engine: TaskEngine) -> None:
    app[ENGINE] = engine
    try:
        engine.processors.get(app[CONFIG].default_processor)
    except UnknownProcessorError as exc:
        raise ConfigError("DEFAULT_PROCESSOR", f"must be one of {', '.join(exc.known)}") from exc


def _gate_context(jwt: JwtVerifier | None) -> _Context:
    async def context(app: web.Application) -> AsyncIterator[None]:
        app[GATE] = Gate(app[CONFIG], app[ENGINE].tokens, failures=app[RATES].failures, jwt=jwt)
        await _tell_first_token(app[GATE])
        await _warn_of_any_page(app[CONFIG], app[GATE])
        yield
        await app[GATE].close()

    return context


async def _tell_first_token(gate: Gate) -> None:
    """Show the token of a server that nobody could use otherwise: to whoever starts it, and never to a log."""
    secret = await gate.first_token()
    if secret is not None:
        sys.stderr.write(f"First token (owner admin, may do everything, shown only now): {secret}\n")
        sys.stderr.flush()
    elif await gate.is_shut():
        _log.warning("no_tokens", advice="novel-tasks token create --owner NAME --scopes admin")


async def _warn_of_any_page(config: ServerConfig, gate: Gate) -> None:
    """Tell whoever lets every page in that the door is open to all of them."""
    if "*" in config.cors_origins and await gate.is_open():
        _log.warning("open_to_every_page", advice="name the pages in CORS_ORIGINS, or make a token")


async def _hub_context(app: web.Application) -> AsyncIterator[None]:
    app[HUB] = hub = ConnectionManager(app[ENGINE], metrics=app[METRICS])
    doorkeeper = Doorkeeper(app[GATE].recheck)
    app[SPEECHES] = Speeches.of(hub, doorkeeper)
    app[STREAMS] = Streams(app[METRICS], doorkeeper)
    yield
    await close_sockets(app)
    await doorkeeper.close()


async def _stop_previews(app: web.Application) -> None:
    await app[PREVIEWS].close()


async def close_sockets(app: web.Application) -> None:
    """Tell all sockets how their tasks stand, and that the service restarts; again it does nothing."""
    app[STREAMS].close()
    if not app[HUB].closed:
        reason = "the service is restarting"
        await app[HUB].close(code=WSCloseCode.SERVICE_RESTART, reason=reason, patience_seconds=GOODBYE_SECONDS)
