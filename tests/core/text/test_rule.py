"""A rule of the user's own names the headings, and nothing else does."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novel_tasks_core import InvalidInputError, read_novel
from novel_tasks_core.text.chapters import find_outline
from novel_tasks_core.text.reading import sections
from novel_tasks_core.text.rule import LONGEST_RULE, check_rule

from .blocks import InPieces

BOOK = "Front\n  @ The Mill  \ntext\nChapter 1\ntext\n@ Rain\nmore @ text\n"


def test_the_rule_alone_names_the_headings() -> None:
    """Lines are matched from their first visible character; the named group gives the title."""
    novel = read_novel(BOOK.encode(), chapter_rule="@ (?P<title>.+)")
    assert [(chapter.title, chapter.line) for chapter in novel.chapters] == [("", None), ("The Mill", 2), ("Rain", 6)]
    assert "".join(chapter.text for chapter in novel.chapters) == BOOK
    assert novel.confidence == 1.0
    assert "your rule" in novel.reason


def test_without_the_group_the_line_is_the_title() -> None:
    """The whole line is shown when the rule names no title."""
    assert [chapter.title for chapter in read_novel(BOOK.encode(), chapter_rule="@").chapters[1:]] == [
        "@ The Mill",
        "@ Rain",
    ]


def test_a_rule_that_matches_nothing_leaves_one_piece() -> None:
    """The text stays whole, with little confidence."""
    novel = read_novel(BOOK.encode(), chapter_rule="Kapitel")
    assert [len(chapter) for chapter in novel.chapters] == [len(BOOK)]
    assert novel.confidence < 0.5
    assert "no line" in novel.reason


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("(", "not a regular expression"),
        ("x" * (LONGEST_RULE + 1), "at most"),
        (".*", "empty line"),
        ("^$", "empty line"),
        ("(?:(?:a?){60000}){60000}", "empty line"),
        ("x" * 1 + "(?i)", "not a regular expression"),
    ],
)
def test_a_rule_is_checked_without_running_it(rule: str, problem: str) -> None:
    """What cannot be compiled, is too long or matches every blank line is refused at once."""
    with pytest.raises(ValueError, match=problem):
        check_rule(rule)
    with pytest.raises(InvalidInputError, match=problem):
        read_novel(b"text", chapter_rule=rule)


LINES = st.lists(st.sampled_from(["@ a", " @ b ", "", "x @", "@" * 1100, "\t@\tc", "Chapter 1", "@"]), max_size=30)


@given(lines=LINES, newline=st.sampled_from(["\n", "\r\n", "\r"]), size=st.integers(1, 3000))
def test_a_rule_finds_the_lines_it_matches(lines: list[str], newline: str, size: int) -> None:
    """Its headings are the matching lines, in blocks of any size, and the sections joined are the text."""
    text = newline.join(lines)
    outline = find_outline(InPieces(text, size), rule="@")
    assert outline == find_outline(text, rule="@")
    wanted = [n for n, line in enumerate(lines, 1) if re.match("@", line.strip()) and len(line) <= 1000]
    assert [heading.line for heading in outline.headings] == wanted
    found = list(sections(outline, len(text)))
    assert [found[0].start, found[-1].end] == [0, len(text)]
    assert all(before.end == after.start for before, after in pairwise(found))
