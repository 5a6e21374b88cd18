"""Ways of setting a book that once misled the reader of chapters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .books import COUNT, ENGLISH_WORDS, ROMANS, TITLES, body, book, han, headed, read

MONTHS = ["", "May", "May", "May", "June", "June", "June", "July", "July", "August"]
FRENCH = ["", "mai", "mai", "mai", "juin", "juin", "juin", "juillet", "juillet", "août"]
RUSSIAN = ["", "мая", "мая", "мая", "июня", "июня", "июня", "июля", "июля", "августа"]
DAYS = [0, 3, 11, 30, 2, 14, 28, 5, 19, 1]
SPACED = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"]

STYLES: dict[str, tuple[str, Callable[[int], str]]] = {
    "sections as chapters": ("zh", lambda n: f"第{han(n)}节 山中来客"),
    "volume and chapter": ("en", lambda n: f"Volume {'I' if n < 6 else 'II'}, Chapter {n if n < 6 else n - 5}"),
    "CHAPTER, then CHAP.": ("en", lambda n: "CHAPTER I." if n == 1 else f"CHAP. {ROMANS[n]}."),
    "I.--TITLE.": ("en", lambda n: f"{ROMANS[n]}.--{TITLES[n].upper()}."),
    "letters spaced out": ("en", lambda n: f"C H A P T E R  {ROMANS[n]}."),
    "scanned Roman numbers": ("en", lambda n: f"CHAPTER {ROMANS[n].replace('II', 'Il').replace('IV', '1V')}"),
    "scanned digits": ("en", lambda n: f"Chapter {'l' if n == 1 else n}"),
    "X. NIGHT": ("ru", lambda n: f"{ROMANS[n]}. {'НОЧЬ' if n == 4 else 'МЕЛЬНИЦА'}"),
    "第壱章": ("ja", lambda n: f"第{'零壱弐参四五六七八九'[n]}章"),
    "第一の手記": ("ja", lambda n: f"第{han(n)}の手記"),
    "English diary": ("en", lambda n: f"{DAYS[n]} {MONTHS[n]}. Bistritz."),
    "English letters": ("en", lambda n: f"{MONTHS[n]} {DAYS[n]}th, 1771"),
    "French diary": ("fr", lambda n: f"{DAYS[n]} {FRENCH[n]}"),
    "Russian diary": ("ru", lambda n: f"Понедельник, {DAYS[n]}-го {RUSSIAN[n]}"),
    "Japanese diary": ("ja", lambda n: f"　　　{han(n)}月{han(DAYS[n])}日　晴"),
    "TWO BROTHERS": ("en", lambda n: f"{ENGLISH_WORDS[n].upper()} {'RIVERS' if n % 2 else 'BROTHERS'}"),
    "WHO GOES THERE?": ("en", lambda n: f"{TITLES[n].upper()}?"),
}


@pytest.mark.parametrize("style", STYLES)
def test_finds_every_chapter_of_a_style_that_is_harder_to_read(style: str) -> None:
    """All headings are found, and nothing else."""
    language, heading = STYLES[style]
    text, at = book(heading, language)

    assert [chapter.line for chapter in headed(read(text))] == at


@pytest.mark.parametrize(
    ("language", "heading"),
    [
        ("fr", lambda n: f"Lettre {ROMANS[n]}"),
        ("zh", lambda n: "楔子" if n == 1 else f"第{han(n - 1)}章 山中来客"),
        ("zh", lambda n: f"{n:03} 山中来客"),
        ("en", lambda n: "PREFACE" if n == 1 else f"CHAPTER {n - 1}"),
    ],
)
def test_finds_headings_that_only_a_line_of_their_own_sets_apart(language: str, heading: Callable[[int], str]) -> None:
    """Letters, prologues and numbers count in a text that leaves no line blank."""
    text, at = book(heading, language, spaced=False)

    assert [chapter.line for chapter in headed(read(text))] == at


def test_the_first_chapter_is_no_title_of_its_part() -> None:
    """A part and the chapter just below it are two headings, however near they stand."""
    text, at = book(lambda n: f"PART {'ONE' if n == 1 else 'TWO'}\n\nCHAPTER {n}" if n in (1, 6) else f"CHAPTER {n}")

    found = headed(read(text))

    assert [(chapter.title, chapter.line) for chapter in found[:2]] == [("PART ONE", at[0]), ("CHAPTER 1", at[0] + 2)]
    assert [chapter.level for chapter in found] == [1, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2]


@pytest.mark.parametrize("misprint", ["CHΛPTER IV", "CHAPTER", "CHAPTER VI", "CHAPTFR IV", "Section IV"])
def test_a_misprinted_heading_stands_where_the_count_lacks_one(misprint: str) -> None:
    """A word or number that is wrong or missing costs confidence, not the chapter."""
    text, at = book(lambda n: misprint if n == 4 else f"CHAPTER {ROMANS[n]}")

    novel = read(text)

    assert [chapter.line for chapter in headed(novel)] == at
    assert "misprinted" in novel.reason
    assert novel.confidence < 0.98


def test_numbered_verses_are_no_chapters() -> None:
    """What is numbered within the chapters stands closer to the text than their headings."""
    text, at = book(lambda n: f"\n\n{ROMANS[n]}")
    verses = "I\n\nO wild west wind,\n\nII\n\nThou breath of autumn,\n\n"
    lines = text.split("\n")
    for line in reversed(at):
        lines[line + 12 : line + 12] = ["", *verses.split("\n")]

    novel = read("\n".join(lines))

    assert len(headed(novel)) == COUNT
    assert [chapter.text.split("\n")[1] for chapter in headed(novel)][1:3] != ["O wild west wind,"] * 2


def test_an_initial_below_a_heading_is_no_number() -> None:
    """The V. that signs a motto is no fifth chapter."""
    text, at = book(lambda n: f"{ROMANS[n]}\n\n« Le vent se lève,\nil faut tenter de vivre. »\nV.", "fr")

    assert [chapter.line for chapter in headed(read(text))] == at


def test_numbers_that_start_anew_below_titled_chapters_are_their_sections() -> None:
    """I. TITLE counts through the book, 1 2 3 within each chapter."""
    inner = "\n\n".join(f"{number}.\n\n" + "\n".join(body("en", number)) for number in (1, 2, 3))
    text, at = book(lambda n: f"{ROMANS[n]}. {TITLES[n].upper()}\n\n{inner}")

    found = headed(read(text))

    assert [chapter.line for chapter in found if chapter.level == 2] == at
    assert {chapter.kind for chapter in found if chapter.level == 3} == {"section"}


def test_stories_without_numbers_stand_over_their_numbered_chapters() -> None:
    """Titles just above each new beginning of the count are headings too."""
    inner = "\n\n".join(f"{ROMANS[number]}\n\n" + "\n".join(body("en", number)) for number in (1, 2, 3))
    text, at = book(lambda n: f"{TITLES[n].upper()}\n\n{inner}", count=5)

    novel = read(text)

    assert [chapter.line for chapter in headed(novel) if chapter.level == 1] == at
    assert len(headed(novel)) == 5 + 15
    assert novel.confidence < 0.9


def test_titles_of_the_contents_list_are_found_however_they_are_set() -> None:
    """A title that no blank line sets apart is known by the book's own list."""
    lines = ["CONTENTS", "", *TITLES[:8], ""]
    at: list[int] = []
    for number, title in enumerate(TITLES[:8]):
        at.append(len(lines) + 1)
        lines += [title, *(line for line in body("en", number) if line)]

    novel = read("\n".join(lines))

    assert [chapter.line for chapter in headed(novel)] == at
    assert "contents list" in novel.reason


def test_articles_that_one_chapter_lists_are_no_sections() -> None:
    """What only one chapter counts is a document within the story."""
    articles = "\n\n".join(
        f"Article {ROMANS[number]}\n\n" + "\n".join(body("en", number)[:4]) for number in (1, 2, 3, 4)
    )
    text, at = book(lambda n: f"CHAPTER {ROMANS[n]}" + (f"\n\n{articles}" if n == 3 else ""))

    assert [chapter.line for chapter in headed(read(text))] == at


def test_a_sentence_about_a_chapter_does_not_take_its_place() -> None:
    """A sentence that begins with the next number is text, though the count would go on."""
    text, at = book(lambda n: f"第{han(n)}章 山中来客", "zh")
    lines = text.split("\n")
    lines.insert(at[2] - 4, "　　第三章的内容他已经忘了，只记得开头。")

    assert [chapter.line for chapter in headed(read("\n".join(lines)))] == [*at[:2], *(line + 1 for line in at[2:])]


def test_dates_within_chapters_are_text() -> None:
    """A diary inside numbered chapters does not compete with them."""
    text, at = book(lambda n: f"CHAPTER {ROMANS[n]}\n\n{DAYS[n]} {MONTHS[n]}. Bistritz.")

    assert [chapter.line for chapter in headed(read(text))] == at


def test_markdown_that_marks_only_the_parts_shows_its_chapters_too() -> None:
    """Chapters set as plain lines are found between the marked parts."""
    long = "\n".join(line for number in range(12) for line in body("en", number))
    text, at = book(lambda n: (f"# Part {n // 3 + 1}\n\n" if n % 3 == 1 else "") + f"CHAPTER {n}\n\n{long}")

    found = headed(read(text, "book.md"))

    assert [chapter.title for chapter in found if chapter.level == 2] == [f"CHAPTER {n}" for n in range(1, COUNT + 1)]
    assert [chapter.line for chapter in found if chapter.level == 1] == [at[0], at[3], at[6]]


def test_confidence_falls_with_every_sign_of_error() -> None:
    """A whole count of named chapters is sure; bare numbers, a broken count and a lone long chapter are less so."""
    sure = read(book(lambda n: f"CHAPTER {ROMANS[n]}")[0]).confidence
    bare = read(book(lambda n: ROMANS[n])[0]).confidence
    broken = read(book(lambda n: f"CHAPTER {ROMANS[n if n < 5 else n + 4]}", count=7)[0]).confidence
    few = read(book(lambda n: f"CHAPTER {ROMANS[n]}", count=2)[0]).confidence
    late = read(
        "\n".join(line for n in range(40) for line in body("en", n)) + book(lambda n: f"CHAPTER {n}")[0]
    ).confidence

    assert sure > 0.95
    assert sure > bare > few
    assert max(broken, late) < 0.9


def test_a_long_text_without_headings_is_told_with_little_confidence() -> None:
    """That a whole novel should have no chapters is less likely than that they were not found."""
    short = read("\n".join(body("en", 1)))
    long = read("\n".join(line for number in range(80) for line in body("en", number)))

    assert (headed(short), headed(long)) == ([], [])
    assert short.confidence >= 0.9
    assert long.confidence <= 0.5


def test_parts_may_hold_titles_without_numbers() -> None:
    """Numbered parts do not hide the unnumbered chapters in them."""
    parts = {1: "\n\nFIRST PART\n\n\n\n", 5: "\n\nSECOND PART\n\n\n\n"}
    text, _ = book(lambda n: parts.get(n, "") + TITLES[n].upper())

    titles = {level: [chapter.title for chapter in headed(read(text)) if chapter.level == level] for level in (1, 2)}

    assert titles == {1: ["FIRST PART", "SECOND PART"], 2: [TITLES[n].upper() for n in range(1, COUNT + 1)]}


def test_a_part_of_the_contents_list_is_no_heading() -> None:
    """A single volume that the list names too begins where its text does."""
    entries = [f"CHAPTER {ROMANS[n]}. {TITLES[n]}" for n in range(1, COUNT + 1)]
    contents = "\n".join(["CONTENTS", "", "VOLUME I", "", *entries, "", ""])
    text, _ = book(lambda n: ("VOLUME I\n\n\n\n" if n == 1 else "") + entries[n - 1])

    assert [chapter.level for chapter in headed(read(contents + text))] == [1, *[2] * COUNT]


def test_the_name_of_the_book_is_no_chapter() -> None:
    """The first line of all, with another heading just below, names the book."""
    lines = ["A CALL TO ARMS", "", "PREFACE", "", *body("en", 9)]
    for number in range(1, 6):
        lines += ["", "", TITLES[number].upper(), "", *body("en", number)]

    assert [chapter.title for chapter in headed(read("\n".join(lines)))][-5:] == [
        TITLES[n].upper() for n in range(1, 6)
    ]
    assert "A CALL TO ARMS" not in [chapter.title for chapter in headed(read("\n".join(lines)))]


def test_days_of_a_diary_do_not_count_among_titles() -> None:
    """A story told in a diary is one chapter beside others with titles."""
    lines: list[str] = []
    for number in range(1, 8):
        lines += ["", "", TITLES[number].upper(), "", *body("en", number)]
        if number == 4:
            for day in (3, 11, 30):
                lines += ["", "", f"May {day}, 1771", "", *body("en", day)]

    assert [chapter.title for chapter in headed(read("\n".join(lines)))] == [TITLES[n].upper() for n in range(1, 8)]
