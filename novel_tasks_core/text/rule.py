"""A user's own rule for headings, a regular expression: what is asked of it before it is run."""

from __future__ import annotations

import re
import warnings
from importlib import import_module
from typing import Any

from novel_tasks_core.complaints import Complaint, FaultCode

LONGEST_RULE = 500
"""The most characters of a rule."""


def check_rule(rule: str) -> None:
    """Raise ValueError, with a sentence for the user, for a rule that cannot be used.

    The rule is read but never run here: it may take for ever, and this may be a server.
    """
    if len(rule) > LONGEST_RULE:
        raise ValueError(Complaint(f"must have at most {LONGEST_RULE} characters", FaultCode.LONG, n=LONGEST_RULE))
    try:
        compile_rule(rule)
    except (re.error, RecursionError, OverflowError) as exc:
        complaint = Complaint(f"is not a regular expression: {exc}", FaultCode.EXPRESSION, reason=str(exc))
        raise ValueError(complaint) from exc
    if _least_width(rule) == 0:
        said = "must not match an empty line: let it ask for at least one character"
        raise ValueError(Complaint(said, FaultCode.EMPTY_MATCH))


def compile_rule(rule: str) -> re.Pattern[str]:
    """Compile a rule without its warnings. Raises: re.error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return re.compile(rule)


def _least_width(rule: str) -> int:
    """Return how many characters a match has at least; found by reading the expression, not by running it."""
    parser: Any = import_module("re._parser")  # no public name tells a width
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        least: int = parser.parse(rule).getwidth()[0]
    return least
