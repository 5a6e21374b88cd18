"""The chart of the chapters' lengths: a bar for each, whose lower part is dialogue."""

from __future__ import annotations

from html import escape

from novel_tasks_core.processors.report.numbers import exact, share
from novel_tasks_core.processors.report.plots import (
    TOP,
    Axes,
    Mark,
    chapter_marks,
    part_marks,
    percent,
    plot,
    round_step,
)
from novel_tasks_core.processors.report.shape import Bin, Shape, quartiles
from novel_tasks_core.processors.report.words import Words

_HEIGHT = 200
_WIDEST_BAR = 72
_TITLE = 60
_DENSE = 150


def length_chart(shape: Shape, words: Words, *, dialogue: bool, description: str) -> str:
    """Return the bars of all chapters, with a line at the median."""
    bins = list(shape.bins())
    step = round_step(max(bar.amount for bar in bins))
    highest = step * max(1, -(-max(bar.amount for bar in bins) // step))
    axes = Axes(
        heights=[Mark(n * step / highest, exact(n * step)) for n in range(round(highest / step) + 1)],
        places=chapter_marks(shape),
        parts=part_marks(shape, by_chapter=True),
    )
    bars = "".join(_bar(shape, bar, place, len(bins), highest, words, dialogue) for place, bar in enumerate(bins))
    width = len(bins) * _WIDEST_BAR if len(bins) < 12 else 0
    shapes = bars + _median_line(shape, highest)
    return plot("lengths", words.lengths, description, _HEIGHT, axes, shapes, width=width)


def _bar(shape: Shape, bar: Bin, place: int, places: int, highest: float, words: Words, dialogue: bool) -> str:
    step = 100 / places
    width = step * (1.0 if places > _DENSE else 0.74)
    x, wide = percent((place * step + (step - width) / 2) / 100), percent(width / 100)
    height = _HEIGHT * bar.amount / highest
    spoken = height * min(1.0, bar.spoken) if dialogue else 0.0
    talk = _column("b2" if places > _DENSE else "b2 apart", x, wide, spoken, 0.0) if spoken >= 0.5 else ""
    tell = _column("b1", x, wide, height - spoken, spoken)
    return f"<g><title>{escape(_caption(shape, bar, words, dialogue))}</title>{tell}{talk}</g>"


def _column(kind: str, x: str, width: str, height: float, foot: float) -> str:
    top = TOP + _HEIGHT - height - foot
    return f'<rect class="{kind}" x="{x}" y="{top:.1f}" width="{width}" height="{height:.1f}"/>'


def _caption(shape: Shape, bar: Bin, words: Words, dialogue: bool) -> str:
    name = shape.full_title(bar.first)[:_TITLE] or f"{bar.first + 1:,}"
    if bar.last > bar.first:
        name = words.range_of.format(first=f"{bar.first + 1:,}", last=f"{bar.last + 1:,}")
    said = f"{words.comma}{words.speech} {share(bar.spoken)}" if dialogue else ""
    return words.bar.format(name=name, amount=exact(bar.amount)) + said


def _median_line(shape: Shape, highest: float) -> str:
    if len(shape) < 5:
        return ""
    y = TOP + _HEIGHT * (1 - quartiles(shape.amounts)[1] / highest)
    return f'<line class="middle" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
