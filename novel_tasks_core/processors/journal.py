"""What an attempt has finished so far, section by section, where the next attempt finds it after a crash."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from novel_tasks_core.processors.base import ChildContext

_CHECKPOINT_SECONDS = 1.0
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Journal:
    """A file in the task's work folder with one line of JSON for every finished section. A context manager.

    First read `finished` to its end, then `append`. A line that a crash left half written is dropped, so
    what is read is a prefix of what was appended. A journal under another `key`, as of another version of
    the processor or with other options, counts as empty.
    """

    def __init__(self, ctx: ChildContext, name: str, *, key: str) -> None:
        self._ctx = ctx
        self._key = key
        self._count = 0
        self._taken_over = 0
        self._checkpoint_at = time.monotonic()
        self._file = _open(ctx.work_folder / f"{name}.jsonl", key)

    def __enter__(self) -> Journal:
        """Return the journal."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file; it stays where it is."""
        self._file.close()

    def finished(self) -> Iterator[Any]:
        """Yield the values that former attempts appended, in order, and cut off what follows the last whole one."""
        whole = self._file.tell()
        for line in self._file:
            value = _value(line)
            if value is None:
                break
            whole += len(line)
            self._count += 1
            yield value[0]
        self._taken_over = self._count
        self._file.seek(whole)
        self._file.truncate()

    def append(self, value: Any) -> None:
        """Record one more finished section; tells the database how many there are at most once a second.

        The first one after those of an earlier attempt also tells people, in the task's log.

        Raises: CancelledError as every method of the context does.
        """
        if self._taken_over:
            self._ctx.log(f"{self._taken_over} sections were finished by an earlier attempt")
            self._taken_over = 0
        self._file.write(_encode([value]).encode("utf-8", "surrogatepass") + b"\n")
        self._file.flush()
        self._count += 1
        now = time.monotonic()
        if now - self._checkpoint_at >= _CHECKPOINT_SECONDS:
            self._checkpoint_at = now
            self._ctx.checkpoint({"sections": self._count})


def _open(path: Path, key: str) -> BinaryIO:
    """Open a journal behind its first line, which is its key; begin it anew if that is another."""
    first = _encode([key]).encode() + b"\n"
    path.touch(mode=0o600)
    file = path.open("r+b")
    if file.readline() != first:
        file.seek(0)
        file.truncate()
        file.write(first)
        file.flush()
    return file


def _value(line: bytes) -> list[Any] | None:
    """Read a line; None for one that is not whole."""
    if not line.endswith(b"\n"):
        return None
    try:
        value = json.loads(line.decode("utf-8", "surrogatepass"))
    except ValueError:
        return None
    return value if isinstance(value, list) and len(value) == 1 else None
