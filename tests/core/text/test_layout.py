"""Paragraphs are recognised in every layout, and all words of a text are in them, in order."""

from __future__ import annotations

import textwrap
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novel_tasks_core.text.layout import Layout, is_scene_break, join_lines, measure_layout
from novel_tasks_core.text.paragraphs import Kind, Paragraph, paragraphs, whole_paragraphs

SENTENCES = (
    "The ferry to the island ran twice a week in winter, and it carried one passenger and eleven sacks of flour.",
    '"You will be the new clerk," he said, before she had both feet on the stones of the quay.',
    "Something in his face eased; he brought one hand from behind his back, and in it was a long black key.",
    "Nobody's.",
    "Behind them the goat walked off the ferry by itself, considered the island, and set out up the hill as if it had"
    " an appointment that it did not care to miss, for the winter is always hard when it comes.",
)
TALE = [SENTENCES[index % 5] for index in range(60)]
HAN = [
    "江水在这里拐了一个弯，弯里有一个渡口，渡口边上立着一盏灯，附近的人都说，只要看见那点黄光，就知道离家不远了。" * 2,
    "“船家！还过不过江？”",
] * 30


def found(text: str) -> list[Paragraph]:
    """Return the paragraphs of a text in the layout that is measured on it."""
    return list(paragraphs(text, measure_layout(text)))


def prose(text: str) -> list[str]:
    """Return the lines of paragraphs that are all prose."""
    made = found(text)
    assert {paragraph.kind for paragraph in made} == {Kind.PROSE}
    return [paragraph.lines[0] for paragraph in made]


def wrapped(paragraph: str, width: int = 70, indent: str = "") -> str:
    """Wrap as a typist does."""
    return "\n".join(textwrap.wrap(paragraph, width, initial_indent=indent, break_on_hyphens=False))


def wrapped_han(paragraph: str, width: int = 36, indent: str = "") -> str:
    """Wrap Chinese at a number of characters."""
    text = indent + paragraph
    return "\n".join(text[start : start + width] for start in range(0, len(text), width))


@pytest.mark.parametrize(
    ("shape", "tale"),
    [
        pytest.param(lambda tale: "\n\n".join(tale), TALE, id="blank lines between"),
        pytest.param(lambda tale: "\n".join(tale), TALE, id="one a line"),
        pytest.param(lambda tale: "\n".join("    " + one for one in tale), TALE, id="one a line, indented"),
        pytest.param(lambda tale: "\n\n".join(map(wrapped, tale)), TALE, id="wrapped, blank lines between"),
        pytest.param(lambda tale: "\n\n\n".join(wrapped(one, 55) for one in tale), TALE, id="narrow, two blank lines"),
        pytest.param(lambda tale: "\n".join(wrapped(one, 72, "   ") for one in tale), TALE, id="wrapped and indented"),
        pytest.param(lambda tale: "\n".join("　　" + one for one in tale), HAN, id="Chinese, one a line"),
        pytest.param(lambda tale: "\n\n".join("　　" + one for one in tale), HAN, id="Chinese, blank lines"),
        pytest.param(lambda tale: "\n\n".join(map(wrapped_han, tale)), HAN, id="Chinese, wrapped"),
        pytest.param(
            lambda tale: "\n".join(wrapped_han(one, 40, "    ") for one in tale), HAN, id="Chinese, wrapped, indented"
        ),
    ],
)
def test_paragraphs_are_found_in_every_layout(shape, tale) -> None:  # type: ignore[no-untyped-def]
    """Each comes out whole, without its line breaks and indents."""
    assert prose(shape(tale)) == tale


def test_verse_among_wrapped_prose_keeps_its_lines() -> None:
    """Its breaks come where the next word would have fitted."""
    verse = (
        '     "My song for ever shall record,\n     That terrible, that joyful hour;\n       I give the glory to God'
    )
    made = found("\n\n".join([*map(wrapped, TALE), verse, *map(wrapped, TALE)]))

    kept = [paragraph for paragraph in made if paragraph.kind is Kind.VERSE]
    assert [paragraph.lines for paragraph in kept] == [tuple(verse.split("\n"))]


def test_verse_between_blank_lines_keeps_its_lines() -> None:
    """Where paragraphs are one line each, several short lines together are none."""
    made = found("\n\n".join([*TALE, "Roses are red\nviolets are blue\nand so on", *TALE]))

    assert [len(paragraph.lines) for paragraph in made if paragraph.kind is Kind.VERSE] == [3]


def test_prose_wrapped_more_narrowly_than_the_rest_is_joined() -> None:
    """Lines that go on in lower case are no verse."""
    narrow = wrapped(TALE[4] + " " + TALE[2], 54)
    made = found("\n\n".join([*map(wrapped, TALE), narrow, *map(wrapped, TALE)]))

    assert TALE[4] + " " + TALE[2] in [paragraph.lines[0] for paragraph in made]


def test_a_sentence_may_end_with_a_line_of_narrower_prose() -> None:
    """It does not end the paragraph there: no word would have fitted at that width."""
    narrow = (
        "It was late in the evening when they came there.\n"
        "The door stood open and the lamp had been left to\n"
        "burn through the night, so that the moths had come\n"
        "in at the window and lay about the table."
    )
    made = found("\n\n".join([*map(wrapped, TALE), narrow, *map(wrapped, TALE)]))

    assert narrow.replace("\n", " ") in [paragraph.lines[0] for paragraph in made]


def test_a_book_of_verse_is_not_taken_for_wrapped_prose() -> None:
    """Its lines end where the next word would have fitted."""
    words = " ".join(TALE).replace(".", "").split()
    lines, start = [], 0
    for index in range(200):
        stop = start + (7, 4, 6, 3, 5)[index % 5]
        lines.append(" ".join(words[start % 500 : start % 500 + stop - start]))
        start = stop

    assert measure_layout("\n".join(lines)).width is None


def test_more_blank_lines_than_usual_are_a_pause() -> None:
    """The paragraph after them is told apart."""
    for separator in ("\n", "\n\n"):
        text = separator.join(TALE[:30]) + separator + "\n" + separator.join(TALE[30:])
        assert [index for index, paragraph in enumerate(found(text)) if paragraph.gap] == [30]


@pytest.mark.parametrize(
    "mark", ["* * *", "***", "＊", "———", "-----", "◇◇◇", "※　※　※", "§", "⁂", "~~~", "＊　＊　＊", ". . ."]
)
def test_marks_of_a_pause_are_recognised(mark: str) -> None:
    """In the middle of the text, wherever the line puts them."""
    assert is_scene_break(f"      {mark}  ")
    made = found("\n\n".join([*TALE, f"   {mark}", *TALE]))
    assert [paragraph.lines for paragraph in made if paragraph.kind is Kind.SCENE] == [(mark,)]


@pytest.mark.parametrize("line", ["-", "— Oui.", "...", "1.", "* note", "", "“—”", "第一章", "*" * 200])
def test_other_lines_are_no_pause(line: str) -> None:
    """Dashes of a dialogue and the like."""
    assert is_scene_break(line) == (line == "...")


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        (["a long", "way"], "a long way"),
        (["江水在这里", "拐了一个弯"], "江水在这里拐了一个弯"),
        (["他说“好”", "然后走了"], "他说“好”然后走了"),
        (["名叫Tom", "的人"], "名叫Tom的人"),
        (["long-", "suffering"], "long-suffering"),
        (["der Park-", "und Gartenseite"], "der Park- und Gartenseite"),
        (["the word--", "and then"], "the word--and then"),
        (["он сказал --", "и ушёл"], "он сказал -- и ушёл"),
        (["word", "--PSALMS"], "word --PSALMS"),
        (["“Yes,”", "“No”"], "“Yes,” “No”"),
        (["밤이 깊", "었다"], "밤이 깊 었다"),
        (["  indented", "  twice  "], "indented twice"),
    ],
)
def test_lines_are_joined_as_their_script_wants(lines: list[str], joined: str) -> None:
    """By a space, by nothing, or after a hyphen that stays."""
    assert join_lines(lines) == joined


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(st.sampled_from("ab .!?-\n\n\n\r　*中文。“”A\t"), max_size=800),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=8),
    layout=st.builds(
        Layout,
        width=st.sampled_from([None, 8, 30]),
        gap=st.integers(0, 2),
        indent=st.sampled_from([None, 2]),
    ),
)
def test_nothing_is_lost_whatever_the_text_and_the_layout(text: str, sizes: list[int], layout: Layout) -> None:
    """All but white space comes out in order, however the text was cut into pieces."""
    pieces, start, turn = [], 0, 0
    while start < len(text):
        stop = start + sizes[turn % len(sizes)]
        pieces.append(text[start:stop])
        start, turn = stop, turn + 1
    made = [paragraph for whole in whole_paragraphs(pieces, layout) for paragraph in paragraphs(whole, layout)]

    assert "".join("".join(line for one in made for line in one.lines).split()) == "".join(text.split())


def test_a_paragraph_across_pieces_is_one() -> None:
    """Pieces end where lines do, not where paragraphs do."""
    text = "\n\n".join(map(wrapped, TALE))
    layout = measure_layout(text)
    pieces = [text[start : start + 333] for start in range(0, len(text), 333)]
    made = [one.lines[0] for whole in whole_paragraphs(pieces, layout) for one in paragraphs(whole, layout)]

    assert made == TALE


@pytest.mark.parametrize("line", ["word " * 20 + "\n", "x\n\n", " x\n", "字" * 30 + "\n", "- - \n", "\n", "a-\n"])
def test_time_grows_with_the_text_only(line: str) -> None:
    """Four times the text takes about four times as long, in every layout."""

    def seconds(count: int, layout: Layout) -> float:
        text = line * count
        pieces = [text[start : start + 100_000] for start in range(0, len(text), 100_000)]
        started = time.process_time()
        for whole in whole_paragraphs(pieces, layout):
            for _ in paragraphs(whole, layout):
                pass
        return time.process_time() - started

    for layout in (Layout(), Layout(gap=1), Layout(width=70, gap=1), Layout(width=70, gap=1, indent=2)):
        small = min(seconds(10_000, layout) for _ in range(2))
        assert seconds(40_000, layout) < 12 * small + 0.1
