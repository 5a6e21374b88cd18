"""File names from clients: data to show, never a path."""

from __future__ import annotations

import re
from urllib.parse import quote

from novel_tasks_core import Complaint, FaultCode
from novel_tasks_server.schemas.decoding import FieldFault, InvalidRequestError, text_fault

MAX_NAME = 255
"""The longest file name that is kept, in characters; the extension survives the cut."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def base_name(name: str) -> str:
    """Reduce a client's file name to the last part of its path, without control characters, at most 255 long.

    Raises: InvalidRequestError for NUL, lone surrogates, and names of which nothing is left.
    """
    if fault := text_fault(name):
        raise InvalidRequestError(FieldFault("/file", Complaint(f"the file name {fault}", fault.code)))
    base = _CONTROL.sub("", name.replace("\\", "/").rstrip("/").rpartition("/")[2]).strip()
    if base in ("", ".", ".."):
        raise InvalidRequestError(FieldFault("/file", Complaint("the file needs a name", FaultCode.FILE_UNNAMED)))
    return _shortened(base)


def _shortened(name: str) -> str:
    if len(name) <= MAX_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 16:
        return name[:MAX_NAME]
    return f"{stem[: MAX_NAME - len(extension) - 1]}.{extension}"


def download_name(artifact: str, *, of: str | None) -> str:
    """Return the name under which an artifact is saved: that of the novel, `of`, and what it is of that.

    `novel.epub` of `Moby-Dick.txt` is `Moby-Dick.epub`, `report.html` is `Moby-Dick report.html`.
    """
    if of is None:
        return artifact
    stem = of.rpartition(".")[0] or of
    return _shortened(stem + artifact.removeprefix("novel") if artifact.startswith("novel.") else f"{stem} {artifact}")


def content_disposition(kind: str, name: str) -> str:
    """Write a Content-Disposition for any name: plain ASCII for old clients, RFC 8187 for the others."""
    plain = re.sub(r'[^\x20-\x7e]|["\\%;]', "_", name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
