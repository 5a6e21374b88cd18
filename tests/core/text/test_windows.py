"""A text that is read in blocks shows the same headings as one in memory, however it is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from novel_tasks_core.text.chapters import find_outline
from novel_tasks_core.text.reading import sections
from novel_tasks_core.text.windows import AROUND, windows

from .blocks import InPieces

LINES = (
    "",
    " ",
    "\u3000",
    "CHAPTER I.",
    "Chapter 2: The Mill",
    "CONTENTS",
    "III",
    "- 4 -",
    "第五回　山中来客",
    "　　六",
    "Prologue",
    "A Short Line",
    "# Heading",
    "Underlined",
    "====",
    "-----",
    "```",
    "［＃「七」は中見出し］",
    "［＃ここから大見出し］",
    "and so it went on, until nobody could say any more what had been seen at the old mill.",
    "老人坐在门前，看着远处的灯火。" * 20,
    "word " * 2000,
    "*** START OF THE PROJECT GUTENBERG EBOOK",
    "底本：「村」",
)
TEXTS = st.builds(
    lambda lines, ends, newline: newline.join(lines) + ends,
    st.lists(st.sampled_from(LINES) | st.text(max_size=8), max_size=60),
    st.sampled_from(["", "\n", "\n\n \n"]),
    st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
)


@given(text=TEXTS, size=st.integers(1, 5000), markdown=st.booleans())
@example(text="\n".join(f"CHAPTER {n}\n\n" + "word " * 900 + "\n" for n in range(9)), size=100, markdown=False)
@example(text="a\rb\n===\n\n# c\rd\n\n# e\n", size=100, markdown=True)  # a line end of another kind
def test_headings_do_not_depend_on_the_blocks(text: str, size: int, markdown: bool) -> None:
    """Any text gives the same outline in memory and in blocks of any size."""
    assert find_outline(InPieces(text, size), markdown=markdown) == find_outline(text, markdown=markdown)


@given(text=TEXTS, markdown=st.booleans())
def test_sections_joined_are_the_text(text: str, markdown: bool) -> None:
    """The sections of any text follow each other without a gap, from its beginning to its end."""
    found = list(sections(find_outline(text, markdown=markdown), len(text)))
    assert [found[0].start, found[-1].end] == [0, len(text)]
    assert all(before.end == after.start for before, after in pairwise(found))
    assert all(section.start <= section.offset <= section.end for section in found)


@given(text=TEXTS, size=st.integers(1, 5000))
@example(text="x" + "\n" * 9000 + "word \n" * 3000, size=1000)
@example(text="word \n" * 3000, size=999)
def test_windows_cover_a_text_once(text: str, size: int) -> None:
    """The windows' own parts joined are the text, each with its surroundings; none cuts a run of blank lines."""
    joined = ""
    for window in windows(InPieces(text, size)):
        assert window.text == text[window.offset : window.offset + len(window.text)]
        assert window.begin >= min(AROUND, window.offset + window.begin)
        assert window.last or len(window.text) - window.limit >= AROUND
        assert window.last or not window.text[window.limit].isspace()
        joined += window.text[window.begin : window.limit]
    assert joined == text


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_end_as_the_text_ends_them(newline: str) -> None:
    """An old Mac's carriage returns part lines, and count as lines."""
    lines = [line for n in range(1, 6) for line in (f"Chapter {n}", "", "It went on for long. " * 90, "")]
    found = list(sections(find_outline(newline.join(lines)), len(newline.join(lines))))
    assert [(section.title, section.line) for section in found] == [(f"Chapter {n}", 4 * n - 3) for n in range(1, 6)]
