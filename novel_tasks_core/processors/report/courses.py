"""The charts along the text: the share of dialogue, the length of sentences, and how easy each chapter reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from attrs import frozen

from novel_tasks_core.processors.report.plots import (
    TOP,
    Axes,
    Mark,
    part_marks,
    plot,
    position_marks,
    round_step,
    stretched,
)
from novel_tasks_core.processors.report.shape import Shape

_HEIGHT = 120
_DOTS = 400
_MANY = 150


@frozen(kw_only=True)
class Course:
    """A figure along the text: pairs of where (0..1) a stretch begins and its value, and the value of the book.

    `highest` is how high the chart is at least.
    """

    identifier: str
    title: str
    description: str
    points: Sequence[tuple[float, float]]
    whole: float | None
    label: Callable[[float], str]
    highest: float = 0.0

    def edges(self) -> list[float]:
        """Return where each stretch ends."""
        return [at for at, _ in self.points[1:]] + [1.0]

    def middles(self) -> list[tuple[float, float]]:
        """Return the points, each in the middle of its stretch."""
        return [((at + end) / 2, value) for (at, value), end in zip(self.points, self.edges(), strict=True)]


def course_chart(course: Course, shape: Shape) -> str:
    """Return the steps of a figure that has a value for each stretch of the text, and a line for the whole book."""
    scale = _scale(course, 0.0)
    steps = "".join(
        f"V{scale.y(value)}H{_x(edge)}" for (_, value), edge in zip(course.points, course.edges(), strict=True)
    )
    start = _x(course.points[0][0])
    area = f'<path class="area" d="M{start} {_HEIGHT}{steps}V{_HEIGHT}z"/>'
    line = f'<path class="line" d="M{start} {scale.y(course.points[0][1])}{steps}"/>'
    return _framed(course, shape, scale, area + line)


def dot_chart(course: Course, shape: Shape) -> str:
    """Return a dot for each point; when there are very many, for the median of those that follow each other."""
    points = thinned(course.points)
    scale = _scale(course, min(value for _, value in points))
    dots = "".join(f"M{_x(at)} {scale.y(value)}h0" for at, value in points)
    kind = "dots many" if len(points) > _MANY else "dots"
    return _framed(course, shape, scale, f'<path class="{kind}" d="{dots}"/>')


def thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Return at most some hundreds of points: medians of neighbours."""
    if len(points) <= _DOTS:
        return points
    width = -(-len(points) // (_DOTS // 2))
    groups = [points[start : start + width] for start in range(0, len(points), width)]
    return [(group[len(group) // 2][0], median(value for _, value in group)) for group in groups]


@frozen
class _Scale:
    low: float
    high: float
    step: float

    def at(self, value: float) -> float:
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def y(self, value: float) -> str:
        return f"{_HEIGHT * (1 - self.at(value)):.1f}".removesuffix(".0")


def _scale(course: Course, lowest: float) -> _Scale:
    top = max(course.highest, *(value for _, value in course.points))
    step = round_step(top - min(0.0, lowest), 3) if top > 2 else 0.25
    low = min(0.0, -(-lowest // step) * step - step) if lowest < 0 else 0.0
    return _Scale(low, low + step * max(1, -(-(top - low) // step)), step)


def _framed(course: Course, shape: Shape, scale: _Scale, shapes: str) -> str:
    count = round((scale.high - scale.low) / scale.step)
    axes = Axes(
        heights=[Mark(n / count, course.label(scale.low + n * scale.step)) for n in range(count + 1)],
        places=position_marks(shape),
        parts=part_marks(shape, by_chapter=False),
    )
    middle = ""
    if course.whole is not None:
        y = f"{TOP + _HEIGHT * (1 - scale.at(course.whole)):.1f}"
        middle = f'<line class="middle" x2="100%" y1="{y}" y2="{y}"/>'
    return plot(course.identifier, course.title, course.description, _HEIGHT, axes, stretched(shapes, _HEIGHT) + middle)


def _x(part: float) -> str:
    return f"{1000 * part:.1f}".removesuffix(".0")
