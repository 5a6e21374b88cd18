"""Sending stored files: whole, in part, or not at all when the client has them (RFC 9110, 13 and 14)."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from math import ceil
from os import stat_result
from pathlib import Path

from aiohttp import ETag, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web_request import BaseRequest
from attrs import frozen
from multidict import CIMultiDict

from novel_tasks_server.problems import RequestRefusedError

_RANGES = re.compile(r"\s*bytes\s*=\s*(.*)", re.ASCII | re.IGNORECASE | re.DOTALL)
_RANGE = re.compile(r"([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", re.ASCII)


@frozen(kw_only=True)
class StoredBytes:
    """A file of the store: where it is, and what is known of it."""

    path: Path
    size: int
    sha256: str


async def send_file(request: web.Request, file: StoredBytes, headers: Mapping[str, str]) -> web.FileResponse:
    """Answer with a file, or with the one part of it that is asked for, if it is still the file that is meant.

    Several parts at once, and units other than bytes, are answered with the whole file.

    Raises: RequestRefusedError: 404 when the file is gone from the store, 412 when it is not what If-Match or
    If-Unmodified-Since ask for, 416 for a part that holds nothing.
    """
    try:
        found = await asyncio.to_thread(file.path.stat)
    except OSError as exc:
        raise RequestRefusedError(404, "file-gone", "The file is gone from the store.") from exc
    tag = ETag(value=f"{found.st_mtime_ns:x}-{found.st_size:x}")  # as FileResponse writes it
    _check_preconditions(request, tag, found)
    digest = b64encode(bytes.fromhex(file.sha256)).decode()
    own = {"Repr-Digest": f"sha-256=:{digest}:", "Cache-Control": "private, no-cache"}
    ranges = _RANGES.fullmatch(request.headers.get("Range", ""))
    wants_part = ranges is not None and "," not in ranges[1] and _is_same(request.headers.get("If-Range"), tag, found)
    if wants_part and ranges is not None and not _is_known(request, tag):
        _check_range(ranges[1], file.size)
    return _Download(file.path, headers={**headers, **own}, wants_part=wants_part)


class _Download(web.FileResponse):
    """A FileResponse that looks at Range only if it is told to."""

    def __init__(self, path: Path, *, headers: Mapping[str, str], wants_part: bool) -> None:
        super().__init__(path, headers=dict(headers))
        self._wants_part = wants_part

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        if "Range" not in request.headers:
            return await super().prepare(request)
        kept = CIMultiDict(request.headers)
        kept.popall("If-Range", None)  # it has been looked at
        if not self._wants_part:
            kept.popall("Range")
        return await super().prepare(request.clone(headers=kept))


def _check_preconditions(request: web.Request, tag: ETag, found: stat_result) -> None:
    wanted, since = request.if_match, request.if_unmodified_since
    fails = wanted is None and since is not None and found.st_mtime > since.timestamp()
    if fails or (wanted is not None and not any(w.value == "*" or w == tag for w in wanted)):
        raise RequestRefusedError(412, "precondition-failed", "The file is not the one that is asked for.")


def _is_known(request: web.Request, tag: ETag) -> bool:
    return any(known.value in (tag.value, "*") for known in request.if_none_match or ())


def _is_same(condition: str | None, tag: ETag, found: stat_result) -> bool:
    """Say whether the file is the one that If-Range means; a weak tag, or what is no condition, means none."""
    if condition is None:
        return True
    if condition.strip().startswith(('"', "W/")):
        return condition.strip() == f'"{tag.value}"'
    try:
        return ceil(found.st_mtime) == parsedate_to_datetime(condition).timestamp()  # as Last-Modified has it
    except (ValueError, OverflowError):
        return False


def _check_range(text: str, size: int) -> None:
    """Raise RequestRefusedError (416) unless this part holds something of `size` bytes."""
    match = _RANGE.fullmatch(text)
    first, last = match.groups() if match else ("", "")
    holds = (int(first) < size and (not last or int(first) <= int(last))) if first else bool(last) and int(last) > 0
    if not holds:
        raise RequestRefusedError(
            416, "range-not-satisfiable", f"The file has {size} bytes.", headers={"Content-Range": f"bytes */{size}"}
        )
