"""What is wrong with a value: a sentence for people that knows, for programs, which rule is broken."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class FaultCode(StrEnum):
    """Which rule a value breaks. These names do not change; what stands in brackets are the `values` beside them."""

    REQUIRED = "required"
    UNKNOWN = "unknown"
    """There is no field or option of this name."""
    NEEDLESS = "needless"
    """The field means nothing to what is asked for."""
    REPEATED = "repeated"
    """Given twice."""
    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    OBJECT = "object"
    LIST = "list"
    CHOICE = "choice"
    """Not one of those that there are."""
    MINIMUM = "minimum"
    """At least [limit]."""
    MAXIMUM = "maximum"
    """At most [limit]."""
    ABOVE = "above"
    """More than [limit]."""
    BELOW = "below"
    """Less than [limit]."""
    RANGE = "range"
    """Between [low] and [high]."""
    SHORT = "short"
    """At least [n] characters."""
    LONG = "long"
    """At most [n] characters."""
    FEW = "few"
    """At least [n] items."""
    MANY = "many"
    """At most [n] items."""
    PATTERN = "pattern"
    """Must match [pattern]."""
    FINITE = "finite"
    """Not a number, or an infinite one."""
    BITS = "bits"
    """A whole number of more than 64 bits."""
    DEEP = "deep"
    """Nested deeper than [n] levels."""
    BYTES = "bytes"
    """More than [n] bytes of JSON."""
    JSON = "json"
    """Not JSON, and why [reason]."""
    UNSTORABLE = "unstorable"
    """NUL, or half of a surrogate pair."""
    MOMENT = "moment"
    """Not a time with its zone."""
    FUTURE = "future"
    """A time that is over."""
    ADDRESS = "address"
    """Neither an http or https URL nor a relative path."""
    PROCESSOR = "processor"
    """No processor has this name."""
    ENCODING = "encoding"
    """No known encoding of files: [encoding]."""
    UNDECODABLE = "undecodable"
    """Not text: [kind] is a DecodingProblem; [format], [encoding], [offset] are there where they are known."""
    EXPRESSION = "expression"
    """Not a regular expression, and why [reason]."""
    EMPTY_MATCH = "empty_match"
    """An expression that matches empty lines."""
    SLOW = "slow"
    """Takes longer than [seconds]."""
    MEMORY = "memory"
    """Takes too much memory."""
    LANGUAGE = "language"
    """Not a language tag."""
    DATE = "date"
    """Not an ISO 8601 date or time."""
    CLEANING_RULES = "cleaning_rules"
    """Rules that cannot be used, and why [reason]."""
    CLEANING_RULE_UNKNOWN = "cleaning_rule_unknown"
    """No rule has this id [rule]."""
    EXTRA_MISSING = "extra_missing"
    """The optional part [extra] is not installed."""
    FILE_MISSING = "file_missing"
    FILE_EMPTY = "file_empty"
    FILE_UNNAMED = "file_unnamed"
    FILE_SECOND = "file_second"
    """More than one file."""
    FILE_MISPLACED = "file_misplaced"
    """A file where a text belongs."""
    FILE_OF_TASK = "file_of_task"
    """Neither source nor result nor the name of an artifact."""
    CURSOR = "cursor"
    """Not a cursor that this list gave out, or one that goes with no sort but that by time, and with no page."""
    TOO_MANY = "too_many"
    """More than [n] tasks cannot be sorted like this."""
    ENTITY_TAGS = "entity_tags"
    SEQ = "seq"
    """Not the seq of an event."""


class Complaint(str):
    """A sentence on what is wrong with a value: its `code` names the rule, None for one that is nobody's but its own.

    `values` are what the rule says, such as a limit.
    """

    code: FaultCode | None
    values: Mapping[str, str | int | float]

    def __new__(cls, sentence: str, code: FaultCode | None = None, **values: str | int | float) -> Complaint:
        """Make the sentence one that knows its rule."""
        made = super().__new__(cls, sentence)
        made.code, made.values = code, values
        return made

    @classmethod
    def of(cls, sentence: object) -> Complaint:
        """Return what was said as a complaint, which it may be already."""
        return sentence if isinstance(sentence, cls) else cls(str(sentence))
