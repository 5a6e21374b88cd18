"""When a failed attempt runs again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novel_tasks_core.errors import InvalidInputError
from novel_tasks_core.retries import Backoff, Retry, RetryPolicy, Snooze

DAYS_366 = 366 * 86400


@pytest.mark.parametrize(
    ("settings", "delays"),
    [
        ({"max_attempts": 4, "backoff": "fixed", "base_seconds": 2}, [2, 2, 2, None]),
        ({"max_attempts": 4, "backoff": "linear", "base_seconds": 2}, [2, 4, 6, None]),
        ({"max_attempts": 5, "backoff": "exponential", "base_seconds": 2}, [2, 4, 8, 16, None]),
        ({"max_attempts": 5, "backoff": "exponential", "base_seconds": 2, "max_seconds": 5}, [2, 4, 5, 5, None]),
        ({"max_attempts": 1}, [None]),
        ({"max_attempts": 3, "base_seconds": 0}, [0, 0, None]),
        ({"max_attempts": 4, "jitter": 0.5, "base_seconds": 8, "backoff": "fixed"}, [6, 6, 6, None]),
    ],
)
def test_the_wait_follows_the_policy(settings: dict[str, Any], delays: list[float | None]) -> None:
    """Each kind of back-off gives its row of waits and then gives up; half the jitter's share comes off."""
    policy = RetryPolicy(**({"jitter": 0} | settings))
    assert [policy.delay(n, chance=0.5) for n in range(1, len(delays) + 1)] == delays


def test_the_task_may_have_its_own_limit() -> None:
    """`max_attempts` of the task replaces the policy's, up or down."""
    policy = RetryPolicy(max_attempts=3, base_seconds=1, jitter=0)
    assert policy.delay(1, max_attempts=1) is None
    assert policy.delay(5, max_attempts=6) == 16


def test_an_error_may_have_a_policy_of_its_own() -> None:
    """By class name; its own limit then counts, not the task's."""
    policy = RetryPolicy(by_error={"ValueError": RetryPolicy.never()})
    assert policy.delay(1, error_type="ValueError", max_attempts=9) is None
    assert policy.delay(1, error_type="OSError") is not None


def test_a_custom_formula_is_asked_and_bounded() -> None:
    """It gets the number of failures and the error; None gives up, too long and negative waits are cut."""
    asked: list[tuple[int, str]] = []

    def custom(failures: int, error_type: str) -> float | None:
        asked.append((failures, error_type))
        return {1: 7.5, 2: -1.0, 3: 1e9}.get(failures)

    policy = RetryPolicy(max_attempts=10, custom=custom, max_seconds=60)
    assert [policy.delay(n, error_type="E") for n in (1, 2, 3, 4)] == [7.5, 0.0, 60, None]
    assert asked == [(1, "E"), (2, "E"), (3, "E"), (4, "E")]


def test_work_that_must_not_run_twice() -> None:
    """`never` allows no second attempt."""
    assert RetryPolicy.never().delay(1) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_attempts", 0), ("max_attempts", 1001), ("base_seconds", -1), ("base_seconds", float("nan")),
     ("max_seconds", DAYS_366 + 1), ("jitter", 1.5), ("jitter", -0.1)],
)  # fmt: skip
def test_a_policy_that_makes_no_sense_is_refused(field: str, value: float) -> None:
    """The error names the field."""
    with pytest.raises(InvalidInputError) as caught:
        RetryPolicy(**{field: value})  # type: ignore[arg-type]
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"max_attempts": True}, "max_attempts"),
        ({"max_attempts": 2.0}, "max_attempts"),
        ({"base_seconds": True}, "base_seconds"),
        ({"base_seconds": "5"}, "base_seconds"),
        ({"max_seconds": float("inf")}, "max_seconds"),
        ({"jitter": float("nan")}, "jitter"),
        ({"backoff": "quadratic"}, "backoff"),
        ({"by_error": [("ValueError", RetryPolicy())]}, "by_error"),
        ({"by_error": {ValueError: RetryPolicy()}}, "by_error"),
        ({"by_error": {"ValueError": 3}}, "by_error"),
        ({"by_error": {"OSError": RetryPolicy(by_error={"KeyError": RetryPolicy()})}}, "by_error.OSError"),
        ({"custom": 5.0}, "custom"),
    ],
)
def test_a_policy_of_the_wrong_types_is_refused(settings: dict[str, Any], field: str) -> None:
    """Also a policy of an error that would tell errors apart again, which nobody would ever ask."""
    with pytest.raises(InvalidInputError) as caught:
        RetryPolicy(**settings)
    assert caught.value.field == field


@pytest.mark.parametrize("answer", [float("nan"), "5", True, [1]])
def test_a_formula_must_return_a_number(answer: Any) -> None:
    """What it returns instead is in the error."""
    policy = RetryPolicy(custom=lambda failures, error_type: answer)
    with pytest.raises(InvalidInputError, match="custom: must return seconds or None") as caught:
        policy.delay(1)
    assert repr(answer) in caught.value.reason


def test_a_formula_may_wait_for_ever_as_long_as_the_policy_allows() -> None:
    """Infinity is cut like any other wait that is too long."""
    assert RetryPolicy(custom=lambda failures, error_type: float("inf"), max_seconds=9).delay(1) == 9


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), DAYS_366 + 1])
def test_waits_asked_for_are_checked(seconds: float) -> None:
    """`Retry` and `Snooze` refuse a wait that cannot be."""
    with pytest.raises(InvalidInputError, match="after"):
        Retry(after=seconds)
    with pytest.raises(InvalidInputError, match="for_"):
        Snooze(for_=seconds)


@given(
    backoff=st.sampled_from(Backoff),
    limit=st.integers(1, 1000),
    base=st.floats(0, 1e6),
    longest=st.floats(0, DAYS_366),
    jitter=st.floats(0, 1),
    failures=st.integers(1, 1200),
)
def test_a_wait_is_always_within_its_bounds(
    backoff: Backoff, limit: int, base: float, longest: float, jitter: float, failures: int
) -> None:
    """Whatever the policy and however often it failed: 0 <= wait <= max_seconds, and none beyond the limit."""
    policy = RetryPolicy(max_attempts=limit, backoff=backoff, base_seconds=base, max_seconds=longest, jitter=jitter)
    delay = policy.delay(failures)
    assert (delay is None) is (failures >= limit)
    assert delay is None or 0 <= delay <= longest


@given(st.integers(1, 900), st.sampled_from(Backoff))
def test_waits_do_not_shrink(failures: int, backoff: Backoff) -> None:
    """Without jitter a later failure never waits less than an earlier one."""
    policy = RetryPolicy(max_attempts=1000, backoff=backoff, base_seconds=0.5, jitter=0)
    first, second = policy.delay(failures), policy.delay(failures + 1)
    assert first is not None
    assert second is not None
    assert first <= second
