"""Who meets whom: people around an ellipse, and a line for each pair, heavier the more scenes they share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from novel_tasks_core.processors.report.circle import around
from novel_tasks_core.processors.report.markup import named, text
from novel_tasks_core.processors.report.plots import percent, stretched
from novel_tasks_core.text.appearances import Meeting, Person

_MOST_PEOPLE = 18
_MOST_LINES = 48
_ROW = 32
_EDGE = 14
_LEAST_HEIGHT = 150
_NAME = 18
_FLATTEN = 1.06


def drawn_meetings(people: Sequence[Person], meetings: Sequence[Meeting]) -> list[Meeting]:
    """Return the meetings that the picture shows: the most frequent ones among the people most mentioned."""
    known = {person.name for person in people[:_MOST_PEOPLE]}
    return [meeting for meeting in meetings if meeting.first in known and meeting.second in known][:_MOST_LINES]


def meeting_graph(
    people: Sequence[Person], meetings: Sequence[Meeting], title: str, description: str, lang: str
) -> str:
    """Return the picture of these meetings. Every name has a line of its own, so that no two can overlap."""
    weights = {(meeting.first, meeting.second): float(meeting.scenes) for meeting in meetings}
    met = {name for pair in weights for name in pair}
    order = around([person.name for person in people[:_MOST_PEOPLE] if person.name in met], weights)
    places = max(_turns(order), key=lambda turn: _spread(turn, weights))
    height = round(_row(order) * -(-len(order) // 2)) + 2 * _EDGE
    attributes, names = named("meetings-graph", title, description)
    mentions = {person.name: person.mentions for person in people}
    lines = "".join(_line(places, meeting, max(weights.values()), height) for meeting in reversed(meetings))
    dots = "".join(_dot(places[name], mentions[name], max(mentions.values())) for name in order)
    labels = "".join(_label(name, *places[name], lang) for name in order)
    drawing = stretched(lines + dots, height, top=0)
    return f'<svg class="graph" {attributes} height="{height}">{names}{drawing}{labels}</svg>'


def _places(order: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Put names on an ellipse, clockwise from the top right, in rows: x is 0..1, y in pixels."""
    right = -(-len(order) // 2)
    rows = max(1, right)
    found: dict[str, tuple[float, float]] = {}
    for number, name in enumerate(order):
        row = number if number < right else len(order) - 1 - number
        level = (2 * (row + 0.5) / rows - 1) / _FLATTEN
        side = (1 - level * level) ** 0.5 / 2
        found[name] = (0.5 + side if number < right else 0.5 - side, _EDGE + _row(order) * (row + 0.5))
    return found


def _row(order: Sequence[str]) -> float:
    """Return the height of a line, higher where there are few."""
    return max(_ROW, _LEAST_HEIGHT / max(1, -(-len(order) // 2)))


def _turns(order: Sequence[str]) -> Iterator[dict[str, tuple[float, float]]]:
    for turn in range(len(order)):
        yield _places([*order[turn:], *order[:turn]])


def _spread(places: Mapping[str, tuple[float, float]], weights: Mapping[tuple[str, str], float]) -> float:
    """Tell how far lines go from side to side: those along one side would lie upon each other in a narrow picture."""
    return sum(weight * abs(places[one][0] - places[other][0]) for (one, other), weight in weights.items())


def _line(places: dict[str, tuple[float, float]], meeting: Meeting, highest: float, height: int) -> str:
    (x1, y1), (x2, y2) = places[meeting.first], places[meeting.second]
    part = (meeting.scenes / highest) ** 1.2
    far = min(1.0, ((x2 - x1) ** 2 + ((y2 - y1) / height) ** 2) ** 0.5)
    pull = 1 - 0.5 * far
    bend_x, bend_y = 500 + ((x1 + x2) * 500 - 500) * pull, height / 2 + ((y1 + y2) / 2 - height / 2) * pull
    return (
        f'<path class="tie" d="M{x1 * 1000:.0f} {y1:.0f}Q{bend_x:.0f} {bend_y:.0f} {x2 * 1000:.0f} {y2:.0f}"'
        f' stroke-width="{0.8 + 5.2 * part:.1f}" opacity="{0.4 + 0.55 * part:.2f}"/>'
    )


def _dot(place: tuple[float, float], mentions: int, highest: int) -> str:
    size = 6 + 9 * (mentions / highest) ** 0.5
    at = f"M{place[0] * 1000:.0f} {place[1]:.0f}h0"
    ring = f'<path class="ring" d="{at}" stroke-width="{size + 4:.0f}"/>'
    return f'{ring}<path class="who" d="{at}" stroke-width="{size:.0f}"/>'


def _label(name: str, x: float, y: float, lang: str) -> str:
    side, shift = ("", 12) if x >= 0.5 else (' class="end"', -12)
    return f'<text{side}{lang} x="{percent(x)}" dx="{shift}" y="{y:.0f}" dy=".34em">{text(name, _NAME)}</text>'
