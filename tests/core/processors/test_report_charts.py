"""The charts of the report say what the figures say: every mark at its place, however many chapters there are."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from typing import Any

import pytest

from novel_tasks_core.processors.report import render_report
from novel_tasks_core.processors.report.chinese import CHINESE
from novel_tasks_core.processors.report.circle import around
from novel_tasks_core.processors.report.courses import thinned
from novel_tasks_core.processors.report.english import ENGLISH
from novel_tasks_core.processors.report.markup import plain
from novel_tasks_core.processors.report.meetings import drawn_meetings, meeting_graph
from novel_tasks_core.processors.report.numbers import clock, duration, rough
from novel_tasks_core.processors.report.plots import chapter_marks, part_marks, position_marks, round_step
from novel_tasks_core.processors.report.presence import presence_of, strip
from novel_tasks_core.processors.report.reading import encoding_name, reason_words
from novel_tasks_core.processors.report.shape import Shape, quartiles, shape_of
from novel_tasks_core.processors.report.words import Words

from .books import FACTS, Document, Many, book, chapter, meeting, part, person


def shape(*sections: Any, language: str = "en") -> Shape:
    """Return the shape of a book of these sections."""
    return shape_of(book(sections), language)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0.4, "less than a minute"),
        (1.0, "about 1 minute"),
        (59.4, "about 59 minutes"),
        (60.0, "about 1 hour"),
        (561.0, "about 9 hours 20 minutes"),
        (3000.0, "about 50 hours"),
        (119.0, "about 2 hours"),
    ],
)
def test_a_length_of_time_is_told_as_people_would(minutes: float, said: str) -> None:
    """The longer, the rougher; one hour is not 1 hours."""
    assert duration(minutes, ENGLISH) == said


def test_what_is_endless_is_cut_with_a_sign() -> None:
    """And what is not is left alone."""
    assert plain("x" * 161) == "x" * 159 + "…"
    assert plain("x" * 160) == "x" * 160
    assert plain(" a\u0000\u202eb \ud800") == "a b \ufffd"


@pytest.mark.parametrize(
    ("value", "words", "shown"),
    [
        (566_321, ENGLISH, "566,000"),
        (999, ENGLISH, "999"),
        (0, ENGLISH, "0"),
        (606_190, CHINESE, "60.6万"),
        (9_870, CHINESE, "9,870"),
        (9_999, CHINESE, "1万"),
        (100_400, CHINESE, "10万"),
        (123_456_789, CHINESE, "12,300万"),
    ],
)
def test_rough_numbers_have_three_figures(value: int, words: Words, shown: str) -> None:
    """In Chinese they count by ten thousands."""
    assert rough(value, words) == shown


def test_times_of_the_table_line_up() -> None:
    """Minutes after an hour have two digits."""
    assert [clock(minutes, ENGLISH) for minutes in (4.4, 65, 7_310 * 60)] == ["4 min", "1 h 05", "7,310 h 00"]


@pytest.mark.parametrize(
    ("codec", "name"),
    [("utf-8", "UTF-8"), ("cp1252", "Windows-1252"), ("shift_jis", "Shift JIS"), ("mac_roman", "mac_roman")],
)
def test_encodings_have_the_names_that_people_know(codec: str, name: str) -> None:
    """An unknown one is called as the codec is."""
    assert encoding_name(codec) == name


@pytest.mark.parametrize(
    "reason",
    [
        "36 headings of the form “kapitel N”, counting without a gap",
        "121 headings of the form “第N回”, the count breaks once; 1 does not stand apart from the text",
        "121 headings of the form “第N回”, the count breaks 2 times; 3 do not stand apart from the text",
        "40 headings of the form a bare number (roman) in 7 parts, counting without a gap",
        "12 headings of the form number and title (roman), only 12 of them; one is much longer than the others",
        "12 headings from the Markdown",
        "9 headings from the text's own heading marks",
        "18 of the 20 entries of the book's own contents list",
        "7 short lines with more space around them than paragraphs have",
        "7 lines that your rule matches",
        "your rule matches no line: the text is one piece",
        "no heading found: the text is one piece",
        "9 headings of the form “第N章”, a long text precedes the first",
    ],
)
def test_reasons_are_told_in_chinese(reason: str) -> None:
    """Whole, with their numbers."""
    said = reason_words(reason, CHINESE)

    assert "lang=" not in said
    assert sorted(re.findall(r"\d+", said)) == sorted(re.findall(r"\d+", reason))


def test_a_part_without_text_is_a_mark_and_no_bar() -> None:
    """Its chapters are the bars; what stands before the first chapter is one too, but is not counted."""
    found = shape(chapter("Preface", kind="front"), part("I"), chapter("a"), chapter("b"), part("II"), chapter("c"))

    assert [found.title(n) for n in range(len(found))] == ["Preface", "a", "b", "c"]
    assert list(found.numbers) == [0, 1, 2, 3]
    assert [(p.title, p.chapter, p.sections) for p in found.parts] == [("I", 1, 3), ("II", 3, 2)]
    assert list(found.chapter_of) == [0, 1, 1, 2, 3, 3]
    assert found.full_title(2) == "I · b"
    assert [mark.label for mark in part_marks(found, by_chapter=True)] == ["1", "2"]


def test_sections_within_a_chapter_belong_to_it() -> None:
    """The bar, the row and the records of a chapter are those of all its sections."""
    inner = [chapter(f"{n}", kind="section", level=3, words=400, dialogue_share=0.5) for n in range(2)]
    found = shape(chapter("A", words=10, dialogue_share=0.0), *inner, chapter("B", 1))

    assert list(found.amounts) == [810, 1006]
    assert list(found.chapter_of) == [0, 0, 0, 1]
    assert found.sums(0).spoken == pytest.approx(5000)
    page = render_report(book([chapter("A", words=10), *inner, chapter("B", 1)]), FACTS, title="A")
    (row,) = [e for e in Document(page).all("tr") if e.attributes.get("id") == "s1"]
    assert "810" in row.text


@pytest.mark.parametrize("language", ["zh-Hans", "ja"])
def test_chinese_and_japanese_are_measured_in_characters(language: str) -> None:
    """Even where words could be told apart."""
    assert list(shape(chapter("A", words=700), language=language).amounts) == [5000]


@pytest.mark.parametrize(("count", "bars"), [(1, 1), (400, 400), (401, 134), (100_000, 200)])
def test_many_chapters_share_bars(count: int, bars: int) -> None:
    """Every chapter is in one bar, and none in two."""
    found = list(shape_of(book(Many(count)), "en").bins())

    assert len(found) == bars
    assert (found[0].first, found[-1].last) == (0, count - 1)
    assert all(before.last + 1 == after.first for before, after in pairwise(found))


def test_bars_are_as_high_as_chapters_are_long() -> None:
    """Narration stands on dialogue, and both together are the chapter."""
    sections = [chapter(f"{n}", n, words=500 * (n + 1), dialogue_share=0.25) for n in range(6)]
    document = Document(render_report(book(sections), FACTS, title="A"))

    tell, talk = ([float(e.attributes["height"]) for e in document.with_class(kind)] for kind in ("b1", "b2"))
    whole = [one + other for one, other in zip(tell, talk, strict=True)]
    assert [round(height / whole[0], 1) for height in whole] == [1, 2, 3, 4, 5, 6]
    assert [round(other / height, 2) for other, height in zip(talk, whole, strict=True)] == [0.25] * 6
    assert max(whole) == pytest.approx(200)


@pytest.mark.parametrize("highest", [0.3, 1, 7, 12, 99, 100, 4019, 7956, 1_000_000, 0])
def test_axes_have_a_few_round_numbers(highest: float) -> None:
    """Not one, and not twenty."""
    step = round_step(highest)

    assert step > 0
    assert highest / step <= 5
    assert str(step).strip("0.")[:1] in ("1", "2", "5", "")


@pytest.mark.parametrize("count", [1, 3, 9, 10, 120, 365, 999, 100_000])
def test_labels_along_the_book_are_few_and_in_order(count: int) -> None:
    """From chapter 1 on, wherever the chapters lie."""
    found = shape_of(book(Many(count)), "en")
    for marks in (chapter_marks(found), position_marks(found)):
        assert 1 <= len(marks) <= 12
        assert all(before.at < after.at for before, after in pairwise(marks))
        assert all(0 <= mark.at <= 1 for mark in marks)
    assert chapter_marks(found)[0].label == "1"


def test_the_numbers_of_the_parts_are_explained() -> None:
    """Below the first chart, with links to their rows; not when there are too many to be drawn."""
    sections = [part("Of the Sea"), chapter("a"), chapter("b"), part("Of the Land"), chapter("c")]
    document = Document(render_report(book(sections), FACTS, title="A"))

    assert [e.text for e in document.all("li")] == ["Of the Sea", "Of the Land"]
    assert [e.attributes["href"] for e in document.all("a") if e.within("ol")] == ["#s1", "#s4"]
    assert not Document(render_report(book(Many(200, 2)), FACTS, title="A")).all("ol")


def test_quartiles_are_between_values_where_they_must() -> None:
    """The middle of two is their mean."""
    assert quartiles([4, 1, 3, 2]) == (1.75, 2.5, 3.25)
    assert quartiles([7]) == (7, 7, 7)


def test_very_many_dots_become_medians_of_neighbours() -> None:
    """Few enough to be seen, in their order, and no outlier moves them."""
    points = [(n / 10_000, 50.0 if n % 50 else 1000.0) for n in range(10_000)]
    found = thinned(points)

    assert len(found) <= 400
    assert {value for _, value in found} == {50.0}
    assert list(found) == sorted(found)
    assert thinned(points[:400]) == points[:400]


def test_a_strip_has_a_column_for_every_chapter_somebody_is_named_in() -> None:
    """Higher where named more often; the name of the picture says it in words."""
    found = shape(*(chapter(f"{n}", n) for n in range(10)))
    presence = presence_of(person("Anna", (1, 1), (2, 4), (7, 9)), found)

    assert presence is not None
    assert presence.columns == (0, 1, 4, 0, 0, 0, 0, 9, 0, 0)
    assert (presence.chapters, presence.first, presence.last, presence.most) == (3, 1, 7, 7)
    drawn = strip(3, presence, found, "Anna: named 14 times")
    assert 'd="M1 22V13h1V6h1V22zM7 22V0h1V22z"' in drawn
    assert '<title id="p3-t">Anna: named 14 times</title>' in drawn


def test_somebody_is_in_a_chapter_once_however_many_sections_it_has() -> None:
    """Mentions in the sections of a chapter are summed up before chapters are compared."""
    inner = [chapter(f"{n}", kind="section", level=3) for n in range(2)]
    presence = presence_of(person("Anna", (0, 3), (1, 3), (2, 3), (3, 8)), shape(chapter("A"), *inner, chapter("B")))

    assert presence is not None
    assert (presence.columns, presence.chapters, presence.most) == ((9, 8), 2, 0)


def test_mentions_of_many_chapters_share_columns() -> None:
    """None is lost, and chapters are counted, not sections."""
    found = shape_of(book(Many(5_000)), "en")
    presence = presence_of(person("Anna", *((n, 2) for n in range(0, 5_000, 3))), found)

    assert presence is not None
    assert len(presence.columns) == 200
    assert sum(presence.columns) == 2 * 1_667
    assert presence.chapters == 1_667
    assert presence_of(person("Nobody"), found) is None


NAMES = [f"Person {n}" for n in range(18)]


def _cost(order: list[str], weights: dict[tuple[str, str], float]) -> float:
    place = {name: at for at, name in enumerate(order)}
    cost = 0.0
    for (one, other), weight in weights.items():
        distance = abs(place[one] - place[other])
        cost += weight * min(distance, len(order) - distance)
    return cost


def test_those_who_meet_often_become_neighbours() -> None:
    """A ring that was shuffled comes back as a ring."""
    ring = [NAMES[n * 5 % 18] for n in range(18)]
    weights = dict.fromkeys(pairwise([*ring, ring[0]]), 5.0)

    order = around(NAMES, weights)
    assert sorted(order) == sorted(NAMES)
    assert _cost(order, weights) == 18 * 5
    assert order == around(NAMES, weights)


def test_no_exchange_of_two_would_shorten_the_lines() -> None:
    """The order is the best among its neighbours."""
    weights = {(NAMES[a], NAMES[b]): float((a * 5 + b * 7) % 13) for a in range(12) for b in range(a + 1, 12)}
    order = around(NAMES[:12], weights)

    cost = _cost(order, weights)
    for a, b in combinations(range(12), 2):
        other = [*order]
        other[a], other[b] = order[b], order[a]
        assert _cost(other, weights) >= cost


def test_an_order_is_never_worse_than_by_mentions() -> None:
    """Whatever the meetings are."""
    weights = {(NAMES[a], NAMES[b]): float((a * 7 + b * 3) % 11) for a in range(18) for b in range(a + 1, 18)}

    assert _cost(around(NAMES, weights), weights) <= _cost(NAMES, weights)


@pytest.mark.parametrize("count", [2, 3, 7, 18, 40])
def test_no_two_names_of_the_graph_share_a_line(count: int) -> None:
    """On one side names are a line apart; the others are on the other side."""
    people = [person(f"Person {n}", (0, count - n + 1)) for n in range(count)]
    meetings = [meeting(f"Person {n}", f"Person {(n + 1) % count}", count - n + 1) for n in range(count)]
    drawn = drawn_meetings(people, meetings)
    labels = re.findall(
        r'<text( class="end")? x="([\d.]+)%" dx="-?12" y="(\d+)"', meeting_graph(people, drawn, "A", "B", "")
    )

    assert len(labels) == min(count, 18)
    for side in ("", ' class="end"'):
        rows = sorted(int(y) for end, _, y in labels if end == side)
        assert all(after - before >= 31 for before, after in pairwise(rows))
    assert all((float(x) >= 50) != bool(end) for end, x, _ in labels)


def test_lines_are_heavier_the_more_scenes_two_people_share() -> None:
    """And there are not so many that none can be followed."""
    people = [person(f"Person {n}", (0, 50 - n)) for n in range(18)]
    pairs = [(a, b) for a in range(18) for b in range(a + 1, 18)]
    meetings = [meeting(f"Person {a}", f"Person {b}", 200 - n) for n, (a, b) in enumerate(pairs)]
    drawn = drawn_meetings(people, meetings)
    widths = [
        float(width)
        for width in re.findall(r'class="tie"[^>]* stroke-width="([\d.]+)"', meeting_graph(people, drawn, "A", "B", ""))
    ]

    assert len(drawn) == len(widths) == 48
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]


def test_charts_say_in_which_chapter_a_figure_is_highest() -> None:
    """The one in the middle of the stretch, with a link to its row."""
    sections = [chapter(f"Title {n}", n, characters=5000) for n in range(200)]
    document = Document(render_report(book(sections), FACTS, title="A"))

    captions = [e for e in document.all("figcaption") if "Highest (90%)" in e.text]
    assert len(captions) == 1
    assert [e.text for e in document.all("a") if e.parent in captions] == ["Title 19", "Title 1"]


def test_the_chapters_that_stand_out_are_named() -> None:
    """Where several share a record, how many; what is too short to compare is left out."""
    sections = [chapter(f"Title {n}", n, words=1000, dialogue_share=0.0 if n > 2 else 0.5) for n in range(8)]
    sections[4] = chapter("The long one", words=9000, dialogue_share=0.9)
    sections.append(chapter("Tiny", words=3, characters=12, dialogue_share=1.0))
    sections += [
        chapter("Bare heading", words=2, characters=12, sentence_words=1.0),
        chapter("1", kind="section", level=3, words=1000, dialogue_share=0.3),
    ]
    document = Document(render_report(book(sections), FACTS, title="A"))

    (table,) = document.with_class("extremes")
    assert "9,000 The long one" in table.text
    assert "90% The long one" in table.text
    assert "0% in 4 chapters" in table.text
    assert "Tiny" not in table.text
    assert "Bare heading" not in table.text
