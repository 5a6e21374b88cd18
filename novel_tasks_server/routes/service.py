"""What this server can do, and how much of it one may ask for."""

from __future__ import annotations

from importlib.metadata import version

from aiohttp import web

from novel_tasks_server.access.gate import GATE
from novel_tasks_server.keys import CONFIG, ENGINE
from novel_tasks_server.live.protocol_v1 import SUBPROTOCOL
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.routes.forms import MAX_FIELD_BYTES
from novel_tasks_server.routes.replies import MAX_JSON_BYTES, json_response
from novel_tasks_server.schemas.access import Principal, Scope
from novel_tasks_server.schemas.requests import MAX_PAGE_SIZE
from novel_tasks_server.schemas.views import LimitsView, MetaView, ProcessorListView, ProcessorView


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [
        Operation(
            "GET",
            "/api/v1/processors",
            list_processors,
            tag=Tag.SERVICE,
            scope=Scope.READ,
            answers={200: ProcessorListView},
        ),
        Operation("GET", "/api/v1/meta", show_meta, tag=Tag.SERVICE, scope=None, answers={200: MetaView}),
    ]


async def list_processors(request: web.Request) -> web.Response:
    """Answer with every kind of work that can be asked for, and the JSON schema of its options."""
    engine = request.app[ENGINE]
    known = engine.processors
    views = [
        ProcessorView.of(
            known.get(name), schema=known.options_schema(name), timeout_seconds=engine.config.task_timeout_seconds
        )
        for name in known.names()
    ]
    return json_response(ProcessorListView(processors=views))


async def show_meta(request: web.Request) -> web.Response:
    """Answer with what a client must know before it asks for anything; needs no token and tells no secret."""
    config, principal = request.app[CONFIG], await _known_as(request)
    view = MetaView(
        title=config.title,
        version=config.version,
        software_version=version("novel-tasks"),
        authentication=not await request.app[GATE].is_open_to(request),
        jwt=config.jwt_algorithm is not None,
        owner=principal.owner if principal else None,
        scopes=tuple(sorted(principal.scopes)) if principal else None,
        subprotocols=(SUBPROTOCOL,),
        default_processor=config.default_processor,
        processors=request.app[ENGINE].processors.names(),
        allowed_extensions=config.allowed_extensions,
        limits=LimitsView(
            max_file_size=config.max_file_size,
            max_field_size=MAX_FIELD_BYTES,
            max_json_size=MAX_JSON_BYTES,
            max_page_size=MAX_PAGE_SIZE,
            rate_limit=config.rate_limit,
            upload_rate_limit=config.upload_rate_limit,
        ),
    )
    return json_response(view)


async def _known_as(request: web.Request) -> Principal | None:
    """Return whoever asks, None for those who would be asked for a token, or for another one."""
    try:
        return await request.app[GATE].identify(request)
    except RequestRefusedError:
        return None
