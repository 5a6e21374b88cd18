"""Forms with one file in them, read once from front to back: the text fields may come before or after it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence

from aiohttp import web

from novel_tasks_core import Complaint, FaultCode, Source
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
from novel_tasks_server.schemas.decoding import FieldFault, InvalidRequestError

MAX_FIELD_BYTES = 64 * 1024
"""The longest text field."""

_ROOM_BESIDE_FILE = 1024 * 1024


class FileForm:
    """One multipart body with a file in the field `file`.

    The file has at most `max_file_size` bytes and one of the `extensions`. `check` is called with the text fields
    that are filled in, after the last byte of the body and before the stream of the file ends.
    """

    def __init__(
        self,
        request: web.Request,
        *,
        max_file_size: int,
        extensions: Sequence[str],
        check: Callable[[Mapping[str, str]], object],
    ) -> None:
        self._max_file_size = max_file_size
        self._extensions = extensions
        self._check = check
        self._parser = MultipartParser(boundary_of(request.headers.get("Content-Type", "")))
        self._body = BodyReader(request, limit=max_file_size + _ROOM_BESIDE_FILE)
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
            raise _invalid("/file", FaultCode.FILE_MISSING, "no file: send it in the field 'file'")
        self._check_extension(name)
        return name

    async def file_then_rest(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the file, then read and check everything that remains.

        Raises: as `find_file`, and what `check` raises.
        """
        size = 0
        while isinstance(event := await self._next(), PartData):
            size += len(event.data)
            if size > self._max_file_size:
                raise self._too_large()
            yield event.data
        if not size:
            raise _invalid("/file", FaultCode.FILE_EMPTY, "the file is empty")
        if await self._read_fields() is not None:
            raise _invalid("/file", FaultCode.FILE_SECOND, "send one file at a time")
        self._check({name: text for name, text in self._texts.items() if text.strip()})

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
            raise _invalid("/file", FaultCode.FILE_UNNAMED, "the file needs a name")
        if part.file_name is not None:
            said = "not a field for files: send the file in the field 'file'"
            raise _invalid(f"/{part.name}", FaultCode.FILE_MISPLACED, said)
        if part.name in self._texts:
            raise _invalid(f"/{part.name}", FaultCode.REPEATED, "given twice")
        return part.name

    def _check_extension(self, name: str) -> None:
        if Source(sha256="", size=0, name=name).file_type not in self._extensions:
            allowed = ", ".join(self._extensions)
            raise RequestRefusedError(415, "file-type-not-allowed", f"File type not allowed. Allowed types: {allowed}")

    def _too_large(self) -> RequestRefusedError:
        return RequestRefusedError(413, "file-too-large", f"File too large. Maximum size: {self._max_file_size} bytes")


def _invalid(pointer: str, code: FaultCode, detail: str) -> InvalidRequestError:
    return InvalidRequestError(FieldFault(pointer, Complaint(detail, code)))
