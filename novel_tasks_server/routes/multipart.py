"""multipart/form-data (RFC 7578) without I/O: bytes in, parts out, every limit kept.

Stricter than most: no preamble to speak of, no nested parts, no transfer encodings, a name for each
part. What breaks the format raises `MalformedBodyError` or `RequestRefusedError`, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from urllib.parse import unquote_to_bytes

from attrs import frozen

from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.schemas.decoding import MalformedBodyError

MAX_PARTS = 32
"""How many parts one body may have."""

_MAX_HEADER_BYTES = 8192
_MAX_HEADERS = 16
_MAX_PREAMBLE = 1024
_MAX_PADDING = 64
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]", re.ASCII)
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - a token of the HTTP grammar
_PARAMETER = re.compile(rf';\s*({_TOKEN})\s*=\s*("(?:[^"\\]|\\.)*"|[^;"\s]*)\s*', re.DOTALL)
_HEADER = re.compile(rf"({_TOKEN}):[ \t]*(.*?)[ \t]*", re.DOTALL)
_TRANSFER_ENCODINGS = frozenset({"", "7bit", "8bit", "binary"})


@frozen
class PartStarted:
    """The headers of a part: its field name, and its file name if it is a file."""

    name: str
    file_name: str | None


@frozen
class PartData:
    """Some bytes of the part that started last."""

    data: bytes


@frozen
class PartEnded:
    """The part that started last is complete."""


PartEvent = PartStarted | PartData | PartEnded


class _State(Enum):
    PREAMBLE = auto()
    DELIMITER = auto()
    HEADERS = auto()
    BODY = auto()
    EPILOGUE = auto()


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a Content-Type names.

    Raises: RequestRefusedError (415) unless it is multipart/form-data, MalformedBodyError without a boundary.
    """
    kind, _, parameters = content_type.partition(";")
    if kind.strip().lower() != "multipart/form-data":
        raise RequestRefusedError(
            415, "media-type-not-accepted", "Send the file as multipart/form-data, in the field 'file'."
        )
    boundary = _parameters(f";{parameters}").get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise MalformedBodyError("The Content-Type names no usable boundary.")
    return boundary.encode()


class MultipartParser:
    """Takes a body apart as it comes, however it is cut; the bytes of parts are copied as little as can be."""

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._rest = b"\r\n"  # so that the first delimiter looks like the others
        self._data = b""
        self._at = 0
        self._state = _State.PREAMBLE
        self._parts = 0
        self._body_begins = False

    def feed(self, data: bytes) -> Iterator[PartEvent]:
        """Yield what these next bytes complete; to be exhausted before the next call.

        Raises: MalformedBodyError, RequestRefusedError.
        """
        self._data, self._at = self._rest + data, 0
        done = True
        while done:
            match self._state:
                case _State.PREAMBLE:
                    done = self._skip_preamble()
                case _State.DELIMITER:
                    done = self._end_delimiter()
                case _State.HEADERS:
                    started = self._read_headers()
                    done = started is not None
                    if started is not None:
                        yield started
                case _State.BODY:
                    content, done = self._read_body()
                    if content:
                        yield PartData(content)
                    if done:
                        yield PartEnded()
                case _State.EPILOGUE:
                    self._at = len(self._data)
                    done = False
        self._rest, self._data = self._data[self._at :], b""

    def finish(self) -> None:
        """Declare that there are no more bytes. Raises: MalformedBodyError when the body breaks off."""
        if self._state is not _State.EPILOGUE:
            raise MalformedBodyError("The multipart body breaks off before its last boundary.")

    def _skip_preamble(self) -> bool:
        found = self._data.find(self._delimiter)
        if found < 0:
            if len(self._data) > _MAX_PREAMBLE:
                raise MalformedBodyError("The multipart body does not begin with its boundary.")
            return False
        self._at = found + len(self._delimiter)
        self._state = _State.DELIMITER
        return True

    def _end_delimiter(self) -> bool:
        """Read what follows a delimiter: two hyphens after the last part, else the end of the line."""
        left = len(self._data) - self._at
        if left < 2:
            return False
        if self._data.startswith(b"--", self._at):
            self._state = _State.EPILOGUE
            return True
        end = self._data.find(b"\r\n", self._at, self._at + _MAX_PADDING)
        if end < 0 and left < _MAX_PADDING:
            return False
        if end < 0 or self._data[self._at : end].strip(b" \t"):
            raise MalformedBodyError("A boundary line of the multipart body is malformed.")
        self._at = end  # the line's end stays, so that no headers look like an empty first line
        self._state = _State.HEADERS
        return True

    def _read_headers(self) -> PartStarted | None:
        end = self._data.find(b"\r\n\r\n", self._at, self._at + _MAX_HEADER_BYTES)
        if end < 0:
            if len(self._data) - self._at >= _MAX_HEADER_BYTES:
                raise MalformedBodyError("The headers of a part are too long.")
            return None
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise RequestRefusedError(413, "too-many-parts", f"Send at most {MAX_PARTS} parts.")
        headers = _parse_headers(self._data[self._at + 2 : end])
        self._at = end + 2  # again the line's end stays: an empty body ends at once
        self._state = _State.BODY
        self._body_begins = True
        return _describe(headers)

    def _read_body(self) -> tuple[bytes, bool]:
        """Return bytes that surely belong to the part, and whether it ended with them."""
        begin = self._at + (2 if self._body_begins else 0)
        end = self._data.find(self._delimiter, self._at)
        ended = end >= 0
        if not ended:
            end = self._possible_delimiter()
            if end <= begin:
                return b"", False
        self._at = end
        self._body_begins = False
        if ended:
            self._at += len(self._delimiter)
            self._state = _State.DELIMITER
        return self._data[begin:end], ended

    def _possible_delimiter(self) -> int:
        """Return where the data end with what may become a delimiter, their length if they do not."""
        at = max(self._at, len(self._data) - len(self._delimiter) + 1)
        while (at := self._data.find(b"\r", at)) >= 0:
            if self._delimiter.startswith(self._data[at:]):
                return at
            at += 1
        return len(self._data)


def _parse_headers(block: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    lines = block.decode("utf-8", "surrogateescape").split("\r\n") if block else []
    if len(lines) > _MAX_HEADERS:
        raise MalformedBodyError("A part has too many headers.")
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None or "\n" in line or "\r" in line or match[1].lower() in headers:
            raise MalformedBodyError("A header of a part is malformed.")
        headers[match[1].lower()] = match[2]
    return headers


def _describe(headers: Mapping[str, str]) -> PartStarted:
    encoding = headers.get("content-transfer-encoding", "").lower()
    if encoding not in _TRANSFER_ENCODINGS or headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestRefusedError(415, "content-encoding-not-accepted", "Send the parts without any encoding.")
    kind, _, rest = headers.get("content-disposition", "").partition(";")
    if kind.strip().lower() != "form-data":
        raise MalformedBodyError("A part has no Content-Disposition: form-data.")
    parameters = _parameters(f";{rest}")
    if "name" not in parameters:
        raise MalformedBodyError("A part has no name.")
    return PartStarted(name=parameters["name"], file_name=_file_name(parameters))


def _parameters(text: str) -> dict[str, str]:
    """Read `;name=value` pairs; a quoted value loses its quotes, and its backslashes before quotes only."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text.rstrip("; \t")):
        match = _PARAMETER.match(text, at)
        if match is None or match[1].lower() in found:
            raise MalformedBodyError("A header's parameters are malformed.")
        value = match[2]
        if value.startswith('"'):
            value = re.sub(r'\\(["\\])', r"\1", value[1:-1])
        found[match[1].lower()] = value
        at = match.end()
    return found


def _file_name(parameters: Mapping[str, str]) -> str | None:
    """Return the file name: RFC 5987 first, then RFC 2231's pieces, then the plain one as browsers write it."""
    if "filename*" in parameters:
        return _decode_extended(parameters["filename*"])
    if pieces := _pieces(parameters):
        extended = any(is_extended for _, is_extended in pieces)
        return _decode_extended("".join(text for text, _ in pieces)) if extended else "".join(t for t, _ in pieces)
    plain = parameters.get("filename")
    if plain is None:
        return None
    return plain.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def _pieces(parameters: Mapping[str, str]) -> list[tuple[str, bool]]:
    """Return the numbered pieces of a long name, and whether each is percent-encoded."""
    found: list[tuple[str, bool]] = []
    for number in range(MAX_PARTS):
        plain, extended = f"filename*{number}", f"filename*{number}*"
        if plain not in parameters and extended not in parameters:
            break
        is_extended = extended in parameters
        found.append((parameters[extended if is_extended else plain], is_extended))
    return found


def _decode_extended(value: str) -> str:
    charset, _, rest = value.partition("'")
    _, quote, encoded = rest.partition("'")
    if not quote or charset.lower() not in ("utf-8", "us-ascii", "iso-8859-1"):
        raise MalformedBodyError("A file name's encoding is not one of RFC 8187.")
    try:
        return unquote_to_bytes(encoded).decode(charset)
    except UnicodeDecodeError:
        raise MalformedBodyError("A file name is not in the encoding that it names.") from None
