"""docs/websocket.md: what it shows is what is said."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from novel_tasks_core import parse_task_id
from novel_tasks_server.live import speech
from novel_tasks_server.live.frames import CloseCode
from novel_tasks_server.live.heartbeats import HEARTBEAT_SECONDS
from novel_tasks_server.live.protocol import MAX_MESSAGE_BYTES, ErrorCode
from novel_tasks_server.live.protocol_v1 import (
    CommandRefusedError,
    ListWish,
    Ping,
    StatsWish,
    Subscribe,
    TaskWish,
    Unsubscribe,
    parse_command,
)

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "websocket.md").read_text(encoding="utf-8")
SAID = re.findall(r"^([CS]) (\{.*\})$", PAGE, re.MULTILINE)
TASK_ID = "task-01a21b0593dc789eaf14af190aa89d17"


def test_the_clients_part_is_understood() -> None:
    """Every message of the client in the page is a command, and all kinds are there."""
    commands = [parse_command(text) for who, text in SAID if who == "C"]
    assert {type(command) for command in commands} == {Subscribe, Unsubscribe, Ping}
    wishes = [command.wish for command in commands if isinstance(command, Subscribe)]
    assert {type(wish) for wish in wishes} == {TaskWish, ListWish, StatsWish}


def test_the_page_names_what_there_is() -> None:
    """All messages, error codes and close codes are told of, and no others."""
    table = PAGE.partition("### What the server says")[2].partition("### Promises")[0]
    named = set(re.findall(r"`([a-z_]+)`", table.replace("`kind`, `seq`, `at`", "")))
    shown = {json.loads(text)["type"] for who, text in SAID if who == "S"}
    assert shown <= named
    assert {code.value for code in ErrorCode} <= named
    codes = {
        int(code) for code in re.findall(r"\b[14]\d{3}\b", PAGE.partition("### Close codes")[2].partition("###")[0])
    }
    told = {code for code in CloseCode if code not in (CloseCode.NO_CODE, CloseCode.INTERNAL)}
    assert {int(code) for code in told} == codes


def test_the_limits_of_the_page_are_those_of_the_code() -> None:
    """`hello` shows what holds."""
    hello = json.loads(SAID[0][1])
    assert hello["limits"] == {
        "message_bytes": MAX_MESSAGE_BYTES,
        "subscriptions": speech.MAX_SUBSCRIPTIONS,
        "filters": speech.MAX_FILTERS,
        "messages_per_second": speech.MESSAGES_A_SECOND,
        "messages_at_once": speech.MESSAGES_AT_ONCE,
    }
    assert hello["heartbeat_seconds"] == HEARTBEAT_SECONDS
    assert f"{speech.MAX_FAULTS} messages that made no sense" in PAGE


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "resume", "task_id": TASK_ID}, ErrorCode.BAD_MESSAGE),
        ({"type": "resume", "task_id": TASK_ID, "after_seq": -1}, ErrorCode.BAD_MESSAGE),
        ({"type": "resume", "task_id": TASK_ID, "after_seq": True}, ErrorCode.BAD_MESSAGE),
        ({"type": "resume", "task_id": TASK_ID, "after_seq": 1.5}, ErrorCode.BAD_MESSAGE),
        ({"type": "resume", "task_id": TASK_ID, "after_seq": 2**63}, ErrorCode.BAD_MESSAGE),
        ({"type": "resume", "task_id": "*", "after_seq": 1}, ErrorCode.NOT_FOUND),
        ({"type": "subscribe", "task_id": TASK_ID, "logs": "loud"}, ErrorCode.BAD_MESSAGE),
        ({"type": "subscribe", "task_id": TASK_ID, "logs": 1}, ErrorCode.BAD_MESSAGE),
        ({"type": "subscribe", "task_id": 5}, ErrorCode.BAD_MESSAGE),
        ({"type": "subscribe", "task_id": "x"}, ErrorCode.NOT_FOUND),
        ({"type": "unsubscribe"}, ErrorCode.BAD_MESSAGE),
        ({"type": None}, ErrorCode.UNKNOWN_TYPE),
        ({"type": "hello"}, ErrorCode.UNKNOWN_TYPE),
    ],
)
def test_other_commands_are_refused_with_their_ref(message: dict[str, Any], code: ErrorCode) -> None:
    """The client learns which of its messages was wrong."""
    with pytest.raises(CommandRefusedError) as caught:
        parse_command(json.dumps({**message, "ref": "mine"}))
    assert (caught.value.code, caught.value.ref) == (code, "mine")


@pytest.mark.parametrize("ref", [1.5, True, [], {}, "x" * 65, "\ud800", 2**53, "\0"])
def test_a_ref_is_short_and_can_be_sent_back(ref: Any) -> None:
    """What cannot is refused, and left out."""
    with pytest.raises(CommandRefusedError) as caught:
        parse_command(json.dumps({"type": "ping", "ref": ref}))
    assert caught.value.ref is None


def test_resume_is_subscribe_after_a_seq() -> None:
    """Both ways to say it mean the same."""
    one = parse_command(json.dumps({"type": "resume", "task_id": TASK_ID, "after_seq": 7, "logs": True}))
    other = parse_command(json.dumps({"type": "subscribe", "task_id": TASK_ID, "after_seq": 7, "logs": "debug"}))
    assert one == other
    assert isinstance(one, Subscribe)
    assert isinstance(one.wish, TaskWish)
    assert (one.wish.task_id, one.wish.after_seq) == (parse_task_id(TASK_ID), 7)
