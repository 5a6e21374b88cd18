"""The edges: what PostgreSQL cannot hold is refused from callers and repaired from processors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from novel_tasks_core.conversion import (
    clean_text,
    error_json,
    is_storable,
    read_error,
    read_json,
    require_json,
    require_text,
    result_json,
)
from novel_tasks_core.errors import InvalidInputError
from novel_tasks_core.models import ErrorInfo

KIB = 1024
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
any_text = st.text(st.characters(exclude_categories=()))  # lone surrogates and NUL included


def nested(depth: int) -> Any:
    """Make a list in a list in a list."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        {"a": [float("inf")]},
        {"a": {1, 2}},
        {"a": b"bytes"},
        {("tuple", "key"): 1},
        object(),
        nested(100_000),
        10**5000,
        "\x00",
        {"a\x00": 1},
        {"a": ["x", {"b": "\x00"}]},
        "\ud800",
        {"\udfff": 1},
        "x" * KIB,
        "é" * (KIB // 2),
        "𝄞" * (KIB // 4),
    ],
    ids=[
        "nan",
        "inf",
        "set",
        "bytes",
        "tuple-key",
        "object",
        "deep",
        "huge-int",
        "nul",
        "nul-key",
        "nul-inside",
        "surrogate",
        "surrogate-key",
        "long",
        "many-bytes",
        "wide",
    ],
)
def test_what_a_caller_may_not_pass_is_refused(value: Any) -> None:
    """Not JSON, NUL, lone surrogates, too large: an error that names the field."""
    with pytest.raises(InvalidInputError) as caught:
        require_json("options", value, max_bytes=KIB)
    assert caught.value.field == "options"


@settings(max_examples=50)
@given(anything)
def test_what_a_caller_may_pass_comes_back_equal(value: Any) -> None:
    """Any JSON value without NUL survives the way into the text and back."""
    assume("\\u0000" not in json.dumps(value))
    assert read_json(require_json("x", value, max_bytes=1 << 20)) == value


def test_the_text_of_an_escape_is_not_an_escape() -> None:
    """The six characters \\u0000 are allowed, a NUL is not."""
    assert read_json(require_json("x", "\\u0000", max_bytes=KIB)) == "\\u0000"


@settings(max_examples=50)
@given(st.recursive(any_text, lambda inner: st.lists(inner) | st.dictionaries(any_text, inner), max_leaves=10))
def test_what_a_processor_returns_is_repaired(value: Any) -> None:
    """Whatever text is in a result, PostgreSQL can hold it, and only what it cannot is replaced."""
    text = result_json(value)
    assert is_storable(text)
    assert is_storable(str(read_json(text)))
    if not isinstance(value, dict | list):
        assert read_json(text) == clean_text(value)


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, {"a": object()}])
def test_a_result_that_is_not_json_is_refused(value: Any) -> None:
    """It fails its task with a sentence about what processors must return."""
    with pytest.raises(InvalidInputError, match="a processor must return JSON"):
        result_json(value)


@pytest.mark.parametrize(
    ("value", "stored"),
    [("\x00", '"\ufffd"'), ("\\u0000", '"\\\\u0000"'), ("\\\x00\x00", '"\\\\\ufffd\ufffd"'), ("\ud800a", '"\ufffda"')],
)
def test_backslashes_before_a_nul_do_not_confuse_the_repair(value: str, stored: str) -> None:
    """A NUL after backslashes is replaced, and backslashes stay."""
    assert result_json(value) == stored


@given(any_text)
def test_cleaned_text_is_storable_and_as_long(text: str) -> None:
    """Every character that cannot be held becomes exactly one U+FFFD."""
    cleaned = clean_text(text)
    assert is_storable(cleaned)
    assert len(cleaned) == len(text)
    assert is_storable(text) is (cleaned == text)


@pytest.mark.parametrize("text", ["x" * 11, "a\x00", "\udc80"])
def test_text_from_callers_is_refused_not_repaired(text: str) -> None:
    """Too long, NUL, lone surrogates."""
    with pytest.raises(InvalidInputError, match="key"):
        require_text("key", text, max_length=10)
    assert require_text("key", "渡口的灯", max_length=4) == "渡口的灯"


def test_errors_survive_storage() -> None:
    """All of an error comes back, also what was stored before there were details; none stays none."""
    lost = ErrorInfo("worker_lost", "gone", permanent=True, details={"worker": 3})
    assert read_error(error_json(lost)) == lost
    assert read_error('{"type": "E", "message": "x"}') == ErrorInfo("E", "x", permanent=False, details={})
    assert read_error(error_json(ErrorInfo("ValueError", "no \x00 good"))) == ErrorInfo("ValueError", "no \ufffd good")
    assert (error_json(None), read_error(None)) == (None, None)
