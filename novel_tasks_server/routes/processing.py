"""More work on a novel that is here already."""

from __future__ import annotations

from aiohttp import web
from attrs import evolve

from novel_tasks_core import Source, SourceNotFoundError, Task, format_task_id
from novel_tasks_server.keys import CONFIG, ENGINE, PRINCIPAL
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.routes.access import require_visible, visible_task
from novel_tasks_server.routes.replies import body_of, json_response
from novel_tasks_server.routes.submitting import submit_once
from novel_tasks_server.routes.uploads import FIRST_STEPS
from novel_tasks_server.schemas.access import Scope
from novel_tasks_server.schemas.requests import ProcessRequest
from novel_tasks_server.schemas.views import ProcessingView


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [
        Operation(
            "POST",
            "/api/v1/tasks/{task_id}/process",
            process_task,
            tag=Tag.TASKS,
            scope=Scope.WRITE,
            body=ProcessRequest,
            needs_body=False,
            answers={202: ProcessingView},
            sends=("Location",),
            problems=(409,),
            leads_to=dict.fromkeys(FIRST_STEPS, "$response.body#/task_id"),
        )
    ]


async def process_task(request: web.Request) -> web.Response:
    """Queue a new task on the source of a task, or on one of its artifacts; the task itself stays as it is.

    Without a processor it is the default one. The same work on the same bytes is asked for once, as with uploads:
    `on_duplicate` says what happens then. The new task is the caller's.
    """
    wanted = await body_of(request, ProcessRequest, is_optional=True)
    engine, processor = request.app[ENGINE], wanted.processor or request.app[CONFIG].default_processor
    options = engine.processors.validate(processor, wanted.options)
    source = await _material(request, wanted.artifact)
    task = await submit_once(
        engine,
        source,
        evolve(wanted, processor=processor, options=options),
        owner=request[PRINCIPAL].owner,
        note=f"asked for {processor} of {source.name} ({source.size} bytes)",
    )
    return _accepted(task)


async def _material(request: web.Request, artifact: str | None) -> Source:
    """Return what to work on. Raises: TaskNotFoundError, ArtifactNotFoundError, SourceNotFoundError."""
    if artifact is not None:
        return await request.app[ENGINE].artifact_source(await require_visible(request), artifact)
    task = await visible_task(request)
    if task.source is None:
        raise SourceNotFoundError("of a task that has no source")
    return task.source


def _accepted(task: Task) -> web.Response:
    task_id = format_task_id(task.id)
    view = ProcessingView(
        task_id=task_id,
        status="processing",
        message="This work has already been asked for" if task.duplicate else "Processing started",
        duplicate=task.duplicate,
    )
    return json_response(view, status=202, headers={"Location": f"/api/v1/tasks/{task_id}"})
