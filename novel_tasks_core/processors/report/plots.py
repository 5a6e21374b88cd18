"""What all charts over the book have in common: a frame whose shapes stretch with the page while its letters do not.

An SVG without a view box keeps pixels as pixels; places along the book are percentages, and curves live in an
inner SVG that is stretched. So the same chart can be read on a telephone, on a desk and on paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from attrs import frozen

from novel_tasks_core.processors.report.markup import named
from novel_tasks_core.processors.report.shape import Shape

TOP = 16
"""The space above the plot of a chart, in pixels; numbers of parts stand there."""
MOST_PARTS = 60
"""How many parts are drawn; more would hide a chart."""
_BELOW = 20
_LEAST_GAP = 4.5
_FEW_CHAPTERS = 5


@frozen
class Mark:
    """A label on an axis: where (0..1) and what."""

    at: float
    label: str


@frozen(kw_only=True)
class Axes:
    """The frame of a chart: labels of heights, labels along the book, and where parts begin."""

    heights: Sequence[Mark]
    places: Sequence[Mark]
    parts: Sequence[Mark]


def plot(identifier: str, title: str, description: str, height: int, axes: Axes, shapes: str, *, width: int = 0) -> str:
    """Return a chart: the shapes in their frame. `width` bounds it, in pixels, when there is little to show."""
    attributes, names = named(identifier, title, description)
    limit = f' style="max-width:{width}px"' if width else ""
    return (
        f'<svg class="plot" id="{identifier}" {attributes} height="{TOP + height + _BELOW}"{limit}>{names}'
        f"{_parts(axes.parts, height)}{_heights(axes.heights, height)}{shapes}"
        f"{_places(axes.places, TOP + height)}</svg>"
    )


def stretched(shapes: str, height: int, *, top: int = TOP) -> str:
    """Return shapes of a canvas of 1000 x `height` units, stretched over the width of the chart."""
    return (
        f'<svg y="{top}" width="100%" height="{height}" viewBox="0 0 1000 {height}" preserveAspectRatio="none"'
        f' overflow="visible">{shapes}</svg>'
    )


def percent(part: float) -> str:
    """Return a place along the book as a percentage, as short as it can be."""
    return f"{100 * part:.2f}".rstrip("0").rstrip(".") + "%"


def _heights(marks: Iterable[Mark], height: int) -> str:
    found = []
    for mark in marks:
        y = f"{TOP + height * (1 - mark.at):.1f}".removesuffix(".0")
        found.append(
            f'<line class="grid" x2="100%" y1="{y}" y2="{y}"/>'
            f'<text class="y" x="-8" y="{y}" dy=".32em">{escape(mark.label)}</text>'
        )
    return "".join(found)


def _places(marks: Sequence[Mark], y: int) -> str:
    found = []
    for mark in marks:
        anchor = ' class="end"' if mark.at > 0.97 else "" if mark.at < 0.03 else ' class="mid"'
        found.append(f'<text{anchor} x="{percent(mark.at)}" y="{y + 15}">{escape(mark.label)}</text>')
    return "".join(found)


def _parts(marks: Sequence[Mark], height: int) -> str:
    found, last = [], -100.0
    for mark in marks:
        x = percent(mark.at)
        found.append(f'<line class="part" x1="{x}" x2="{x}" y1="0" y2="{TOP + height}"/>')
        if 100 * mark.at - last >= _LEAST_GAP:
            last = 100 * mark.at
            found.append(f'<text class="no" x="{x}" dx="4" y="10">{escape(mark.label)}</text>')
    return "".join(found)


def round_step(highest: float, marks: int = 5) -> float:
    """Return the distance of about so many round labels from 0 to the highest value: 1, 2 or 5 times a power of 10."""
    wanted = max(highest, 1e-9) / marks
    unit = 10.0 ** len(str(int(wanted))) / 10 if wanted >= 1 else 1.0
    return next((unit * factor for factor in (1, 2, 5, 10) if unit * factor >= wanted), unit * 10)


def chapter_marks(shape: Shape, *, most: int = 8) -> list[Mark]:
    """Return labels for a chart that has a place for every chapter: the numbers of a few of them."""
    total = len(shape)
    return [Mark((chapter + 0.5) / total, f"{shape.numbers[chapter]:,}") for chapter in _labelled(shape, most)]


def position_marks(shape: Shape) -> list[Mark]:
    """Return labels for a chart along the text: numbers of chapters where they begin, or hundredths of the text."""
    if shape.counted < _FEW_CHAPTERS:
        return [Mark(part / 100, f"{part}%") for part in (0, 25, 50, 75, 100)]
    found: list[Mark] = []
    for chapter in _labelled(shape, 10):
        at = shape.position(chapter)
        if not found or 100 * (at - found[-1].at) >= _LEAST_GAP:
            found.append(Mark(at, f"{shape.numbers[chapter]:,}"))
    return found


def _labelled(shape: Shape, most: int) -> list[int]:
    """Return the first chapter that is counted, and those whose numbers are round."""
    step = max(1, int(round_step(shape.counted, most)))
    return [chapter for chapter, number in enumerate(shape.numbers) if number == 1 or (number and number % step == 0)]


def part_marks(shape: Shape, *, by_chapter: bool, most: int = MOST_PARTS) -> list[Mark]:
    """Return the lines of the parts, numbered; none when there are so many that they would hide the chart."""
    if len(shape.parts) > most:
        return []
    total = max(1, len(shape))
    return [
        Mark(part.chapter / total if by_chapter else part.position, str(number))
        for number, part in enumerate(shape.parts, start=1)
    ]
