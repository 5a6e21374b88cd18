"""When a failed attempt runs again: pure arithmetic on the number of failures so far.

A processor may also decide for itself, by raising `Retry` or `Snooze`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from attrs import Attribute, field, frozen

from novel_tasks_core.errors import InvalidInputError


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


def _seconds(name: str, value: float) -> float:
    if not 0 <= value <= 366 * 86400:
        raise InvalidInputError(name, f"must be between 0 s and 366 days, not {value!r}")
    return float(value)


def _positive(instance: object, attribute: Attribute[Any], value: float) -> None:
    if not 0 <= value <= 366 * 86400:
        raise InvalidInputError(attribute.name, f"must be between 0 s and 366 days, not {value!r}")


def _attempts(instance: object, attribute: Attribute[int], value: int) -> None:
    if not 1 <= value <= 1000:
        raise InvalidInputError(attribute.name, f"must be between 1 and 1000, not {value!r}")


def _share(instance: object, attribute: Attribute[float], value: float) -> None:
    if not 0 <= value <= 1:
        raise InvalidInputError(attribute.name, f"must be between 0 and 1, not {value!r}")


@frozen(kw_only=True)
class RetryPolicy:
    """How often a task may fail, and how long it waits between.

    Of `max_attempts` attempts that count, the first is one. The wait after failure n is, by `backoff`:
    `base_seconds` (fixed), n times it (linear), or it times 2 to the n-1 (exponential); never more
    than `max_seconds`. `jitter` takes a random share of at most that much off, so that tasks that
    failed together do not come back together. `by_error` names error classes (by class name) with a
    policy of their own, `custom` replaces the formula: it gets n and the error's class name and returns
    seconds, or None to give up.
    """

    max_attempts: int = field(default=3, validator=_attempts)
    backoff: Backoff = field(default=Backoff.EXPONENTIAL, converter=Backoff)
    base_seconds: float = field(default=5.0, validator=_positive)
    max_seconds: float = field(default=3600.0, validator=_positive)
    jitter: float = field(default=0.2, validator=_share)
    by_error: Mapping[str, RetryPolicy] = field(factory=dict)
    custom: Callable[[int, str], float | None] | None = None

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
        """
        policy = self.by_error.get(error_type, self)
        limit = policy.max_attempts if max_attempts is None or policy is not self else max_attempts
        if failures >= limit:
            return None
        if policy.custom is not None:
            delay = policy.custom(failures, error_type)
            return None if delay is None else min(max(0.0, delay), policy.max_seconds)
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
