"""The log of what `clean` changed: every kind with its count, and examples with line, before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field, frozen

MOST_EXAMPLES = 200
"""How many examples of a kind are kept."""
LONGEST_EXAMPLE = 300
"""How many characters of a line an example shows."""

MEANINGS: Mapping[str, str] = {
    "newlines": "line ends that were not a line feed",
    "entities": "characters that a web page had written by name or number",
    "controls": "control characters that no text has",
    "invisible": "characters without width: zero-width spaces, soft hyphens, byte order marks within the text",
    "spaces": "spaces of unusual width, made ordinary ones",
    "widths": "full-width letters and digits, made half-width",
    "trailing": "lines with blanks at their end",
    "junk": "junk that a rule names",
    "repeated": "short lines that come again and again all through the book",
    "unwrapped": "line breaks inside paragraphs",
    "blank_lines": "blank lines beyond three in a row",
    "script": "lines converted between traditional and simplified characters",
}
"""The kinds of changes, and what is counted of each."""


@frozen
class Example:
    """One change: the number of the line in the source, the line before and after (None: it was dropped)."""

    line: int
    before: str
    after: str | None
    rule: str = ""

    def document(self) -> dict[str, Any]:
        """Return the example as JSON."""
        told: dict[str, Any] = {"line": self.line, "before": self.before, "after": self.after}
        return {**told, "rule": self.rule} if self.rule else told


@define
class ChangeLog:
    """Counts and examples by kind, and counts by rule. Examples that `earlier` has are enough also for what follows."""

    counts: dict[str, int] = field(factory=dict)
    examples: dict[str, list[Example]] = field(factory=dict)
    rules: dict[str, int] = field(factory=dict)
    earlier: ChangeLog | None = field(default=None, eq=False, repr=False)

    def count(self, kind: str, number: int) -> None:
        """Count changes that need no example."""
        if number:
            self.counts[kind] = self.counts.get(kind, 0) + number

    def note(self, kind: str, line: int, before: str, after: str | None, *, rule: str = "", number: int = 1) -> None:
        """Count `number` changes of one line, and keep it as an example while there are not enough."""
        self.counts[kind] = self.counts.get(kind, 0) + number
        if rule:
            self.rules[rule] = self.rules.get(rule, 0) + number
        if self.wants(kind):
            example = Example(line, _shortened(before), None if after is None else _shortened(after), rule)
            self.examples.setdefault(kind, []).append(example)

    def wants(self, kind: str) -> bool:
        """Tell whether more examples of a kind are kept."""
        had = 0 if self.earlier is None else len(self.earlier.examples.get(kind, ()))
        return had + len(self.examples.get(kind, ())) < MOST_EXAMPLES

    def document(self) -> dict[str, Any]:
        """Return the log as JSON: what `merge` takes."""
        return {
            "counts": self.counts,
            "rules": self.rules,
            "examples": {kind: [one.document() for one in examples] for kind, examples in self.examples.items()},
        }

    def merge(self, document: Mapping[str, Any]) -> None:
        """Add a later part of the same book."""
        for kind, number in document["counts"].items():
            self.count(kind, number)
        for rule, number in document["rules"].items():
            self.rules[rule] = self.rules.get(rule, 0) + number
        for kind, examples in document["examples"].items():
            kept = self.examples.setdefault(kind, [])
            kept += _examples(examples[: MOST_EXAMPLES - len(kept)])

    @property
    def total(self) -> int:
        """How many changes there were."""
        return sum(self.counts.values())


def _examples(documents: Iterable[Mapping[str, Any]]) -> list[Example]:
    return [Example(one["line"], one["before"], one["after"], one.get("rule", "")) for one in documents]


def _shortened(line: str) -> str:
    return line if len(line) <= LONGEST_EXAMPLE else f"{line[: LONGEST_EXAMPLE - 1]}…"
