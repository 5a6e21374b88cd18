"""How found headings are compared with the truth."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.harness.restyle import Layout, Source, Style, restyled
from benchmarks.harness.scoring import Cuts, right_when_sure, score, trust
from benchmarks.harness.union_regex import regex_lines


def truth(*headings: tuple[int, bool]) -> dict[str, Any]:
    """Make a truth of headings of one line each."""
    return {"chapters": [{"line": line, "line_end": line, "required": required} for line, required in headings]}


def test_optional_headings_are_neither_missed_nor_wrong() -> None:
    """Parts may be found or not; a line that is no heading costs precision, a chapter not found recall."""
    known = truth((1, False), (3, True), (9, True))
    assert score(known, [3, 9]).f1 == 1.0
    assert score(known, [1, 3, 9]).f1 == 1.0
    assert score(known, [3]).recall == 0.5
    assert score(known, [3, 9, 12]).precision == pytest.approx(2 / 3)
    assert score(truth(), []).f1 == 1.0
    assert score(truth(), [4]).f1 == 0.0


def test_cuts_in_the_right_places_have_no_error() -> None:
    """Pk and WindowDiff are 0 for the truth itself, and grow with what is missing."""
    known = truth((1, True), (21, True), (41, True))
    exact, near, none = (Cuts.of(known, lines, 60) for lines in ([1, 21, 41], [1, 22, 41], [1]))
    assert (exact.pk, exact.window_diff) == (0.0, 0.0)
    assert 0.0 < near.window_diff < none.window_diff
    assert none.pk > 0.2


def test_confidence_is_held_against_what_came_of_it() -> None:
    """Of the books that were told with certainty, the share is told that was right."""
    judged = [(0.95, 1.0), (0.97, 0.5), (0.6, 0.2)]
    assert right_when_sure(judged) == 0.5
    assert [(one.books, one.right) for one in trust(judged)] == [(1, 0.0), (2, 0.5)]


def test_a_restyled_book_says_where_its_headings_stand() -> None:
    """Every line of the truth is the heading that the style makes, whatever stands around."""
    source = Source(name="tale", language="en", bodies=tuple(("One day it rained. " * 90,) * 9 for _ in range(7)))
    layout = Layout(gap=1, width=60)
    style = Style(
        name="s", group="g", families="en", heading=lambda n, t: f"CHAPTER {n}\n{t}", contents="front",
        contents_title="CONTENTS", before=("PREFACE",), after=("EPILOGUE",), inner=lambda n, t: f"({n})",
    )  # fmt: skip

    book = restyled(source, style, ["Rain", "Snow"], [layout])

    lines = book.text.split("\n")
    first = [lines[heading["line"] - 1] for heading in book.truth["chapters"] if heading["kind"] == "chapter"]
    others = {lines[heading["line"] - 1] for heading in book.truth["chapters"] if not heading["required"]}
    assert first == [f"CHAPTER {number}" for number in range(1, 8)]
    assert others == {"PREFACE", "EPILOGUE", "(1)", "(2)"}
    assert set(regex_lines(book.text)) > {heading["line"] for heading in book.truth["chapters"] if heading["required"]}
