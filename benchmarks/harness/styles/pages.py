"""How lines stand on the page: the layouts of prose, and what is put between its lines."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from benchmarks.harness.restyle import Layout

LATIN_LAYOUTS = (
    Layout(gap=1, width=72),
    Layout(gap=1, width=65, before=4, after=2),
    Layout(gap=1),
    Layout(gap=0, indent="    ", before=1),
    Layout(gap=0, before=0, after=0),
    Layout(gap=0, width=70, indent="  ", before=2, after=1),
    Layout(gap=1, before=1, after=1),
    Layout(gap=1, width=72, before=1, after=0),
)


AIRY = tuple(layout for layout in LATIN_LAYOUTS if layout.gap and layout.before > 1)


HAN_LAYOUTS = (
    Layout(gap=0, indent="　　", before=1, after=1),
    Layout(gap=0, indent="　　", before=0, after=0),
    Layout(gap=1, before=1, after=1),
    Layout(gap=0, before=2, after=1),
    Layout(gap=1, indent="　　", before=2, after=1),
)


JAPANESE_LAYOUTS = (
    Layout(gap=0, indent="　", before=1, after=1),
    Layout(gap=0, indent="　", before=2, after=0),
    Layout(gap=1, before=2, after=1),
    Layout(gap=0, indent="　", before=0, after=0),
)


def layouts_of(family: str) -> tuple[Layout, ...]:
    """Return the layouts in which a language sets its prose."""
    return {"zh": HAN_LAYOUTS, "ja": JAPANESE_LAYOUTS}.get(family, LATIN_LAYOUTS)


def insert(every: int, *blocks: str) -> Callable[[list[str], Random], list[str]]:
    """Return what puts lines among those of a body, where a paragraph ends."""

    def change(lines: list[str], random: Random) -> list[str]:
        result: list[str] = []
        since = every // 2
        for line in lines:
            result.append(line)
            since += 1
            if since >= every and (not line or lines.count("") < 3):
                result.extend([*random.choice(blocks).split("\n"), ""])
                since = 0
        return result

    return change


def page_numbers(lines: list[str], random: Random) -> list[str]:
    """Put a number of its own between pages, wherever the text stands."""
    result: list[str] = []
    page = random.randint(1, 300)
    for index, line in enumerate(lines):
        result.append(line)
        if index % 30 == 29:
            result.extend(["", str(page), ""])
            page += 1
    return result
