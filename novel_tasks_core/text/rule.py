"""A user's own rule for headings, a regular expression: what is asked of it before it is run."""

from __future__ import annotations

import re
import warnings
from importlib import import_module
from typing import Any

LONGEST_RULE = 500
"""The most characters of a rule."""


def check_rule(rule: str) -> None:
    """Raise ValueError, with a sentence for the user, for a rule that cannot be used.

    The rule is read but never run here: it may take for ever, and this may be a server.
    """
    if len(rule) > LONGEST_RULE:
        raise ValueError(f"must have at most {LONGEST_RULE} characters")
    try:
        compile_rule(rule)
    except (re.error, RecursionError, OverflowError) as exc:
        raise ValueError(f"is not a regular expression: {exc}") from exc
    if _least_width(rule) == 0:
        raise ValueError("must not match an empty line: let it ask for at least one character")


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
