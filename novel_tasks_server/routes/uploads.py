"""Taking novels in: streamed to the store while they are hashed, all or nothing.

The stream that the store consumes does not end with the file: it reads the rest of the body, checks
every field, and only then lets the store finish. A request that is refused leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from aiohttp import web
from attrs import evolve
from prometheus_async import aio

from novel_tasks_core import Source, Task, TaskEngine, format_task_id
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.keys import CONFIG, ENGINE, METRICS, PRINCIPAL
from novel_tasks_server.metrics import Metrics
from novel_tasks_server.middlewares.draining import DRAINING
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.routes.bodies import BodyReader
from novel_tasks_server.routes.multipart import (
    MultipartParser,
    PartData,
    PartEnded,
    PartEvent,
    PartStarted,
    boundary_of,
)
from novel_tasks_server.routes.names import base_name
from novel_tasks_server.routes.replies import json_response
from novel_tasks_server.routes.submitting import submit_once
from novel_tasks_server.schemas.access import Scope
from novel_tasks_server.schemas.decoding import FieldFault, InvalidRequestError, decode_text
from novel_tasks_server.schemas.requests import UploadFields
from novel_tasks_server.schemas.views import UploadView

MAX_FIELD_BYTES = 64 * 1024
"""The longest text field."""

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

_ROOM_BESIDE_FILE = 1024 * 1024
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
        name = await form.find_file()
        async with aclosing(form.file_then_rest()) as stream:
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
    """One multipart body, read once from front to back; `fields` is complete when the file stream has ended."""

    def __init__(self, request: web.Request, config: ServerConfig, engine: TaskEngine) -> None:
        self.fields = _NO_FIELDS
        self._config = config
        self._engine = engine
        self._parser = MultipartParser(boundary_of(request.headers.get("Content-Type", "")))
        self._body = BodyReader(request, limit=config.max_file_size + _ROOM_BESIDE_FILE)
        self._events: Iterator[PartEvent] = iter(())
        self._texts: dict[str, str] = {}

    async def _next(self) -> PartEvent | None:
        """Read on; None at the end of the body."""
        while True:
            for event in self._events:
                return event
            data = await self._body.read()
            if not data:
                self._parser.finish()
                return None
            self._events = self._parser.feed(data)

    async def find_file(self) -> str:
        """Read up to the bytes of the file and return its name, reduced to what is data.

        Raises: RequestRefusedError, MalformedBodyError, InvalidRequestError.
        """
        name = await self._read_fields()
        if name is None:
            raise _invalid("/file", "no file: send it in the field 'file'")
        self._check_extension(name)
        return name

    async def file_then_rest(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the file, then read and check everything that remains.

        Raises: as `find_file`, UnknownProcessorError, InvalidOptionsError; the store then keeps nothing.
        """
        size = 0
        while isinstance(event := await self._next(), PartData):
            size += len(event.data)
            if size > self._config.max_file_size:
                raise self._too_large()
            yield event.data
        if not size:
            raise _invalid("/file", "the file is empty")
        if await self._read_fields() is not None:
            raise _invalid("/file", "send one file at a time")
        self.fields = self._check_fields()

    async def _read_fields(self) -> str | None:
        """Collect text fields until the next file begins; return its base name, None at the end of the body."""
        name, text = "", bytearray()
        while event := await self._next():
            match event:
                case PartStarted(name="file", file_name=str(given)) if given:
                    return base_name(given)
                case PartStarted():
                    name, text = self._new_field(event), bytearray()
                case PartData():
                    text += event.data
                    if len(text) > MAX_FIELD_BYTES:
                        raise RequestRefusedError(413, "too-large", f"A text field may have {MAX_FIELD_BYTES} bytes.")
                case PartEnded():
                    self._texts[name] = text.decode("utf-8", "surrogateescape")
        return None

    def _new_field(self, part: PartStarted) -> str:
        if part.name == "file":
            raise _invalid("/file", "the file needs a name")
        if part.file_name is not None:
            raise _invalid(f"/{part.name}", "not a field for files: send the file in the field 'file'")
        if part.name in self._texts:
            raise _invalid(f"/{part.name}", "given twice")
        return part.name

    def _check_fields(self) -> UploadFields:
        texts = {name: text for name, text in self._texts.items() if text.strip()}
        fields = decode_text(texts, UploadFields) if texts else _NO_FIELDS
        processor = fields.processor or self._config.default_processor
        options = self._engine.processors.validate(processor, fields.options)
        return evolve(fields, processor=processor, options=options)

    def _check_extension(self, name: str) -> None:
        allowed = self._config.allowed_extensions
        if Source(sha256="", size=0, name=name).file_type not in allowed:
            raise RequestRefusedError(
                415, "file-type-not-allowed", f"File type not allowed. Allowed types: {', '.join(allowed)}"
            )

    def _too_large(self) -> RequestRefusedError:
        limit = self._config.max_file_size
        return RequestRefusedError(413, "file-too-large", f"File too large. Maximum size: {limit} bytes")


def _invalid(pointer: str, detail: str) -> InvalidRequestError:
    return InvalidRequestError(FieldFault(pointer, detail))
