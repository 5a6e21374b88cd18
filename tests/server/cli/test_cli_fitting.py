"""Everything that is drawn fits into the terminal, whatever its size and whatever the names."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from novel_tasks_server.cli.drawing import Running, draw, ending
from novel_tasks_server.cli.fitting import cut, cut_name, padded

NAMES = (
    "novel.txt",
    "一部名字长得无论如何也放不进一行里面去的小说之12.txt",
    "e\u0301" * 60 + ".md",
    "ａ" * 90,
    "x" * 300,
    "한국어 소설 " * 20,
)


@pytest.mark.parametrize("width", [1, 2, 10, 20, 40, 59, 60, 80, 200])
@pytest.mark.parametrize("height", [1, 2, 3, 5, 24])
def test_the_foot_is_never_wider_nor_higher_than_the_terminal(width: int, height: int) -> None:
    """A line that wrapped, or one too many, would stay on the screen for ever."""
    running = [Running(name=name, fraction=0.3, stage="第十二章 " * 9, since=0.0) for name in NAMES * 3]
    lines = draw(running, done=1_000, total=99_999, seconds=36_000, note="waits " * 50, width=width, height=height)
    assert 1 <= len(lines) <= max(1, height - 1)
    assert all(cell_len(line.plain) < max(2, width) for line in lines), [line.plain for line in lines]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [44, 60, 80, 200])
def test_a_line_that_stays_fits(name: str, width: int) -> None:
    """What a file has come to is one line, of which only the name gives way while there is another word to show."""
    line = ending(name, "12 chapters, 24,310 words", 1.25, name_cells=cell_len(name), width=width).plain
    assert cell_len(line) < width
    assert re.search(r"  12 chapters, .*  1\.\d s$", line) is not None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cells", [0, 1, 2, 3, 7, 12, 13, 40])
def test_text_is_cut_by_the_cells_that_it_takes(name: str, cells: int) -> None:
    """Neither kind of cut leaves more cells than there are, and padding fills them exactly."""
    for short in (cut(name, cells), cut_name(name, cells)):
        assert cell_len(short) <= cells
        assert cell_len(padded(short, cells)) == cells
    assert cut(name, 400) == cut_name(name, 400) == name


def test_a_name_keeps_its_end() -> None:
    """Numbers and endings tell files of one series apart: they stay."""
    assert cut_name(NAMES[1], 20).endswith("之12.txt")
    assert cut_name("a-very-long-name-of-a-novel-07.txt", 12).endswith("07.txt")


def test_without_colour_a_bar_still_tells_how_far_it_is() -> None:
    """What is done and what is not are different characters."""
    [line] = draw([Running(name="a", fraction=0.5)], done=0, total=1, seconds=0, note="", width=80, height=24)
    assert "█" * 5 + "░" * 5 in line.plain
