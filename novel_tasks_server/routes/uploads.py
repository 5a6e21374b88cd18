"""Taking novels in: streamed to the store while they are hashed, all or nothing.

The stream that the store consumes does not end with the file: it reads the rest of the body, checks
every field, and only then lets the store finish. A request that is refused leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing

from aiohttp import web
from attrs import evolve
from prometheus_async import aio

from novel_tasks_core import Task, TaskEngine, format_task_id
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.keys import CONFIG, ENGINE, METRICS, PRINCIPAL
from novel_tasks_server.metrics import Metrics
from novel_tasks_server.middlewares.draining import DRAINING
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.routes.forms import FileForm
from novel_tasks_server.routes.replies import json_response
from novel_tasks_server.routes.submitting import submit_once
from novel_tasks_server.schemas.access import Scope
from novel_tasks_server.schemas.decoding import decode_text
from novel_tasks_server.schemas.requests import UploadFields
from novel_tasks_server.schemas.views import UploadView

FIRST_STEPS = (
    "show_task",
    "report_on_task",
    "cancel_task",
    "delete_task",
    "process_task",
    "list_logs",
    "download_source",
)
"""What may be asked of a new task, by the names of the operations."""

_NO_FIELDS = UploadFields()


def routes(metrics: Metrics) -> list[Operation]:
    """Return the table of this module's routes."""
    counted = aio.count_exceptions(metrics.upload_failures, exc=Exception)(upload)
    tracked = aio.track_inprogress(metrics.uploads_in_progress)(counted)
    return [
        Operation(
            "POST",
            "/api/v1/tasks/upload",
            aio.time(metrics.upload_seconds)(tracked),
            tag=Tag.UPLOADS,
            scope=Scope.WRITE,
            body=UploadFields,
            file="file",
            answers={200: UploadView},
            sends=("Location",),
            problems=(409, 507),
            leads_to=dict.fromkeys(FIRST_STEPS, "$response.body#/task_id"),
        )
    ]


async def upload(request: web.Request) -> web.Response:
    """Store the file of the field `file` and make a task of it; 200 says that both are durable."""
    engine, config = request.app[ENGINE], request.app[CONFIG]
    with request.app[DRAINING].upload():
        form = UploadForm(request, config, engine)
        name = await form.file.find_file()
        async with aclosing(form.file.file_then_rest()) as stream:
            source = await engine.store(stream, name=name)
        request.app[METRICS].upload_bytes.inc(source.size)
        note = f"uploaded {source.name} ({source.size} bytes)"
        return _accepted(await submit_once(engine, source, form.fields, owner=request[PRINCIPAL].owner, note=note))


def _accepted(task: Task) -> web.Response:
    assert task.source is not None, "an uploaded task has a source"
    task_id = format_task_id(task.id)
    view = UploadView(
        task_id=task_id,
        file_name=task.source.name,
        file_size=task.source.size,
        status=task.status.value,
        message="This file has already been uploaded" if task.duplicate else "File uploaded successfully",
        duplicate=task.duplicate,
    )
    return json_response(view, headers={"Location": f"/api/v1/tasks/{task_id}"})


class UploadForm:
    """The form of an upload; `fields` is complete when the stream of the file has ended."""

    def __init__(self, request: web.Request, config: ServerConfig, engine: TaskEngine) -> None:
        self.fields = _NO_FIELDS
        self._default_processor = config.default_processor
        self._engine = engine
        self.file = FileForm(
            request,
            max_file_size=config.max_file_size,
            extensions=config.allowed_extensions,
            check=self._check_fields,
        )

    def _check_fields(self, texts: Mapping[str, str]) -> None:
        """Raises: InvalidRequestError, UnknownProcessorError, InvalidOptionsError."""
        fields = decode_text(texts, UploadFields) if texts else _NO_FIELDS
        processor = fields.processor or self._default_processor
        options = self._engine.processors.validate(processor, fields.options)
        self.fields = evolve(fields, processor=processor, options=options)
