"""Who is where in the book: a strip for each person, with a column for every chapter, higher the more often named."""

from __future__ import annotations

from html import escape

from attrs import frozen

from novel_tasks_core.processors.report.markup import named
from novel_tasks_core.processors.report.plots import chapter_marks, part_marks, percent
from novel_tasks_core.processors.report.shape import Shape
from novel_tasks_core.text.appearances import Person

_HEIGHT = 22
_LEAST = 3


@frozen(kw_only=True)
class Presence:
    """Where a person is: mentions in each column, the chapters (from 0) of the first, the last and the most."""

    columns: tuple[int, ...]
    chapters: int
    first: int
    last: int
    most: int


def presence_of(person: Person, shape: Shape) -> Presence | None:
    """Sum up the mentions of a person by chapter; None for somebody who is nowhere."""
    width = shape.width
    columns = [0] * -(-len(shape) // width)
    first = last = most = -1
    chapters = highest = here = 0
    for section, count in person.by_chapter:
        chapter = shape.chapter_of[section]
        if chapter != last:
            chapters, here, last = chapters + 1, 0, chapter
        here += count
        first = chapter if first < 0 else first
        most, highest = (chapter, here) if here > highest else (most, highest)
        columns[chapter // width] += count
    if first < 0:
        return None
    return Presence(columns=tuple(columns), chapters=chapters, first=first, last=last, most=most)


def strip(number: int, presence: Presence, shape: Shape, title: str) -> str:
    """Return the strip of the person of this number."""
    attributes, names = named(f"p{number}", title, "")
    count = len(presence.columns)
    lines = "".join(f"M{count * mark.at:.1f} 0v{_HEIGHT}" for mark in part_marks(shape, by_chapter=True, most=30))
    columns = f'<path class="here" d="{_columns(presence.columns)}"/>'
    return (
        f'<svg class="strip" {attributes} viewBox="0 0 {count} {_HEIGHT}" preserveAspectRatio="none">{names}'
        f'<path class="rule" d="M0 {_HEIGHT}h{count}{lines}"/>{columns}</svg>'
    )


def _columns(columns: tuple[int, ...]) -> str:
    """Draw columns side by side as one outline after the other; the root of a count makes single mentions visible."""
    highest = max(columns) ** 0.5
    found, open_at = [], False
    for place, count in enumerate(columns):
        if count:
            y = round(_HEIGHT - _LEAST - (_HEIGHT - _LEAST) * count**0.5 / highest)
            found.append(f"V{y}h1" if open_at else f"M{place} {_HEIGHT}V{y}h1")
        elif open_at:
            found.append(f"V{_HEIGHT}z")
        open_at = bool(count)
    return "".join(found) + (f"V{_HEIGHT}z" if open_at else "")


def ruler(shape: Shape) -> str:
    """Return the numbers of the chapters above the strips; it says nothing that the table does not."""
    marks = chapter_marks(shape, most=4)
    labels = []
    for mark in marks:
        anchor = ' class="end"' if mark.at > 0.94 else ' class="mid"' if mark.at > 0.06 else ""
        labels.append(f'<text{anchor} x="{percent(mark.at)}" y="11">{escape(mark.label)}</text>')
    return f'<svg class="ruler" aria-hidden="true" height="14">{"".join(labels)}</svg>'
