"""Ids and the values that go in and out."""

from __future__ import annotations

import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novel_tasks_core.errors import TaskNotFoundError
from novel_tasks_core.models import (
    Source,
    Statistics,
    TaskStatus,
    format_task_id,
    new_task_id,
    parse_task_id,
)


def test_ids_are_uuid7_and_grow() -> None:
    """Ids of one process sort in the order in which they were made, even within a millisecond."""
    before = time.time_ns() // 1_000_000
    ids = [new_task_id() for _ in range(5000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all((i.version, i.variant) == (7, "specified in RFC 4122") for i in ids)
    assert before <= ids[0].int >> 80 <= before + 5000


def test_ids_keep_growing_when_the_clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that stands, or was set back, does not make ids that sort wrongly."""
    last = new_task_id()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000)
    later = [new_task_id() for _ in range(10)]
    assert [last, *later] == sorted([last, *later])


@given(st.uuids())
def test_ids_read_back_as_they_were_written(value: UUID) -> None:
    """The outside form of any id parses to the same id."""
    text = format_task_id(value)
    assert (len(text), parse_task_id(text)) == (37, value)


HEX = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    "text",
    ["", "task-", HEX, f"task-{HEX[:-1]}", f"task-{HEX}0", f"task-{HEX.upper()}", f" task-{HEX}", f"task-{HEX}\n",
     f"TASK-{HEX}", "task-" + "０" * 32, f"task-{UUID(hex=HEX)}"],
)  # fmt: skip
def test_anything_else_is_an_unknown_task(text: str) -> None:
    """What is not an id cannot be found, and says so as it was given."""
    with pytest.raises(TaskNotFoundError) as caught:
        parse_task_id(text)
    assert caught.value.task_id == text


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.TXT", ".txt"), ("a.b.md", ".md"), ("plain", ""), (".hidden", ""), ("dot.", "."), ("渡口.EPUB", ".epub")],
)
def test_the_type_of_a_source_is_its_extension(name: str, expected: str) -> None:
    """In lower case with its dot; a hidden file has none."""
    assert Source("0" * 64, 1, name).file_type == expected


def test_statistics_know_the_total_and_the_share_of_success() -> None:
    """The share is of all tasks, and None without any."""
    some = Statistics(pending=1, processing=1, completed=3, failed=2, cancelled=1, average_seconds=1.0)
    assert (some.total, some.success_rate) == (8, 3 / 8)
    none = Statistics(pending=0, processing=0, completed=0, failed=0, cancelled=0, average_seconds=None)
    assert none.success_rate is None


def test_only_three_states_are_final() -> None:
    """Nothing more happens to completed, failed and cancelled tasks."""
    assert {s for s in TaskStatus if s.is_final} == {TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED}
