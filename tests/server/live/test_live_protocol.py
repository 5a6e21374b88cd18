"""The messages of a socket, decided without one."""

from __future__ import annotations

import json

import pytest

from novel_tasks_core import format_task_id
from novel_tasks_core.models import new_task_id
from novel_tasks_server.live.protocol import (
    PONG,
    ErrorCode,
    MessageRefusedError,
    Ping,
    Subscribe,
    Unsubscribe,
    parse_command,
)


def test_commands_are_read() -> None:
    """A client may subscribe, unsubscribe, and ask whether anybody is there; unknown members are let pass."""
    task_id = new_task_id()
    shown = format_task_id(task_id)
    assert parse_command(json.dumps({"type": "subscribe", "task_id": shown, "x": 1})) == Subscribe(task_id)
    assert parse_command(json.dumps({"type": "unsubscribe", "task_id": shown})) == Unsubscribe(task_id)
    assert parse_command('{"type": "ping"}') == Ping()
    assert json.loads(PONG) == {"type": "pong"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", ErrorCode.BAD_MESSAGE),
        ("{", ErrorCode.BAD_MESSAGE),
        ("[]", ErrorCode.BAD_MESSAGE),
        ("5", ErrorCode.BAD_MESSAGE),
        ("[" * 4000, ErrorCode.BAD_MESSAGE),
        ("1" * 4500, ErrorCode.BAD_MESSAGE),
        ("{}", ErrorCode.UNKNOWN_TYPE),
        ('{"type": "dance"}', ErrorCode.UNKNOWN_TYPE),
        ('{"type": ["ping"]}', ErrorCode.UNKNOWN_TYPE),
        ('{"type": "subscribe"}', ErrorCode.BAD_MESSAGE),
        ('{"type": "subscribe", "task_id": 5}', ErrorCode.BAD_MESSAGE),
        ('{"type": "subscribe", "task_id": "nonsense"}', ErrorCode.NOT_FOUND),
        ('{"type": "subscribe", "task_id": "\\ud800"}', ErrorCode.NOT_FOUND),
        ('{"type": "unsubscribe", "task_id": "task-' + "A" * 32 + '"}', ErrorCode.NOT_FOUND),
    ],
)
def test_other_messages_are_refused_with_a_code(text: str, code: ErrorCode) -> None:
    """Whatever a client sends, the answer is a message that can be sent."""
    with pytest.raises(MessageRefusedError) as caught:
        parse_command(text)
    answer = json.loads(caught.value.message())
    assert (answer["type"], answer["code"]) == ("error", code.value)
