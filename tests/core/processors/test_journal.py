"""What an attempt finished is found by the next one, whole, whatever it died of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from novel_tasks_core.processors.journal import Journal

from .recorder import Recorder


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    """Return a context with a work folder."""
    return Recorder(tmp_path, b"")


def wrote(recorder: Recorder, *values: Any, key: str = "k") -> list[Any]:
    """Open the journal, append values, and return what was in it before."""
    with Journal(recorder, "j", key=key) as journal:
        found = list(journal.finished())
        for value in values:
            journal.append(value)
    return found


def test_values_come_back_in_order(recorder: Recorder) -> None:
    """Every attempt finds what all before it appended."""
    assert wrote(recorder, {"a": "第一章\ud800"}, None) == []
    assert wrote(recorder, [2]) == [{"a": "第一章\ud800"}, None]
    assert wrote(recorder) == [{"a": "第一章\ud800"}, None, [2]]


def cut(data: bytes) -> bytes:
    """Leave the last line half written."""
    return data[:-3]


def torn(data: bytes) -> bytes:
    """Leave zeros where a line was, as file systems do when the power goes."""
    return data[:-3] + b"\0\0\n"


@pytest.mark.parametrize("damage", [cut, torn])
def test_a_half_written_line_is_dropped(recorder: Recorder, damage: Callable[[bytes], bytes]) -> None:
    """What follows the last whole line goes, and the next attempt writes in its place."""
    wrote(recorder, "one", "two")
    path = recorder.work_folder / "j.jsonl"
    path.write_bytes(damage(path.read_bytes()))

    assert wrote(recorder, "three") == ["one"]
    assert wrote(recorder) == ["one", "three"]


def test_another_key_begins_anew(recorder: Recorder) -> None:
    """What was made by another version, or with other options, is not taken over."""
    wrote(recorder, "old")

    assert wrote(recorder, "new", key="other") == []
    assert wrote(recorder, key="other") == ["new"]


def test_people_hear_what_was_taken_over(recorder: Recorder) -> None:
    """Once, when the attempt goes on; not when there is nothing, or nothing left to do."""
    wrote(recorder, "one", "two")
    wrote(recorder)
    assert recorder.lines == []

    wrote(recorder, "three", "four")
    assert recorder.lines == ["2 sections were finished by an earlier attempt"]


def test_the_database_hears_of_it_now_and_then(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint tells how many sections there are, but not for each of them."""
    now = 0.0
    monkeypatch.setattr("novel_tasks_core.processors.journal.time.monotonic", lambda: now)
    with Journal(recorder, "j", key="k") as journal:
        list(journal.finished())
        for now in (0.1, 0.5, 1.2, 1.3, 2.5):
            journal.append(now)

    assert recorder.checkpoints == [{"sections": 3}, {"sections": 5}]
