"""What is counted of a text: words, sentences, paragraphs, ease, pace; and what is honestly not."""

from __future__ import annotations

import sys
from itertools import product

import pytest

from novel_tasks_core import read_novel
from novel_tasks_core.text.blocks import at_paragraphs, count_paragraphs, count_scene_breaks
from novel_tasks_core.text.measures import BookMeasures, measure
from novel_tasks_core.text.pace import Pace, median
from novel_tasks_core.text.readability import (
    ReadingWeights,
    count_all_syllables,
    count_syllables,
    readability,
    reading_minutes,
)
from novel_tasks_core.text.tokens import PlainReader, SpacedReader, richness
from novel_tasks_core.text.written import WrittenWords


@pytest.mark.parametrize(
    ("text", "language", "lengths"),
    [
        ("Mr. Hyde came. Who? “I!” he cried. It was 5.30 by St. Mary's…", "en", [3, 1, 3, 6]),
        ("It is I. J. K. Rowe came... and went! What?! “No.” “Never.”", "en", [3, 7, 1, 1, 1]),
        ("Herr Dr. Faust kam am 3. Mai. Er ging.", "de", [6, 2]),
        ("— Non ! dit-il. Quoi ?", "fr", [2, 1]),
    ],
)
def test_sentences_are_counted_by_their_end_marks(text: str, language: str, lengths: list[int]) -> None:
    """Abbreviations and initials do not end a sentence, nor does a mark that small letters follow."""
    counts = SpacedReader(language).read(text, begins=True)

    assert counts.sentences == len(lengths)
    assert sum(counts.lengths.values()) == len(lengths)


@pytest.mark.parametrize(
    ("text", "language", "count"), [("他来了。谁？“我！”他说。", "zh-Hans", 4), ("来た。「誰だ？」と言った。", "ja", 3)]
)
def test_sentences_of_wide_scripts(text: str, language: str, count: int) -> None:
    """Chinese and Japanese have marks of their own, and their words are not counted."""
    counts = PlainReader(language).read(text, begins=True)

    assert (counts.sentences, counts.total, dict(counts.words)) == (count, 0, {})


def test_words_of_spaced_scripts() -> None:
    """Hyphens and apostrophes join; digits, dashes and quotation marks are no words."""
    text = "Don't well-worn—no, d’Artagnan's “42” ЁЖ naïve; 'tis the boys' (x)_y_ 3rd--last"

    assert list(SpacedReader("en").read(text, begins=True).words) == [
        "Don't",
        "well-worn",
        "no",
        "d’Artagnan's",
        "ЁЖ",
        "naïve",
        "the",
        "x",
        "y",
        "last",
        "tis",
        "boys",
        "rd",
    ]


def test_richness_is_that_of_segments_of_a_thousand_words() -> None:
    """What is left over of a piece counts with the next one of the section, and is dropped where another begins."""
    reader = SpacedReader("en")
    text = "A, b. " * 600

    first = reader.read(text, begins=True)
    second = reader.read(text, begins=False)
    other = reader.read("A, b. " * 400, begins=True)

    assert (first.segments, first.different) == (1, 2)
    assert (second.segments, second.different) == (1, 2)
    assert (other.segments, other.different) == (0, 0)
    assert richness(2, 4) == 0.002
    assert richness(0, 0) is None


def test_readability_needs_a_published_formula() -> None:
    """English is scored by Flesch; a language without a formula is not scored at all."""
    easy = SpacedReader("en").read("the cat sat on the mat and the dog ran to the cat " * 20, begins=True).weights
    words = "considerable institutional responsibility necessitates comprehensive deliberation "
    hard = SpacedReader("en").read(words * 40, begins=True).weights

    easy_score, hard_score = readability(easy, 40, "en"), readability(hard, 4, "en")

    assert easy_score is not None
    assert hard_score is not None
    assert easy_score.formula == "Flesch 1948"
    assert easy_score.score > 80 > 0 > hard_score.score
    assert readability(easy, 40, "ko") is None
    assert readability(easy, 0, "en") is None
    assert readability(ReadingWeights(), 40, "en") is None


@pytest.mark.parametrize(
    ("word", "syllables"), [("the", 1), ("made", 1), ("maker", 2), ("table", 2), ("institution", 4)]
)
def test_syllables_are_groups_of_vowels(word: str, syllables: int) -> None:
    """A silent e at the end of an English word is none."""
    assert count_syllables(word, "en") == syllables


@pytest.mark.parametrize("language", ["en", "fr"])
def test_syllables_of_many_words_are_those_of_each(language: str) -> None:
    """Words of all endings, with apostrophes, capitals or accents, count together as they do alone."""
    words = ["".join(letters) for size in range(1, 5) for letters in product("aelsd’", repeat=size)] + [
        "TABLES",
        "Eyed",
    ]
    alone = [count_syllables(word, language) for word in words]
    assert count_all_syllables(words, language) == alone
    assert count_all_syllables([*words, "élevée"], language) == [*alone, count_syllables("élevée", language)]
    assert count_all_syllables([], language) == []


def test_reading_time_is_by_words_or_by_characters() -> None:
    """English counts words, Chinese characters; what was never measured is not guessed."""
    assert reading_minutes(2280, 0, "en") == 10
    assert reading_minutes(None, 2550, "zh-Hans") == 10
    assert reading_minutes(100, 100, "und") is None


TALE = """Mr. Holt came to the mill. "Good evening," said Mr. Holt. Anna Reed looked up. "You are late," said Anna.
The wind came from London. Holt smiled. "From London?" asked Anna. They had never been in London. The door opened.
Then Anna laughed, and Holt said nothing. In London it rained. Anna Reed turned away. "Nobody lives in London,"
cried Holt.
"""


def measured(text: str) -> BookMeasures:
    """Measure a text."""
    return measure(read_novel(text.encode()))


def test_paragraphs_are_blocks_or_lines() -> None:
    """Blank lines part them; where there are none, every line is one."""
    assert count_paragraphs("One\nstill one.\n\nTwo.\n \nThree.\n") == 3
    assert count_paragraphs("One.\nTwo.\n  Three.\n") == 3
    assert count_paragraphs(" \n") == 0


def test_scenes_are_parted_by_rows_of_marks() -> None:
    """Asterisks, stars and the like on a line of their own; a rule of one dash or a list is none."""
    assert count_scene_breaks("a\n\n* * *\n\nb\n***\nc\n   ⁂\nd\n-\ne\n* one\n#\n") == 4


def test_pieces_are_cut_at_paragraphs() -> None:
    """Joined they are the same text, and none but the last ends within a paragraph."""
    text = "One two three.\n\nFour five\nsix.\n\nSeven eight nine ten.\n\nEleven."
    pieces = list(at_paragraphs(text[at : at + 9] for at in range(0, len(text), 9)))

    assert "".join(pieces) == text
    assert any(piece.endswith("\n\n") for piece in pieces)


def test_median_of_counted_values() -> None:
    """Between two middle values it is their mean."""
    assert median({3: 1, 5: 1, 9: 1}) == 5
    assert median({3: 2, 5: 2}) == 4
    assert median({}) is None


def test_pace_has_a_point_for_each_stretch_with_text() -> None:
    """Shares and lengths are those of the stretch; what cannot be measured is None."""
    pace = Pace()
    pace.note(0, (100, 50, 20, 2))
    pace.note(7, (10, 0, 2, 0))
    pace.note(0, (100, 0, 20, 2))
    pace.note(9, (0, 0, 0, 0))

    first, second = pace.points(dialogue=True, sentences=True)
    assert (first.position, first.dialogue_share, first.sentence_words) == (0.0, 0.25, 10.0)
    assert (second.position, second.dialogue_share, second.sentence_words) == (0.07, 0.0, None)
    assert pace.points(dialogue=False, sentences=False)[0].dialogue_share is None


def test_words_written_small_are_counted_a_hundred_times_at_least() -> None:
    """What is added piece by piece is what all words say at once; capitals alone count nothing."""
    written = WrittenWords()
    for _ in range(3):
        written.add(written.news({"the": 60, "The": 9, "Holt": 2, "mill": 1}))

    assert written.small["the"] >= 100
    assert (written.small["mill"], written.small["holt"], written.different) == (3, 0, 3)


TALE = """Mr. Holt came to the mill. "Good evening," said Mr. Holt. Anna Reed looked up. "You are late," said Anna.
The wind came from London. Holt smiled. "From London?" asked Anna. They had never been in London. The door opened.
Then Anna laughed, and Holt said nothing. In London it rained. Anna Reed turned away. "Nobody lives in London,"
cried Holt.
"""


def test_a_book_sums_up_its_chapters() -> None:
    """Totals are those of the sections with headings; the title page is not counted."""
    chapter = TALE * 10
    book = measured(
        f"A Title Page\n\n\nCHAPTER I\n\n{chapter}\n\n\nCHAPTER II\n\n{chapter}\n\n\nCHAPTER III\n\n{chapter}\n"
    )

    assert [section.title for section in book.chapters] == ["CHAPTER I", "CHAPTER II", "CHAPTER III"]
    assert book.words == sum(section.words or 0 for section in book.chapters)
    assert book.characters == sum(section.characters for section in book.chapters)
    assert book.dialogue_marks == '""'
    assert book.people is not None
    assert [person.name for person in book.people] == ["Anna", "Holt"]
    assert book.people[0].mentions == book.people[0].by_chapter.total
    assert book.meetings is not None
    assert (book.meetings[0].chapters, book.meetings[0].first, book.meetings[0].second) == (3, "Anna", "Holt")


def test_chinese_figures_that_need_a_dictionary_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a word list neither words nor richness are invented."""
    monkeypatch.setitem(sys.modules, "rjieba", None)
    book = measured("第一回　山中\n\n" + "老人说：“请进来。”少年走了进去。\n" * 200)

    assert (book.words, book.readability, book.richness, book.different_words) == (None, None, None, None)
    assert book.sentences == 400
    assert book.reading_minutes is not None
    assert book.dialogue_share is not None
