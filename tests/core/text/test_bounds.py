"""However many lines look like headings, the memory and the time that they take stay in proportion."""

from __future__ import annotations

import tracemalloc

import pytest

from novel_tasks_core.text import aozora, candidates, markdown, ruled
from novel_tasks_core.text.chapters import find_outline
from novel_tasks_core.text.windows import windows

from .blocks import InPieces

FEW = 500
LISTS = {
    "numbers": ("I\n\n", {}),
    "prefaces": ("Prologue\n\n", {}),
    "markdown": ("# The Mill\n\n", {"markdown": True}),
    "marks": ("［＃「水車」は中見出し］水車\n\n", {}),
    "rule": ("The Mill\n\n", {"rule": "The"}),
}


@pytest.fixture
def few_headings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a book have five hundred headings at most."""
    for module in (aozora, candidates, markdown, ruled):
        monkeypatch.setattr(module, "MOST_HEADINGS", FEW)
    monkeypatch.setattr(markdown, "_PARSED_AT_ONCE", 100)


@pytest.mark.usefixtures("few_headings")
@pytest.mark.parametrize("kind", LISTS)
def test_more_headings_than_a_book_can_have_are_none(kind: str) -> None:
    """A text that is nothing but headings stays in one piece, and says so without confidence."""
    line, how = LISTS[kind]
    outline = find_outline(line * 40_000 if kind == "markdown" else line * (FEW + 1), **how)  # type: ignore[arg-type]
    assert (outline.headings, outline.confidence) == ((), 0.2)
    assert "look like headings" in outline.reason


def test_short_lines_without_numbers_are_forgotten_when_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of lines that could be titles no more are kept than a book may have, and real ones are still found."""
    monkeypatch.setattr(candidates, "_MOST_TITLES", 300)
    verses = "\n\n".join(f"A line of verse {'x' * (n % 9)}" for n in range(2000))
    titles = "".join(f"\n\n\n\nTitle {'abcde'[n]}\n\n\n{'It went on for long. ' * 200}" for n in range(5))
    found = candidates.scan(verses + titles)
    assert len(found.titles) <= 300
    assert {candidate.title for candidate in found.titles} >= {f"Title {letter}" for letter in "abcde"}


@pytest.mark.parametrize("filler", ["\n", " ", "x", "word "])
def test_no_window_grows_with_the_text(filler: str) -> None:
    """A text of one line, or of blank lines alone, is walked in windows of bounded size."""
    text = "x" + filler * (8_000_000 // len(filler)) + "y"
    assert max(len(window.text) for window in windows(InPieces(text, 250_000))) < 2_000_000


@pytest.mark.parametrize("line", ["CHAPTER I.\n", "I\n\n", "# 1\n", "A Title\n\n", "— — —\n", "「一」\n", "　\n"])
def test_memory_does_not_grow_with_the_lines(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times as many lines that look like headings take no more memory once they are too many."""
    monkeypatch.setattr(candidates, "MOST_HEADINGS", 200)
    monkeypatch.setattr(candidates, "_MOST_TITLES", 200)

    def peak(count: int) -> int:
        text = InPieces(line * count, 100_000)
        tracemalloc.start()
        find_outline(text)
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return taken

    peak(10)
    assert peak(20_000) < 3 * peak(2_000) + 4_000_000


def test_an_open_fence_is_not_kept() -> None:
    """A fence that is never closed hides the headings in it, and what it holds is parsed once."""
    text = "# One\n\n```\n" + "# Hidden\n\n" * 20_000
    assert [mark.title for mark in markdown.markdown_marks(text)] == ["One"]
    closed = text + "```\n\n# Two\n"
    assert [mark.title for mark in markdown.markdown_marks(closed)] == ["One", "Two"]
