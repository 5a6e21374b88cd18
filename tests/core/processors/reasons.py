"""Every reason that the splitter can give for its chapters, found in its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from itertools import product
from pathlib import Path

import attrs

import novel_tasks_core
from novel_tasks_core.text import verdict
from novel_tasks_core.text.candidates import Candidate
from novel_tasks_core.text.forms import Form, Heading
from novel_tasks_core.text.numerals import NumeralSystem
from novel_tasks_core.text.sequences import Chain, Link
from novel_tasks_core.text.verdict import Signs
from novel_tasks_core.text.vocabulary import CHAPTER

_TEXT = Path(novel_tasks_core.__file__).parent / "text"
_COUNTS = ("1", "2", "12")


def every_reason() -> Iterator[str]:
    """Yield each sentence at least once, with one and with many where it counts."""
    written = [reason for path in sorted(_TEXT.glob("*.py")) for reason in _written(path)]
    whole = [reason for reason in written if "<reason>" not in reason]
    yield from whole
    yield from (outer.replace("<reason>", inner) for outer in written if "<reason>" in outer for inner in whole)
    yield from _judged()


def _written(path: Path) -> Iterator[str]:
    """Yield what a module gives as the reason of an outline; other reasons are not its business."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named.setdefault(node.targets[0].id, []).append(node.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Outline", "evolve"):
            for reason in (keyword.value for keyword in node.keywords if keyword.arg == "reason"):
                sources = named.get(reason.id, []) if isinstance(reason, ast.Name) else [reason]
                for source in sources:
                    yield from _filled(source, path)


def _filled(source: ast.expr, path: Path) -> Iterator[str]:
    if isinstance(source, ast.JoinedStr):
        for parts in product(*(_values(part, path) for part in source.values)):
            yield "".join(parts)
    else:
        yield ast.literal_eval(source)


def _values(part: ast.expr, path: Path) -> tuple[str, ...]:
    """Return what can stand at a place of a sentence: a count, a reason, or something of a table of the module."""
    if isinstance(part, ast.Constant):
        return (str(part.value),)
    assert isinstance(part, ast.FormattedValue)
    match part.value:
        case ast.Attribute(attr="reason"):
            return ("<reason>",)
        case ast.Subscript(value=ast.Name(id=table)):
            return tuple(getattr(import_module(f"novel_tasks_core.text.{path.stem}"), table).values())
        case _:
            return _COUNTS


def _judged() -> Iterator[str]:
    """Yield what is said of numbered headings: of each form, with every note alone and with all together."""
    nothing = Signs(**dict.fromkeys(attrs.fields_dict(Signs), 0.0))
    doubts = [nothing, *(attrs.evolve(nothing, **{name: 1.0}) for name in attrs.fields_dict(Signs))]
    everything = Signs(**dict.fromkeys(attrs.fields_dict(Signs), 1.0))
    one_is_loose = attrs.evolve(nothing, loose=1 / 6)
    for heading, signs in product(_headings(), [*doubts, one_is_loose, everything]):
        for breaks, parts in product((0, 1, 3), ([], [_chain(heading, length=2, breaks=0)])):
            yield verdict._reason([_chain(heading, length=6, breaks=breaks)], parts, signs)


def _headings() -> Iterator[Heading]:
    for word in ("chapter", "глава", "章"):
        yield Heading(Form.DIVISION, word, CHAPTER, 1, NumeralSystem.ARABIC, "")
    for form, system in product((Form.BARE, Form.TITLED), NumeralSystem):
        yield Heading(form, "", CHAPTER, 1, system, "")


def _chain(heading: Heading, *, length: int, breaks: int) -> Chain:
    candidate = Candidate(heading=heading, line=1, start=0, end=9, before=1, after=1, indent=0, title="")
    return Chain((Link(candidate, 3.0, 900),) * length, score=9.0, breaks=breaks, restarts=0)
