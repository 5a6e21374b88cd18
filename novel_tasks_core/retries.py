"""When a failed attempt runs again: pure arithmetic on the number of failures so far.

A processor may also decide for itself, by raising `Retry` or `Snooze`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from attrs import Attribute, field, frozen

from novel_tasks_core.errors import InvalidInputError

_LONGEST_SECONDS = 366 * 86400


class Backoff(StrEnum):
    """How delays grow with the number of failures."""

    FIXED = "fixed"
    LINEAR = "linear"
    EXPONENTIAL = "exponential"


class Retry(Exception):
    """Raise in a processor to try again after `after` seconds without using up a failure."""

    def __init__(self, *, after: float, reason: str = "retry asked for") -> None:
        super().__init__(reason)
        self.after = _seconds("after", after)
        self.reason = reason


class Snooze(Exception):
    """Raise in a processor that is not ready yet: the task sleeps `for_` seconds, nothing has failed."""

    def __init__(self, *, for_: float, reason: str = "snoozed") -> None:
        super().__init__(reason)
        self.for_ = _seconds("for_", for_)
        self.reason = reason


def _seconds(name: str, value: Any) -> float:
    if not _is_number(value) or not 0 <= value <= _LONGEST_SECONDS:
        raise InvalidInputError(name, f"must be between 0 s and 366 days, not {value!r}")
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wait(instance: object, attribute: Attribute[Any], value: Any) -> None:
    _seconds(attribute.name, value)


def _attempts(instance: object, attribute: Attribute[int], value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 1000:
        raise InvalidInputError(attribute.name, f"must be a whole number between 1 and 1000, not {value!r}")


def _share(instance: object, attribute: Attribute[float], value: Any) -> None:
    if not _is_number(value) or not 0 <= value <= 1:
        raise InvalidInputError(attribute.name, f"must be between 0 and 1, not {value!r}")


def _policies(instance: object, attribute: Attribute[Any], value: Any) -> None:
    if not isinstance(value, Mapping):
        raise InvalidInputError(attribute.name, "must be a mapping of error class names to policies")
    for name, policy in value.items():
        if not isinstance(name, str) or not isinstance(policy, RetryPolicy):
            raise InvalidInputError(attribute.name, f"must map the name of an error class to a policy, not {name!r}")
        if policy.by_error:
            raise InvalidInputError(f"{attribute.name}.{name}", "must not itself tell errors apart")


def _formula(instance: object, attribute: Attribute[Any], value: Any) -> None:
    if value is not None and not callable(value):
        raise InvalidInputError(attribute.name, "must be a function of failures and the name of the error")


def _backoff(value: Any) -> Backoff:
    try:
        return Backoff(value)
    except ValueError:
        raise InvalidInputError("backoff", f"must be one of {', '.join(Backoff)}, not {value!r}") from None


@frozen(kw_only=True)
class RetryPolicy:
    """How often a task may fail, and how long it waits between.

    Of `max_attempts` attempts that count, the first is one. The wait after failure n is, by `backoff`:
    `base_seconds` (fixed), n times it (linear), or it times 2 to the n-1 (exponential); never more
    than `max_seconds`. `jitter` takes a random share of at most that much off, so that tasks that
    failed together do not come back together. `by_error` names error classes (by class name) with a
    policy of their own, which has no `by_error`. `custom` replaces the formula: it gets n and the error's class
    name and returns seconds, or None to give up; negative and too long waits are cut. If it raises, or what it
    returns is no number, the task fails and says so.

    Raises: InvalidInputError naming the field that makes no sense.
    """

    max_attempts: int = field(default=3, validator=_attempts)
    backoff: Backoff = field(default=Backoff.EXPONENTIAL, converter=_backoff)
    base_seconds: float = field(default=5.0, validator=_wait)
    max_seconds: float = field(default=3600.0, validator=_wait)
    jitter: float = field(default=0.2, validator=_share)
    by_error: Mapping[str, RetryPolicy] = field(factory=dict, validator=_policies)
    custom: Callable[[int, str], float | None] | None = field(default=None, validator=_formula)

    @classmethod
    def never(cls) -> RetryPolicy:
        """Return the policy of work that must not run twice."""
        return cls(max_attempts=1)

    def delay(
        self, failures: int, *, error_type: str = "", max_attempts: int | None = None, chance: float | None = None
    ) -> float | None:
        """Return the seconds to wait after the failure numbered `failures`, or None to give up.

        `max_attempts` is the task's own limit, if it has one; `chance` in 0..1 stands in for the
        random number of the jitter.

        Raises: InvalidInputError when `custom` returns no number; whatever it raises.
        """
        if failures >= self.limit(error_type=error_type, max_attempts=max_attempts):
            return None
        policy = self.by_error.get(error_type, self)
        if policy.custom is not None:
            return policy._custom_delay(failures, error_type)
        match policy.backoff:
            case Backoff.FIXED:
                delay = policy.base_seconds
            case Backoff.LINEAR:
                delay = policy.base_seconds * failures
            case Backoff.EXPONENTIAL:
                delay = policy.base_seconds * 2.0 ** min(failures - 1, 60)
        delay = min(delay, policy.max_seconds)
        share = random.random() if chance is None else chance  # noqa: S311 - spreads load, protects nothing
        return delay * (1 - policy.jitter * share)

    def limit(self, *, error_type: str = "", max_attempts: int | None = None) -> int:
        """Return after how many failures, the last of them an `error_type`, a task has failed.

        `max_attempts` is the task's own limit, if it has one; a policy of `error_type` goes before it.
        """
        policy = self.by_error.get(error_type, self)
        return policy.max_attempts if max_attempts is None or policy is not self else max_attempts

    def _custom_delay(self, failures: int, error_type: str) -> float | None:
        assert self.custom is not None
        delay = self.custom(failures, error_type)
        if delay is None:
            return None
        if not _is_number(delay) or math.isnan(delay):
            raise InvalidInputError("custom", f"must return seconds or None, not {delay!r}")
        return min(max(0.0, delay), self.max_seconds)
