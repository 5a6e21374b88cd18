"""How a novel is cleaned: the options of `clean`, checked before anything runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from attrs import Attribute, field, frozen

from novel_tasks_core.complaints import Complaint, FaultCode
from novel_tasks_core.processors.clean.rules import read_rules, shipped_rules
from novel_tasks_core.processors.decoding import ReadingOptions


class Unwrap(StrEnum):
    """Whether the lines of wrapped paragraphs are joined: when the book shows that they are wrapped, or by force."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Chinese(StrEnum):
    """Which Chinese characters the result has."""

    KEEP = "keep"
    SIMPLIFIED = "simplified"
    TRADITIONAL = "traditional"


def _usable_rules(instance: object, attribute: Attribute[Any], value: str) -> None:
    read_rules(value)


def _known_rules(instance: object, attribute: Attribute[Any], value: tuple[str, ...]) -> None:
    known = [rule.id for rule in shipped_rules()]
    for id_ in value:
        if id_ not in known:
            said = f"no rule {id_[:50]!r}; known: {', '.join(known)}"
            raise ValueError(Complaint(said, FaultCode.CLEANING_RULE_UNKNOWN, rule=id_[:50]))


@frozen(kw_only=True)
class CleanOptions(ReadingOptions):
    """How to clean."""

    unwrap: Unwrap = field(
        default=Unwrap.AUTO,
        metadata={"description": "Whether to join the lines of paragraphs that were wrapped: auto, always or never."},
    )
    widths: bool = field(
        default=True,
        metadata={"description": "Whether full-width letters and digits become half-width; never in Japanese."},
    )
    chinese: Chinese = field(
        default=Chinese.KEEP,
        metadata={"description": "Convert Chinese characters to simplified or traditional; needs the extra zh."},
    )
    repeated: bool = field(
        default=True,
        metadata={"description": "Whether to drop lines of advertising that come again all through the book."},
    )
    rules: str = field(
        default="",
        validator=_usable_rules,
        metadata={"description": "More junk rules, as TOML: [[rule]] tables with id, kind, pattern; see the guide."},
    )
    without: tuple[str, ...] = field(
        default=(),
        validator=_known_rules,
        metadata={"description": "The ids of built-in junk rules that are not to be used."},
    )
