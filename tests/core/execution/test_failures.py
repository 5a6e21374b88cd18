"""What follows from a failure: pure decisions, as tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import pytest

from novel_tasks_core.conversion import error_json, read_error
from novel_tasks_core.errors import (
    ChildCrashedError,
    DecodingError,
    DecodingProblem,
    InvalidInputError,
    InvalidOptionsError,
    NovelTasksError,
    TaskProcessingError,
    TaskTimeoutError,
)
from novel_tasks_core.execution.failures import Failure, as_error, decide, failure_of, log_line
from novel_tasks_core.execution.messages import FrameBuffer, Raised, encode
from novel_tasks_core.models import Claim, ErrorInfo, Failed, Retrying
from novel_tasks_core.retries import Backoff, Retry, RetryPolicy, Snooze

FIXED = RetryPolicy(max_attempts=3, backoff=Backoff.FIXED, base_seconds=4, jitter=0)
WRONG = ErrorInfo("InvalidInputError", "a: b", permanent=True, details={"field": "a", "reason": "b"})
UNREADABLE = ErrorInfo("DecodingError", "bad", permanent=True, details={"kind": "unknown"})


def explode(failures: int, error: str) -> float | None:
    """Be a faulty retry policy."""
    raise RuntimeError("faulty policy")


@pytest.mark.parametrize(
    ("exc", "failures", "policy", "outcome"),
    [
        (ValueError("x"), 0, FIXED, Retrying(delay_seconds=4, error=ErrorInfo("ValueError", "x"))),
        (ValueError("x"), 2, FIXED, Failed(error=ErrorInfo("ValueError", "x"))),
        (KeyError(), 2, FIXED, Failed(error=ErrorInfo("KeyError", "KeyError"))),
        (InvalidInputError("a", "b"), 0, FIXED, Failed(error=WRONG)),
        (DecodingError("bad"), 0, FIXED, Failed(error=UNREADABLE)),
        (
            Retry(after=7, reason="r"),
            2,
            FIXED,
            Retrying(delay_seconds=7, error=ErrorInfo("Retry", "r"), counts=False),
        ),
        (
            Snooze(for_=9, reason="s"),
            2,
            FIXED,
            Retrying(delay_seconds=9, error=ErrorInfo("Snooze", "s"), counts=False),
        ),
        (
            TaskTimeoutError(5),
            0,
            RetryPolicy(by_error={"TaskTimeoutError": RetryPolicy.never()}),
            Failed(error=ErrorInfo("TaskTimeoutError", "did not finish within 5 s", details={"seconds": 5})),
        ),
        (
            ValueError("x"),
            0,
            RetryPolicy(custom=explode),
            Failed(error=ErrorInfo("ValueError", "x (and the retry policy raised RuntimeError: faulty policy)")),
        ),
        (SystemExit(3), 2, FIXED, Failed(error=ErrorInfo("SystemExit", "the processor called sys.exit(3)"))),
    ],
)
def test_the_outcome_of_a_failure(
    make_claim: Callable[..., Claim],
    exc: BaseException,
    failures: int,
    policy: RetryPolicy,
    outcome: Retrying | Failed,
) -> None:
    """Failures are retried while attempts are left; hopeless ones end the task; instructions do not count."""
    assert decide(failure_of(exc), make_claim(failures=failures, max_attempts=3), policy) == outcome


def test_long_messages_are_cut() -> None:
    """An error message of a megabyte becomes 4,000 characters."""
    assert len(failure_of(ValueError("x" * 1_000_000)).message) == 4000


def test_unstorable_characters_are_replaced() -> None:
    """NUL and lone surrogates of an error message cannot reach the database."""
    assert failure_of(ValueError("a\x00b\udc80")).message == "a�b�"


def test_an_error_that_cannot_speak_is_named() -> None:
    """An exception whose own text fails is told by its class."""

    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert failure_of(MuteError()).message == "MuteError"


@pytest.mark.parametrize(
    ("exc", "kind", "fields"),
    [
        (
            DecodingError("bad byte", encoding="utf-8", offset=3, kind=DecodingProblem.OTHER_ENCODING),
            DecodingError,
            {"reason": "bad byte", "encoding": "utf-8", "offset": 3, "kind": DecodingProblem.OTHER_ENCODING},
        ),
        (
            DecodingError("a picture", kind=DecodingProblem.OTHER_FORMAT, format="png"),
            DecodingError,
            {"kind": DecodingProblem.OTHER_FORMAT, "format": "png"},
        ),
        (InvalidOptionsError("p", [("/a", "no")]), InvalidInputError, {"field": "/a", "reason": "/a: no"}),
        (TaskTimeoutError(2.5), TaskTimeoutError, {"seconds": 2.5}),
        (ChildCrashedError("gone", exit_code=-9), ChildCrashedError, {"exit_code": -9}),
        (ValueError("x"), TaskProcessingError, {"type": "ValueError", "detail": "x"}),
        (
            TaskProcessingError("x", type="DecodingError"),
            TaskProcessingError,
            {"type": "DecodingError", "detail": "x"},
        ),
    ],
)
def test_errors_cross_the_process_boundary(exc: Exception, kind: type[NovelTasksError], fields: dict[str, Any]) -> None:
    """Described, sent through a pipe and rebuilt, an error is of its class again and has its fields."""
    (message,) = FrameBuffer().feed(encode(Raised(failure_of(exc))))
    assert isinstance(message, Raised)
    rebuilt = as_error(message.failure)
    assert type(rebuilt) is kind
    assert {name: getattr(rebuilt, name) for name in fields} == fields


@pytest.mark.parametrize("exc", [TaskTimeoutError(math.nan), DecodingError("bad", encoding=cast("str", b"utf-8"))])
def test_fields_that_are_no_json_are_left_out(make_claim: Callable[..., Claim], exc: Exception) -> None:
    """What a processor puts into an error of ours does not keep the error from being sent and stored."""
    (message,) = FrameBuffer().feed(encode(Raised(failure_of(exc))))
    assert isinstance(message, Raised)
    outcome = decide(message.failure, make_claim(failures=2, max_attempts=3), FIXED)
    assert read_error(error_json(outcome.error)) == outcome.error
    assert outcome.error.details.keys() <= {"kind"}


def test_long_fields_are_cut(make_claim: Callable[..., Claim]) -> None:
    """What stands beside the message in every list is short, however long the message is."""
    exc = DecodingError("r" * 9_000, encoding="e" * 9_000)
    outcome = decide(failure_of(exc), make_claim(), FIXED)
    assert len(outcome.error.message) == 4000
    assert all(len(str(value)) <= 500 for value in outcome.error.details.values())


def test_an_unknown_problem_of_decoding_is_refused_where_it_is_named() -> None:
    """A kind is one of ours, also when it is given as plain text."""
    assert DecodingError("x", kind=cast("DecodingProblem", "binary")).kind is DecodingProblem.BINARY
    with pytest.raises(ValueError, match="is not a valid DecodingProblem"):
        DecodingError("x", kind=cast("DecodingProblem", "odd"))


def test_log_lines_say_what_follows() -> None:
    """The task's log tells the error and when the next attempt comes."""
    failure, error = Failure(type="ValueError", message="x"), ErrorInfo("ValueError", "x")
    assert log_line(failure, Failed(error=error), attempt=2) == "Attempt 2 failed: ValueError: x"
    again = Retrying(delay_seconds=4.25, error=error)
    assert log_line(failure, again, attempt=1) == "Attempt 1 failed: ValueError: x; again in 4.25 s"
    asked = Retrying(delay_seconds=60, error=error, counts=False)
    assert log_line(failure, asked, attempt=1) == "Attempt 1: x; again in 60 s"
