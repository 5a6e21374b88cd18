"""What a worker and its child processes say to each other: frozen values in length-prefixed JSON frames.

A frame is the length of its body as four bytes, big-endian, then the body: a JSON object whose `kind`
names the message. Pure: no sockets here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import attrs
from attrs import frozen

from novel_tasks_core.execution.failures import Failure
from novel_tasks_core.execution.jobs import Job

HEADER_BYTES = 4
MAX_FRAME_BYTES = 64 << 20
"""No frame is larger: results and checkpoints have their own, smaller limit, so one that is means a fault."""


class FrameError(ValueError):
    """The other side sent what is not a frame of ours."""


@frozen(kw_only=True)
class Hello:
    """Parent, first: how the child is to set itself up. `memory_bytes` bounds its address space."""

    kind: ClassVar[str] = "hello"
    parent_pid: int
    import_path: list[str]
    python_path: str | None
    memory_bytes: int


@frozen
class Run:
    """Parent: do this job. One at a time."""

    kind: ClassVar[str] = "run"
    job: Job


@frozen
class Cancel:
    """Parent: the job is to stop at its next word to the context."""

    kind: ClassVar[str] = "cancel"


@frozen
class Acknowledge:
    """Parent: the checkpoint is stored."""

    kind: ClassVar[str] = "acknowledge"


@frozen
class Ready:
    """Child, first: set up and waiting."""

    kind: ClassVar[str] = "ready"


@frozen
class Progressed:
    """Child: how far the job is, `fraction` 0..1."""

    kind: ClassVar[str] = "progressed"
    fraction: float
    stage: str


@frozen
class Logged:
    """Child: a line for the task's log."""

    kind: ClassVar[str] = "logged"
    level: str
    message: str


@frozen
class Checkpointed:
    """Child: store this value and acknowledge it."""

    kind: ClassVar[str] = "checkpointed"
    value: Any


@frozen(kw_only=True)
class Staged:
    """Child: an artifact lies in the attempt's folder under `path`; `flushed` tells whether its bytes are on disk."""

    kind: ClassVar[str] = "staged"
    name: str
    content_type: str
    size: int
    sha256: str
    path: str
    flushed: bool = True


@frozen
class Working:
    """Child: the job uses the folder of its task, so that somebody has to see to it at the end."""

    kind: ClassVar[str] = "working"


@frozen
class Returned:
    """Child, last: the processor returned `value`."""

    kind: ClassVar[str] = "returned"
    value: Any = None


@frozen
class Raised:
    """Child, last: the processor raised."""

    kind: ClassVar[str] = "raised"
    failure: Failure


FromParent = Hello | Run | Cancel | Acknowledge
FromChild = Ready | Progressed | Logged | Checkpointed | Staged | Working | Returned | Raised
Message = FromParent | FromChild

_MESSAGES: dict[str, type[Message]] = {
    cls.kind: cls
    for cls in (
        *(Hello, Run, Cancel, Acknowledge),
        *(Ready, Progressed, Logged, Checkpointed, Staged, Working, Returned, Raised),
    )
}
_NESTED: dict[str, Any] = {"job": Job, "failure": Failure}


def encode(message: Message) -> bytes:
    """Make the frame of a message. Raises: FrameError when it is larger than `MAX_FRAME_BYTES`."""
    fields = {"kind": message.kind, **_fields(message)}
    body = json.dumps(fields, separators=(",", ":"), default=_fields).encode("ascii")
    if len(body) > MAX_FRAME_BYTES:
        raise FrameError(f"a message of {len(body):,} bytes is more than {MAX_FRAME_BYTES:,}")
    return len(body).to_bytes(HEADER_BYTES, "big") + body


def _fields(value: Any) -> dict[str, Any]:
    """Return the fields of a message or of what it carries; values inside are not copied."""
    return dict(value) if isinstance(value, Mapping) else attrs.asdict(value, recurse=False)


def body_length(header: bytes | bytearray) -> int:
    """Read the length of the body that follows `header`. Raises: FrameError when it is too large."""
    length = int.from_bytes(header, "big")
    if length > MAX_FRAME_BYTES:
        raise FrameError(f"a message of {length:,} bytes is more than {MAX_FRAME_BYTES:,}")
    return length


def decode(body: bytes) -> Message:
    """Read the message in the body of a frame. Raises: FrameError when it is none."""
    try:
        fields = json.loads(body)
        cls = _MESSAGES[fields.pop("kind")]
        for name, nested in _NESTED.items():
            if name in fields:
                fields[name] = nested(**fields[name])
        return cls(**fields)
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise FrameError(f"not a message: {type(exc).__name__}") from exc


class FrameBuffer:
    """Bytes as they arrive, cut into messages."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Add `data` and yield the messages that are now whole. Raises: FrameError."""
        self._bytes += data
        while len(self._bytes) >= HEADER_BYTES:
            end = HEADER_BYTES + body_length(self._bytes[:HEADER_BYTES])
            if len(self._bytes) < end:
                return
            body = bytes(self._bytes[HEADER_BYTES:end])
            del self._bytes[:end]
            yield decode(body)
