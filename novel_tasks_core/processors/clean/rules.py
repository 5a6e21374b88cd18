"""Junk rules: read from TOML, checked, and looked for in a text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from attrs import frozen

from novel_tasks_core.complaints import Complaint, FaultCode

MOST_RULES = 500
_MOST_ROUNDS = 8  # what is left of a line may be such junk again: <<br>br>
LONGEST_PATTERN = 2000

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", re.ASCII)
_FIELDS: dict[str, type] = {
    "id": str,
    "kind": str,
    "pattern": str,
    "replace": str,
    "languages": list,
    "hints": list,
    "markup": bool,
    "why": str,
    "drops": list,
    "keeps": list,
}
_NAMES = {str: "a text", list: "a list of texts", bool: "true or false"}
_NEEDED = ("id", "kind", "pattern")


class RuleError(ValueError):
    """A rule that cannot be used; says which and why."""

    def __init__(self, reason: str) -> None:
        super().__init__(Complaint(reason, FaultCode.CLEANING_RULES, reason=reason))


@frozen(kw_only=True)
class JunkRule:
    """What is junk: a whole line that `pattern` matches, or, with kind "span", what it matches inside a line.

    `hints` are plain texts in small letters, one of which a line must hold; none means any line. `markup` says
    that in Markdown it is none.
    """

    id: str
    kind: str
    pattern: str
    replace: str = ""
    languages: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    markup: bool = False
    why: str = ""
    drops: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()

    @property
    def compiled(self) -> re.Pattern[str]:
        """The pattern. Compiled when it is first asked for: few novels have anything for most of the rules."""
        return _compiled(self.pattern)

    def is_for(self, language: str) -> bool:
        """Tell whether novels of a language, a BCP 47 tag, are looked at."""
        return not self.languages or language.partition("-")[0] in self.languages

    def cleaned(self, line: str) -> str | None:
        """Return what is left of a line, None when all of it goes; the same line when it has no such junk."""
        if self.kind == "line":
            return None if self.compiled.fullmatch(line.strip()) else line
        for _ in range(_MOST_ROUNDS):
            before, line = line, self.compiled.sub(self.replace, line)
            if len(line) >= len(before):
                break
        return line

    def lines_of_interest(self, text: str, folded: str) -> Iterator[tuple[int, int]]:
        """Yield (start, end) of the lines of a text that have a hint, in order; `folded` is the text in small letters.

        Both must have the same length.
        """
        if not self.hints:
            yield from _all_lines(text)
            return
        last = -1
        for at in sorted(_places(folded, self.hints)):
            if at > last:
                start = text.rfind("\n", 0, at) + 1
                end = text.find("\n", at)
                last = len(text) if end < 0 else end
                yield start, last


@lru_cache(maxsize=MOST_RULES)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _places(text: str, hints: Iterable[str]) -> Iterator[int]:
    for hint in hints:
        at = text.find(hint)
        while at >= 0:
            yield at
            at = text.find(hint, at + len(hint))


class Screen:
    """Finds at a glance which rules a text may have anything for.

    Hints outside ASCII are looked for all at once: in Chinese text hardly any character begins one. For
    letters that would be slower than one search for each.
    """

    def __init__(self, rules: Sequence[JunkRule]) -> None:
        self._always = [rule for rule in rules if not rule.hints or any(hint.isascii() for hint in rule.hints)]
        self._by_others = [rule for rule in rules if rule not in self._always]
        self._shared = sorted({hint for rule in self._always for hint in rule.hints})
        hints = {hint for rule in self._by_others for hint in rule.hints}
        self._others = re.compile("|".join(map(re.escape, sorted(hints)))) if hints else None

    def worth_a_look(self, folded: str) -> list[JunkRule]:
        """Return the rules to try on a text, given in small letters."""
        there = {hint for hint in self._shared if hint in folded}
        found = [rule for rule in self._always if not rule.hints or not there.isdisjoint(rule.hints)]
        if self._others is None or folded.isascii() or not self._others.search(folded):
            return found
        return found + self._by_others


def _all_lines(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, end
        start = end + 1


@cache
def shipped_rules() -> tuple[JunkRule, ...]:
    """Return the rules that come with the library."""
    return _read((files(__package__) / "rules.toml").read_text("utf-8"))


def read_rules(text: str) -> tuple[JunkRule, ...]:
    """Read rules from TOML. Raises: RuleError naming the first rule that cannot be used, and why."""
    rules = _read(text)
    for rule in rules:
        _check_pattern(rule)
    return rules


def _read(text: str) -> tuple[JunkRule, ...]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise RuleError(f"not TOML: {exc}") from exc
    unknown = set(document) - {"rule"}
    tables = document.get("rule", [])
    if unknown or not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise RuleError("must hold [[rule]] tables and nothing else")
    if len(tables) > MOST_RULES:
        raise RuleError(f"{len(tables):,} rules are more than {MOST_RULES:,}")
    rules = tuple(_rule(table, number) for number, table in enumerate(tables, start=1))
    ids = [rule.id for rule in rules]
    twice = next((id_ for id_ in ids if ids.count(id_) > 1), None)
    if twice is not None:
        raise RuleError(f"two rules have the id {twice!r}")
    return rules


def _rule(table: dict[str, Any], number: int) -> JunkRule:
    name = f"rule {table['id']!r}" if isinstance(table.get("id"), str) else f"rule {number}"
    missing = [field_name for field_name in _NEEDED if field_name not in table]
    if missing:
        raise RuleError(f"{name} has no {missing[0]}")
    for field_name, value in table.items():
        _check_field(name, field_name, value)
    if not _ID.fullmatch(table["id"]):
        raise RuleError(f"{name}: an id has small letters, digits and hyphens, at most 64 of them")
    if table["kind"] not in ("line", "span"):
        raise RuleError(f"{name}: kind must be line or span, not {table['kind']!r}")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    rule = JunkRule(**values)
    if any(hint != hint.lower() or not hint for hint in rule.hints):
        raise RuleError(f"{name}: hints are texts in small letters")
    return rule


def _check_field(name: str, field_name: str, value: Any) -> None:
    wanted = _FIELDS.get(field_name)
    if wanted is None:
        raise RuleError(f"{name}: unknown field {field_name[:50]!r}; known: {', '.join(_FIELDS)}")
    if not isinstance(value, wanted) or (isinstance(value, list) and not all(isinstance(one, str) for one in value)):
        raise RuleError(f"{name}: {field_name} must be {_NAMES[wanted]}")
    if isinstance(value, str) and len(value) > LONGEST_PATTERN:
        raise RuleError(f"{name}: {field_name} has more than {LONGEST_PATTERN:,} characters")


def _check_pattern(rule: JunkRule) -> None:
    try:
        rule.compiled.sub(rule.replace, "")
        matches_nothing = rule.compiled.fullmatch("") is not None
    except (re.error, IndexError, RecursionError, OverflowError) as exc:
        raise RuleError(f"rule {rule.id!r}: not a regular expression: {exc}") from exc
    if matches_nothing:
        raise RuleError(f"rule {rule.id!r}: the pattern matches the empty text")


def chosen_rules(own: str, without: Sequence[str], language: str, *, markdown: bool = False) -> tuple[JunkRule, ...]:
    """Return the rules for a novel: those that are shipped but for `without`, then the user's own."""
    rules = (*(rule for rule in shipped_rules() if rule.id not in without), *read_rules(own))
    return tuple(rule for rule in rules if rule.is_for(language) and not (markdown and rule.markup))
