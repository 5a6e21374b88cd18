"""Frames: every message survives the way, in whatever pieces it arrives, and nonsense is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novel_tasks_core.execution.failures import Failure
from novel_tasks_core.execution.jobs import Job
from novel_tasks_core.execution.messages import (
    MAX_FRAME_BYTES,
    Acknowledge,
    Cancel,
    Checkpointed,
    FrameBuffer,
    FrameError,
    Hello,
    Logged,
    Message,
    Progressed,
    Raised,
    Ready,
    Returned,
    Run,
    Staged,
    Working,
    encode,
)

JOB = Job(
    task_id="0" * 32,
    attempt=2,
    target="a:b",
    options={"k": [1, None]},
    file_name="名\udc80.txt",
    source_path="/tmp/x",
    extra_data={},
    resume_from={"chapter": 3},
    work="/tmp/w",
    staging="/tmp/s",
)
MESSAGES: list[Message] = [
    Hello(parent_pid=1, import_path=["/a", "/b"], python_path=None, memory_bytes=1 << 29),
    Run(JOB),
    Cancel(),
    Acknowledge(),
    Ready(),
    Progressed(0.5, "第一章"),
    Logged("info", "hello"),
    Checkpointed({"a": 1}),
    Working(),
    Staged(name="n", content_type="text/plain", size=3, sha256="ab", path="/tmp/f"),
    Returned([1, {"x": None}]),
    Returned(),
    Raised(Failure(type="T", message="m", permanent=True, delay_seconds=1.5, details={"a": 1}, traceback="tb")),
]


@given(st.lists(st.sampled_from(MESSAGES), max_size=8), st.integers(1, 50))
def test_messages_survive_any_cutting(messages: list[Message], size: int) -> None:
    """A stream of frames gives the same messages however it is cut."""
    stream = b"".join(encode(message) for message in messages)
    buffer = FrameBuffer()
    heard = [message for start in range(0, len(stream), size) for message in buffer.feed(stream[start : start + size])]
    assert heard == messages


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"\xff", b'{"kind":"run"}', b'{"kind":"ready","x":1}'])
def test_nonsense_is_refused(body: bytes) -> None:
    """What is not one of our messages raises FrameError, whatever it is."""
    with pytest.raises(FrameError):
        list(FrameBuffer().feed(len(body).to_bytes(4, "big") + body))


def test_a_frame_that_is_too_large_is_refused_by_its_header() -> None:
    """A length over the limit is refused before its body is awaited."""
    with pytest.raises(FrameError, match="more than"):
        list(FrameBuffer().feed((MAX_FRAME_BYTES + 1).to_bytes(4, "big")))


def test_a_message_that_is_too_large_is_not_sent() -> None:
    """Encoding more than the limit raises instead of confusing the other side."""
    with pytest.raises(FrameError, match="more than"):
        encode(Returned("x" * MAX_FRAME_BYTES))
