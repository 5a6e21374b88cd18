"""Words of Chinese: counted with a dictionary where the extra is installed, and else not at all."""

from __future__ import annotations

import sys

import pytest

from novel_tasks_core.text.hanlines import has_sentences, is_wrapped, unwrapped
from novel_tasks_core.text.hanreader import HanReader, han_reader

STORY = "老人慢慢地走进院子，看见一个少年坐在石头上读书。“你在读什么？”他问。少年站起来，笑着回答：“故事。”\n"
TRADITIONAL = "老人慢慢地走進院子，看見一個少年坐在石頭上讀書。「你在讀什麼？」他問。少年站起來，笑著回答：「故事。」\n"


@pytest.fixture
def reader() -> HanReader:
    """Return a reader of simplified Chinese, if the extra is there."""
    pytest.importorskip("rjieba")
    return HanReader("zh-Hans")


def test_words_are_told_from_marks(reader: HanReader) -> None:
    """Punctuation is no word; 少年 and 石头 are one each."""
    found = reader.read(STORY, begins=True)

    assert {"老人", "院子", "少年", "石头", "故事"} <= found.words.keys()
    assert not found.words.keys() & set("，。“”？：\n")
    assert 20 <= found.total <= 30


def test_sentences_have_lengths_in_words(reader: HanReader) -> None:
    """Four sentences end; their words are all words of the text."""
    found = reader.read(STORY, begins=True)

    assert found.sentences == 4
    assert sum(length * count for length, count in found.lengths.items()) == found.total


def test_words_are_told_once(reader: HanReader) -> None:
    """What was told before is counted and not told again, so that what is stored of a book stays small."""
    first, second = reader.read(STORY, begins=True), reader.read(STORY, begins=True)

    assert second.words == {}
    assert second.total == first.total


def test_richness_goes_on_from_piece_to_piece_of_a_section(reader: HanReader) -> None:
    """Segments of a thousand words run over the pieces, and begin anew with a section."""
    pieces = [reader.read(STORY * 15, begins=number == 0) for number in range(5)]
    whole = HanReader("zh-Hans").read(STORY * 75, begins=True)

    assert sum(piece.segments for piece in pieces) == whole.segments > 0
    assert sum(piece.different for piece in pieces) == whole.different
    assert reader.read(STORY, begins=True).segments == 0


def test_traditional_text_counts_like_its_simplified_twin(reader: HanReader) -> None:
    """The dictionary is of simplified characters, so text is converted before it is cut."""
    pytest.importorskip("opencc")

    simplified, traditional = reader.read(STORY, begins=True), HanReader("zh-Hant").read(TRADITIONAL, begins=True)

    assert traditional.words.keys() >= {"石头", "故事", "院子"}
    assert traditional.total == simplified.total


def test_a_word_at_the_end_of_a_line_is_whole_in_a_wrapped_book() -> None:
    """A broken line is joined before words are looked for."""
    pytest.importorskip("rjieba")
    text = STORY.replace("石头", "石\n头")

    assert "石头" in HanReader("zh-Hans", wrapped=True).read(text, begins=True).words
    assert "石头" not in HanReader("zh-Hans").read(text, begins=True).words


@pytest.mark.parametrize(("language", "missing"), [("zh-Hans", "rjieba"), ("zh-Hant", "rjieba"), ("zh-Hant", "opencc")])
def test_without_the_extra_words_are_not_counted(language: str, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences are counted all the same; no number of words is made up."""
    monkeypatch.setitem(sys.modules, missing, None)

    reader = han_reader(language, STORY)

    assert not reader.counts_words
    assert reader.read(STORY, begins=True).sentences == 4
    assert reader.read(STORY, begins=True).total == 0


def test_a_book_without_marks_has_no_sentences() -> None:
    """Old prints have none: where nothing ends a sentence there is nothing to count."""
    assert not han_reader("zh-Hant", "話說天下大勢分久必合合久必分" * 100).counts_sentences
    assert han_reader("zh-Hans", STORY * 20).counts_sentences
    assert has_sentences("短文")


def test_lines_are_joined_only_where_a_book_breaks_them() -> None:
    """Paragraphs of a line each stay apart."""
    broken = "\n".join(STORY.strip()[start : start + 10] for start in range(0, 50, 10)) + "\n"

    assert is_wrapped(broken * 10)
    assert not is_wrapped(STORY * 50)
    assert unwrapped("走进院\n子，看见\n\n　　第二段\n“说”") == "走进院子，看见\n\n　　第二段“说”"
