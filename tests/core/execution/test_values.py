"""What processors hand out is made storable, or refused in words."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novel_tasks_core.errors import InvalidInputError
from novel_tasks_core.execution.values import (
    artifact_name,
    content_type_of,
    fraction_of,
    storable_text,
    storable_value,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_clean_json_is_unchanged(value: Any) -> None:
    """Values without NUL come out as they went in, and everything that comes out can be written as UTF-8."""
    plain = storable_value(value, name="result")
    text = json.dumps(plain, ensure_ascii=False)
    text.encode()
    assert "\\u0000" not in text.replace("\\\\", "")
    if "\\u0000" not in json.dumps(value):
        assert plain == value


def test_unstorable_characters_are_replaced_everywhere() -> None:
    """NUL and lone surrogates are replaced in keys and values, however deep."""
    assert storable_value({"a\x00": ["b\ud800", ("\x00",)]}, name="result") == {"a�": ["b�", ["�"]]}
    assert storable_text("ok\x00") == "ok�"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (math.nan, "NaN"),
        ({"a": [math.inf]}, "Infinity"),
        ({1, 2}, "set"),
        (b"bytes", "bytes"),
        ("x" * (9 << 20), "artifact"),
    ],
)
def test_what_is_not_json_is_refused_in_words(value: Any, words: str) -> None:
    """The error names the value and says what is wrong with it."""
    with pytest.raises(InvalidInputError, match=words) as caught:
        storable_value(value, name="result")
    assert caught.value.field == "result"


def test_circles_and_depths_are_refused() -> None:
    """A value that contains itself, or is nested without end, is no JSON."""
    circle: list[Any] = []
    circle.append(circle)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for value in (circle, deep):
        with pytest.raises(InvalidInputError):
            storable_value(value, name="checkpoint")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "/etc/passwd", "a\x00", "a\nb", "\x7f", "x" * 201, "章" * 100, "\ud800"]
)
def test_bad_artifact_names_are_refused(name: str) -> None:
    """A name that could be a path, or no file's name, is refused."""
    with pytest.raises(InvalidInputError):
        artifact_name(name)


@pytest.mark.parametrize("name", ["report.html", "第一章.txt", ".hidden", "a b", "x" * 200, "..."])
def test_good_artifact_names_stay(name: str) -> None:
    """Any other name is kept as it is."""
    assert artifact_name(name) == name


@pytest.mark.parametrize(
    ("done", "total", "fraction"),
    [(1, 4, 0.25), (5, 4, 1), (-1, 4, 0), (1, 0, 0), (math.nan, 1, 0), (1, math.inf, 0), (math.inf, 1, 0)],
)
def test_progress_is_always_a_fraction(done: float, total: float, fraction: float) -> None:
    """Whatever a processor says, progress is between 0 and 1 and never fails the attempt."""
    assert fraction_of(done, total) == fraction


def test_content_types_follow_the_extension() -> None:
    """Known extensions have their media type, others are bytes."""
    assert content_type_of("Report.HTML") == "text/html; charset=utf-8"
    assert content_type_of("novel.epub") == "application/epub+zip"
    assert content_type_of("README") == "application/octet-stream"
