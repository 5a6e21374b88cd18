"""Why an attempt ended without a result, and what follows from it. Pure: no processes, no clocks.

A `Failure` is made from an exception where it is caught, in the worker or in a child; it crosses the
process boundary as plain values, and `decide` turns it into the attempt's outcome.
"""

from __future__ import annotations

import math
import traceback
from typing import Any, assert_never

from attrs import Factory, evolve, frozen

from novel_tasks_core.errors import (
    ChildCrashedError,
    DecodingError,
    DecodingProblem,
    InvalidInputError,
    TaskProcessingError,
    TaskTimeoutError,
)
from novel_tasks_core.execution.values import storable_text
from novel_tasks_core.models import Claim, ErrorInfo, Failed, JsonObject, Retrying
from novel_tasks_core.retries import Retry, RetryPolicy, Snooze

_MAX_DETAIL_CHARACTERS = 500
_MAX_TRACEBACK_CHARACTERS = 20_000


@frozen(kw_only=True)
class Failure:
    """Why an attempt ended without a result.

    `type` is the class name of the error, `message` what it said. `permanent` means that another attempt
    cannot help. `delay_seconds` is set when the processor itself asked to come again, which is no
    failure that counts. `details` are the fields from which `as_error` rebuilds the error.
    `traceback` is for the log of the service, never for users.
    """

    type: str
    message: str
    permanent: bool = False
    delay_seconds: float | None = None
    details: JsonObject = Factory(dict)
    traceback: str = ""


def failure_of(exc: BaseException) -> Failure:
    """Describe an exception that ended an attempt."""
    if isinstance(exc, Retry):
        return Failure(type="Retry", message=storable_text(exc.reason), delay_seconds=exc.after)
    if isinstance(exc, Snooze):
        return Failure(type="Snooze", message=storable_text(exc.reason), delay_seconds=exc.for_)
    return Failure(
        type=exc.type if isinstance(exc, TaskProcessingError) else type(exc).__name__,
        message=_sentence(exc),
        permanent=isinstance(exc, InvalidInputError),
        details=_details(exc),
        traceback=_traceback(exc),
    )


def _sentence(exc: BaseException) -> str:
    """Return what the error says; its name where it says nothing, or its own `__str__` fails."""
    if isinstance(exc, SystemExit):
        return f"the processor called sys.exit({exc.code!r})"
    try:
        return storable_text(str(exc) or type(exc).__name__)
    except Exception:  # the class belongs to a processor: anything may happen in it
        return type(exc).__name__


def _details(exc: BaseException) -> JsonObject:
    """Return the fields of an error of ours, without what is no JSON: a processor may have put anything into them."""
    details: dict[str, Any] = {}
    for name, value in _fields(exc).items():
        if isinstance(value, str):
            details[name] = storable_text(value)
        elif isinstance(value, int | None) or (isinstance(value, float) and math.isfinite(value)):
            details[name] = value
    return details


def _fields(exc: BaseException) -> dict[str, Any]:
    if isinstance(exc, DecodingError):
        named = {"kind": exc.kind.value, "encoding": exc.encoding, "offset": exc.offset, "format": exc.format}
        return {"reason": exc.reason, **named}
    if isinstance(exc, TaskTimeoutError):
        return {"seconds": exc.seconds}
    if isinstance(exc, ChildCrashedError):
        return {"exit_code": exc.exit_code}
    if isinstance(exc, InvalidInputError):
        return {"field": exc.field, "reason": exc.reason}
    return {}


def _traceback(exc: BaseException | None) -> str:
    """Return where an error was raised, after those that led to it; never what they said, which may quote a novel."""
    told: list[str] = []
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        told.append("".join(traceback.format_tb(exc.__traceback__)) + type(exc).__name__)
        exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
    text = "\n\nthen\n\n".join(reversed(told))
    return storable_text(text[-_MAX_TRACEBACK_CHARACTERS:], limit=_MAX_TRACEBACK_CHARACTERS)


def as_error(failure: Failure) -> DecodingError | InvalidInputError | TaskProcessingError:
    """Rebuild an exception for a caller who wants one: ours as they were, others as TaskProcessingError."""
    match failure:
        case Failure(type="DecodingError", details={"reason": str(), "kind": str(kind)} as details):
            return DecodingError(**{**details, "kind": DecodingProblem(kind)})
        case Failure(type="TaskTimeoutError", details={"seconds": seconds}):
            return TaskTimeoutError(seconds)
        case Failure(type="ChildCrashedError", details={"exit_code": code}):
            return ChildCrashedError(failure.message, exit_code=code)
        case Failure(permanent=True, details={"field": name, "reason": reason}):
            return InvalidInputError(name, reason)
        case _:
            return TaskProcessingError(failure.message, type=failure.type)


def decide(failure: Failure, claim: Claim, retry: RetryPolicy) -> Retrying | Failed:
    """Say what becomes of the task: another attempt, and when, or the end.

    What `retry.custom` raises ends the task too, and is told with it: a task must not hang on a faulty policy.
    """
    error = ErrorInfo(failure.type, failure.message, permanent=failure.permanent, details=_known(failure))
    if failure.delay_seconds is not None:
        return Retrying(delay_seconds=failure.delay_seconds, error=error, counts=False)
    if failure.permanent:
        return Failed(error=error)
    try:
        delay = retry.delay(claim.failures + 1, error_type=failure.type, max_attempts=claim.max_attempts)
    except Exception as exc:
        told = f"{failure.message} (and the retry policy raised {type(exc).__name__}: {_sentence(exc)})"
        return Failed(error=evolve(error, message=storable_text(told)))
    return Failed(error=error) if delay is None else Retrying(delay_seconds=delay, error=error)


def _known(failure: Failure) -> JsonObject:
    """Return the fields that say more than the message, cut: they stand beside it in every list of tasks."""
    return {
        name: storable_text(value, limit=_MAX_DETAIL_CHARACTERS) if isinstance(value, str) else value
        for name, value in failure.details.items()
        if value not in (None, failure.message)
    }


def log_line(failure: Failure, outcome: Retrying | Failed, *, attempt: int) -> str:
    """Say for the task's log how an attempt ended and what follows."""
    match outcome:
        case Retrying(counts=False):
            return f"Attempt {attempt}: {failure.message}; again in {outcome.delay_seconds:g} s"
        case Retrying():
            told = f"Attempt {attempt} failed: {failure.type}: {failure.message}"
            return f"{told}; again in {outcome.delay_seconds:.3g} s"
        case Failed():
            return f"Attempt {attempt} failed: {failure.type}: {failure.message}"
        case _:
            assert_never(outcome)
