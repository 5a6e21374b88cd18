"""Checked options are kept, within bounds, and what is kept is never somebody else's answer."""

from __future__ import annotations

from typing import Any

import pytest

from novel_tasks_core import InvalidOptionsError, Processors, UnknownProcessorError
from novel_tasks_core.processors.configuration import MAX_CONFIGURATIONS


def test_the_second_question_is_answered_from_the_first() -> None:
    """The same options of the same processor are checked once, and the hits are counted."""
    processors = Processors.builtin()
    first = processors.configuration("split", {"encoding": "utf-8"})
    again = processors.configuration("split", {"encoding": "utf-8"})
    assert again is first
    assert first.processor is processors.get("split")
    assert first.options["encoding"] == "utf-8"
    counts = processors.configuration_counts()
    assert (counts.hits, counts.misses, counts.entries) == (1, 1, 1)


def test_what_is_kept_is_bounded() -> None:
    """However many options are asked for, only so many are kept, and the oldest go first."""
    processors = Processors.builtin()
    for number in range(MAX_CONFIGURATIONS + 10):
        processors.configuration("external", {"number": number})
    assert processors.configuration_counts().entries == MAX_CONFIGURATIONS
    processors.configuration("external", {"number": 0})
    assert processors.configuration_counts().hits == 0


def test_long_options_are_not_kept() -> None:
    """Options of many kilobytes are checked each time instead of filling the memory."""
    processors = Processors.builtin()
    for _ in range(2):
        processors.configuration("external", {"text": "x" * 5000})
    assert processors.configuration_counts().entries == 0


@pytest.mark.parametrize(
    ("first", "second"),
    [({"a": 1}, {"a": True}), ({"a": 1}, {"a": 1.0}), ({"a": "1"}, {"a": 1}), ({"a": None}, {})],
)
def test_likenesses_are_told_apart(first: dict[str, Any], second: dict[str, Any]) -> None:
    """What Python takes for equal, or JSON for similar, is not the same question."""
    processors = Processors.builtin()
    assert processors.configuration("external", first).text != processors.configuration("external", second).text


def test_a_number_is_no_name() -> None:
    """A name that is no string is refused, also when the same in quotes was asked before."""
    processors = Processors.builtin()
    processors.configuration("external", {"1": 2})
    bad: Any = {1: 2}
    with pytest.raises(InvalidOptionsError):
        processors.configuration("external", bad)


def test_faults_are_found_each_time() -> None:
    """A wrong question is never kept as an answer."""
    processors = Processors.builtin()
    for _ in range(2):
        with pytest.raises(InvalidOptionsError):
            processors.configuration("split", {"no": "such"})
        with pytest.raises(UnknownProcessorError):
            processors.configuration("nobody", None)
    assert processors.configuration_counts().entries == 0


def test_nobody_can_change_what_is_kept() -> None:
    """The options that are handed out are a copy of one's own."""
    processors = Processors.builtin()
    processors.validate("external", {"list": [1]})["list"].append(2)
    assert processors.validate("external", {"list": [1]}) == {"list": [1]}
