"""Books of known structure, set in many ways, come apart at their headings and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from novel_tasks_core import read_novel

from .books import COUNT, ENGLISH_WORDS, GERMAN, ROMANS, RUSSIAN, SENTENCES, TITLES, body, book, han, headed, read

STYLES: dict[str, tuple[str, Callable[[int], str]]] = {
    "CHAPTER I.": ("en", lambda n: f"CHAPTER {ROMANS[n]}."),
    "Chapter 1. Title": ("en", lambda n: f"Chapter {n}. {TITLES[n]}"),
    "Chapter One": ("en", lambda n: f"Chapter {ENGLISH_WORDS[n]}"),
    "chapter and title below": ("en", lambda n: f"CHAPTER {n}\n\n{TITLES[n].upper()}"),
    "bare roman": ("en", lambda n: ROMANS[n]),
    "centred roman": ("en", lambda n: f"{ROMANS[n]:>40}"),
    "bare arabic": ("en", lambda n: f"{n}"),
    "framed arabic": ("en", lambda n: f"- {n} -"),
    "bare word": ("en", lambda n: ENGLISH_WORDS[n].upper()),
    "I. TITLE": ("en", lambda n: f"{ROMANS[n]}. {TITLES[n].upper()}"),
    "1. Title": ("en", lambda n: f"{n}. {TITLES[n]}"),
    "STAVE": ("en", lambda n: f"STAVE {ROMANS[n]}: {TITLES[n].upper()}"),
    "LETTER": ("en", lambda n: f"LETTER {ROMANS[n]}"),
    "any noun": ("en", lambda n: f"Problem {n}"),
    "Chapitre": ("fr", lambda n: f"CHAPITRE {'PREMIER' if n == 1 else ROMANS[n]}"),
    "Kapitel": ("de", lambda n: f"{GERMAN[n]} Kapitel"),
    "1. Kapitel": ("de", lambda n: f"{n}. Kapitel"),
    "Capítulo": ("es", lambda n: f"Capítulo {'primero' if n == 1 else ROMANS[n]}. De lo que sucedió"),
    "ГЛАВА": ("ru", lambda n: f"ГЛАВА {RUSSIAN[n]}"),
    "Cyrillic roman": ("ru", lambda n: ROMANS[n].replace("X", "Х")),
    "回": ("zh", lambda n: f"第{han(n)}回　山中来客　灯下夜话"),
    "章 joined": ("zh", lambda n: f"第{han(n)}章山中来客"),
    "第001章": ("zh", lambda n: f"第{n:03}章 山中来客"),
    "一、": ("zh", lambda n: f"{han(n)}、山中来客"),
    "【第一章】": ("zh", lambda n: f"【第{han(n)}章 山中来客】"),
    "一 alone": ("ja", lambda n: f"　　　　　{han(n)}"),
    "（一）": ("ja", lambda n: f"（{han(n)}）"),
    "full-width": ("ja", lambda n: "　　　" + str(n).translate(str.maketrans("0123456789", "０１２３４５６７８９"))),
}


@pytest.mark.parametrize("style", STYLES)
def test_finds_every_chapter_of_a_book(style: str) -> None:
    """Each way of numbering chapters is recognised, with nothing else taken for one."""
    language, heading = STYLES[style]
    text, at = book(heading, language)

    novel = read(text)

    assert [chapter.line for chapter in headed(novel)] == at
    assert novel.confidence >= 0.85
    assert novel.reason


@pytest.mark.parametrize("style", ["CHAPTER I.", "bare roman", "回", "章 joined", "第001章", "一、", "ГЛАВА"])
def test_finds_chapters_of_a_book_without_blank_lines(style: str) -> None:
    """A text that never leaves a line blank still shows its chapters."""
    language, heading = STYLES[style]
    text, at = book(heading, language, spaced=False)

    assert [chapter.line for chapter in headed(read(text))] == at


def test_a_contents_list_is_no_chapter() -> None:
    """The list at the beginning repeats every heading; only those with a text below count."""
    text, at = book(lambda n: f"CHAPTER {ROMANS[n]}. {TITLES[n]}")
    contents = "CONTENTS\n\n" + "".join(f"CHAPTER {ROMANS[n]}. {TITLES[n]}\n" for n in range(1, COUNT + 1)) + "\n\n"

    novel = read(contents + text)

    assert [chapter.line for chapter in headed(novel)] == [line + contents.count("\n") for line in at]


def test_a_contents_list_at_the_end_is_no_chapter() -> None:
    """As French and Russian books have it."""
    text, at = book(lambda n: f"CHAPITRE {ROMANS[n]}", "fr")
    contents = "\n\nTABLE DES MATIÈRES\n\n" + "".join(f"CHAPITRE {ROMANS[n]}\n" for n in range(1, COUNT + 1))

    assert [chapter.line for chapter in headed(read(text + contents))] == at


def test_numbers_may_start_anew_in_each_part() -> None:
    """Parts are level 1, chapters level 2, though their numbers repeat."""
    first, _ = book(lambda n: ROMANS[n], count=5)
    second, _ = book(lambda n: ROMANS[n], count=4)
    text = f"PART ONE\n\n\n{first}\n\nPART TWO\n\n\n{second}"

    found = headed(read(text))

    assert [(chapter.kind, chapter.level) for chapter in found] == [
        ("part", 1),
        *[("chapter", 2)] * 5,
        ("part", 1),
        *[("chapter", 2)] * 4,
    ]


def test_a_mention_of_a_chapter_in_the_text_is_none() -> None:
    """Sentences that begin with 第一回 or Chapter, and lists of steps, stay text."""
    text, at = book(lambda n: f"CHAPTER {n}")
    prose = "\nChapter 2 of the ledger was missing, and so was its key.\n\n1. Bread\n2. Salt\n3. Candles\n\n"
    novel = read(text + prose)
    assert [chapter.line for chapter in headed(novel)] == at

    text, at = book(lambda n: f"第{han(n)}回　山中来客", "zh")
    novel = read(text + "　第一回见面的时候，老人什么也没有说。\n第三回又来了，他还是不肯开口，只是笑。\n")
    assert [chapter.line for chapter in headed(novel)] == at


def test_a_missing_number_loses_no_chapter() -> None:
    """A word without its number heads the chapter that the count lacks, with less confidence."""
    text, at = book(lambda n: "CHAPTER" if n == 4 else f"CHAPTER {n}")

    novel = read(text)

    assert [chapter.line for chapter in headed(novel)] == at
    assert novel.confidence < 0.98


def test_a_missing_heading_loses_one_chapter_not_the_book() -> None:
    """A gap in the count leaves all other chapters found, with less confidence."""
    text, at = book(lambda n: "" if n == 4 else f"CHAPTER {n}")

    novel = read(text)

    assert [chapter.line for chapter in headed(novel)] == [line for index, line in enumerate(at, 1) if index != 4]
    assert novel.confidence < 0.9


def test_a_numbering_slip_is_kept() -> None:
    """A book that numbers two chapters alike keeps both."""
    text, at = book(lambda n: ROMANS[{5: 4}.get(n, n)])

    assert [chapter.line for chapter in headed(read(text))] == at


def test_a_misspelt_number_still_heads_a_chapter() -> None:
    """Zölftes Kapitel is a chapter, and the count goes on after it."""
    text, at = book(lambda n: "Füntfes Kapitel" if n == 5 else f"{GERMAN[n]} Kapitel", "de")

    assert [chapter.line for chapter in headed(read(text))] == at


def test_front_and_back_matter_are_told_apart() -> None:
    """A prologue and an epilogue are headings of their kind; the title page is a section without one."""
    text, _ = book(lambda n: f"CHAPTER {n}", count=4)
    prologue = "PROLOGUE\n\n" + "\n".join(body("en", 1))
    epilogue = "\n\nEPILOGUE\n\n" + "\n".join(body("en", 2)) + "\n"

    novel = read("The Mill\n\nby Nobody\n\n\n" + prologue + "\n\n" + text + epilogue)

    assert [chapter.kind for chapter in novel.chapters] == ["front", "front", *["chapter"] * 4, "back"]
    assert (novel.chapters[0].title, novel.chapters[0].line) == ("", None)


def test_titles_without_numbers_are_found_by_the_space_around_them() -> None:
    """Short lines with more room than paragraphs have are chapters, with modest confidence."""
    text, at = book(lambda n: f"\n{TITLES[n]}\n")

    novel = read(text)

    assert [chapter.title for chapter in headed(novel)] == TITLES[1 : COUNT + 1]
    assert len(at) == COUNT
    assert 0.5 <= novel.confidence < 0.9


def test_titles_without_numbers_are_found_by_the_contents_list() -> None:
    """What the book's own list names is looked up in its text, though nothing else sets it apart."""
    text, _ = book(lambda n: TITLES[n])
    contents = "CONTENTS\n\n" + "".join(f"  {TITLES[n]} ....... {n * 20}\n" for n in range(1, COUNT + 1)) + "\n\n"

    novel = read(contents + text)

    assert [chapter.title for chapter in headed(novel)] == TITLES[1 : COUNT + 1]
    assert novel.confidence >= 0.9


def test_titles_run_on_over_lines_and_are_collapsed() -> None:
    """The title below a number, and a title of two lines, come as one line without odd blanks."""
    text, _ = book(lambda n: f"CHAPTER {n}\n\nTHE  {TITLES[n].upper()}\nAND ITS END")

    assert headed(read(text))[0].title == "CHAPTER 1 THE A STRANGER AND ITS END"


def test_offsets_lines_and_sections_agree() -> None:
    """`offset` points at the heading, `line` counts newlines, sections follow each other without a gap."""
    text, _ = book(lambda n: f"   CHAPTER {n}")
    novel = read(text.replace("\n", "\r\n"))

    for chapter, after in zip(novel.chapters, novel.chapters[1:], strict=False):
        assert chapter.end == after.start
    for chapter in headed(novel):
        assert novel.text.startswith("CHAPTER", chapter.offset)
        assert chapter.line == novel.text.count("\n", 0, chapter.offset) + 1
        assert chapter.text == novel.text[chapter.start : chapter.end]


def test_a_text_without_headings_is_one_piece() -> None:
    """A short story is one section without heading."""
    novel = read("\n".join(body("en", 1)))

    assert [(chapter.line, chapter.title, chapter.kind) for chapter in novel.chapters] == [(None, "", "chapter")]


def test_a_distributor_s_licence_is_no_part_of_the_last_chapter() -> None:
    """What follows the end mark is a section of its own, without heading."""
    text, at = book(lambda n: f"CHAPTER {n}")
    before = "Read and share.\n\n*** START OF THE PROJECT GUTENBERG EBOOK THE MILL ***\n"
    after = (
        "\n*** END OF THE PROJECT GUTENBERG EBOOK THE MILL ***\n\nSection 1. General Terms\n\nSection 2. More Terms\n"
    )

    novel = read(before + text + after)

    assert [chapter.line for chapter in headed(novel)] == [line + 3 for line in at]
    assert novel.chapters[-1].kind == "back"
    assert "General Terms" in novel.chapters[-1].text


def test_aozora_marks_are_believed() -> None:
    """Heading notes name the headings and their depth; the legend and the colophon stay outside."""
    rule = "-" * 55
    story = "".join(
        f"［＃５字下げ］{han(n)}　水車《すいしゃ》［＃「{han(n)}　水車」は中見出し］\n\n"
        + "\n".join(body("ja", n))
        + "\n\n"
        for n in (1, 2, 3)
    )
    legend = f"{rule}\n【テキスト中に現れる記号について】\n《》：ルビ\n{rule}\n\n"
    part = "［＃２字下げ］上　山［＃「上　山」は大見出し］\n\n"
    text = f"水車\n誰か\n\n{legend}{part}{story}底本：「水車」\n"

    novel = read(text)

    assert [(chapter.title, chapter.level) for chapter in headed(novel)] == [
        ("上 山", 1),
        ("一 水車", 2),
        ("二 水車", 2),
        ("三 水車", 2),
    ]
    assert novel.chapters[-1].text.startswith("底本")


def test_markdown_headings_come_from_its_own_grammar() -> None:
    """The title block, code blocks and contents are left out; the commonest depth is that of chapters."""
    chapters = "".join(f"\n## {TITLES[n]}\n\n" + "\n".join(body("en", n)) + "\n" for n in range(1, 5))
    rest = "\n```\n## not a heading\n```\n\nAfterword\n=========\n\nEnd of all.\n"
    text = f"# The Mill\n\n## Author: Nobody\n\n-------\n{chapters}{rest}"

    found = headed(read(text, "mill.md"))

    assert [chapter.title for chapter in found] == [*TITLES[1:5], "Afterword"]
    assert [chapter.level for chapter in found] == [2, 2, 2, 2, 2]


def test_page_numbers_are_no_chapters() -> None:
    """Numbers that count up in the middle of sentences are left in the text."""
    text, at = book(lambda n: f"CHAPTER {n}", count=4)
    lines: list[str] = []
    where: list[int] = []
    page = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if number in at:
            where.append(len(lines) + 1)
        lines.append(line)
        if number % 17 == 0 and line and line[-1] not in ".1234":
            page += 1
            lines += ["", str(page), ""]

    assert page > 5
    assert [chapter.line for chapter in headed(read("\n".join(lines)))] == where


def test_running_heads_are_no_chapters() -> None:
    """A heading repeated on top of every page counts once."""
    text, at = book(lambda n: f"CHAPTER {n}\n\n" + f"\n\nCHAPTER {n}\n\n".join(["\n".join(body("en", n))] * 3))

    assert [chapter.line for chapter in headed(read(text))] == at


def test_a_paragraph_below_a_bare_number_is_not_its_title() -> None:
    """A long line is no title, wherever it happens to have its spaces."""
    for shift in range(12):
        opening = "x" * shift + " " + SENTENCES["en"].replace(".", ",") * 8
        text = "".join(f"{number}\n\nThe {opening}and so on.\n\n{SENTENCES['en'] * 20}\n\n\n" for number in range(1, 6))
        assert [chapter.title for chapter in headed(read(text))] == ["1", "2", "3", "4", "5"]


def test_chapters_of_a_line_are_chapters_when_there_is_nothing_else() -> None:
    """A contents list names what stands elsewhere; where nothing else stands, the lines between are the text."""
    text = "".join(f"Chapter {n}\nA short line of text here.\n\n" for n in range(1, 200))

    assert len(read_novel(text.encode()).chapters) == 199
    listed = "".join(f"Chapter {n}\n" for n in range(1, 200))
    assert len(read_novel(listed.encode()).chapters) == 1


@pytest.mark.parametrize(
    ("numbers", "words"),
    [((1, 2, 3, 4, 6, 7, 8), "the count breaks once"), ((1, 2, 3, 4, 6, 7, 9, 10), "the count breaks 2 times")],
)
def test_says_how_often_the_count_breaks(numbers: tuple[int, ...], words: str) -> None:
    """A missing number is told as one, two as two."""
    text = "".join(f"Chapter {n}\n\n{SENTENCES['en'][0] * 20}\n\n" for n in numbers)

    assert read(text).reason == f"{len(numbers)} headings of the form “chapter N”, {words}"
