"""The report is one well-formed page that needs nothing else, for any book and in both its languages."""

from __future__ import annotations

import os
import re
import string
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import attrs
import pytest

from novel_tasks_core.processors.decoding import summary
from novel_tasks_core.processors.report import render_report
from novel_tasks_core.processors.report.chinese import CHINESE as CHINESE_WORDS
from novel_tasks_core.processors.report.english import ENGLISH as ENGLISH_WORDS
from novel_tasks_core.processors.report.reading import reason_words
from novel_tasks_core.processors.report.style import DARK, LIGHT, PRINT, style
from novel_tasks_core.processors.report.words import Words
from novel_tasks_core.text.measures import measure
from novel_tasks_core.text.reading import read_novel

from .books import (
    CHINESE,
    ENGLISH,
    FACTS,
    NOTHING,
    NOTHING_OF_A_CHAPTER,
    ONE_PIECE,
    Document,
    Many,
    book,
    chapter,
    measured,
    meeting,
    part,
    person,
)

ROOT = Path(__file__).parents[3]
CORPUS = (ROOT / os.environ.get("NOVEL_TASKS_CORPUS", "../shared/corpus")).resolve()
HOSTILE = (
    "<script>alert(1)</script>&\"'",
    "\u202eturned\u202d round",
    "x" * 10_000,
    "\x00\x07\x1b[31m\ud800 tab\t line\n",
    "שלום — مرحبا",
    "😀👨‍👩‍👧‍👦",
    "</svg></style>--><!-- <b onclick=x href=//evil>",
    "{name} {0} %s",
    "",
)


def check(page: str) -> Document:
    """Assert what holds for every report, and return it."""
    document = Document(page)
    names = {element.name for element in document.elements}
    assert not names & {"script", "iframe", "object", "embed", "img", "image", "link", "base", "form", "use", "b2"}
    ids = document.by_id()
    for element in document.elements:
        assert not [name for name in element.attributes if name.startswith("on") or "src" in name]
        if "href" in element.attributes:
            assert element.attributes["href"].removeprefix("#") in ids, element
    assert "url(" not in page
    assert "@import" not in page
    policy = [element.attributes["content"] for element in document.all("meta") if "http-equiv" in element.attributes]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]
    _check_pictures(document)
    _check_headings(document)
    return document


def _check_pictures(document: Document) -> None:
    ids = document.by_id()
    for picture in document.all("svg"):
        if picture.within("svg") or picture.attributes.get("aria-hidden") == "true":
            continue
        assert picture.attributes["role"] == "img"
        labels = [ids[name] for name in picture.attributes["aria-labelledby"].split()]
        assert labels
        assert all(label.text.strip() and label.parent is picture for label in labels)


def _check_headings(document: Document) -> None:
    levels = [int(e.name[1]) for e in document.elements if re.fullmatch("h[1-6]", e.name)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(
        element.text.strip() for element in document.elements if re.fullmatch("h[1-6]|th|a|summary", element.name)
    )


@pytest.mark.parametrize("text", [ENGLISH, CHINESE, ONE_PIECE, "a", "第一章", "CHAPTER I\n\nCHAPTER II\n"])
def test_the_report_of_a_text_is_well_formed(text: str) -> None:
    """Proper nesting, ids that are unique, links that lead somewhere, every picture named, nothing from outside."""
    check(measured(text))


def test_a_whole_report_has_every_chart() -> None:
    """Lengths, dialogue, pace, readability, who is where, who meets whom, and a row for every chapter."""
    document = check(_full())
    ids = document.by_id()
    for name in (
        "lengths",
        "dialogue",
        "pace",
        "easy",
        "meetings-graph-t",
        "p1-t",
        "standing-out",
        "contents",
        "notes",
    ):
        assert name in ids
    assert sum(name.startswith("s") and name[1:].isdigit() for name in ids) == 11
    assert len(document.all("figure")) == 5
    assert all(
        figure.name and any(e.parent is figure for e in document.all("figcaption")) for figure in document.all("figure")
    )


def _full(language: str = "en") -> str:
    chapters = (part("Part I"), *(chapter(f"Chapter {n}", n) for n in range(5)), part("Part II"),
                *(chapter(f"Chapter {n}", n) for n in range(4)))  # fmt: skip
    people = (
        person("Anna", (1, 4), (2, 9)),
        person("Mr. Holt", (1, 2), (9, 1), aliases=("Holt",)),
        person("Eve", (5, 3)),
    )
    meetings = (meeting("Anna", "Mr. Holt", 7), meeting("Anna", "Eve", 1))
    return render_report(
        book(chapters, people=people, meetings=meetings), FACTS | {"language": language}, title="A", author="B"
    )


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_title_name_or_author_can_harm_the_page(hostile: str) -> None:
    """Markup stays text, whatever cannot be seen is gone, and what is endless is cut."""
    chapters = tuple(chapter(f"{hostile}{'' if n else ' '}", n) for n in range(12))
    people = tuple(person(f"{hostile}{n}", (n, 5), (n + 1, 2), aliases=(hostile,)) for n in range(9))
    meetings = tuple(meeting(f"{hostile}{n}", f"{hostile}{n + 1}", 9 - n) for n in range(8))
    facts = FACTS | {"reason": hostile, "encoding": hostile, "language": "fr"}
    page = render_report(book(chapters, people=people, meetings=meetings), facts, title=hostile, author=hostile)

    document = check(page)
    assert "b" not in {e.name for e in document.elements if not e.within("td")}
    assert not set("\x00\x07\x1b\u202e\u202d") & set(page)
    assert len(page.encode()) < 100_000


def test_a_title_in_another_language_than_the_page_says_so() -> None:
    """A screen reader and a font can tell; right-to-left titles keep their direction."""
    document = check(_full("ja"))

    assert document.all("html")[0].attributes["lang"] == "en"
    titles = [e for e in document.all("th") if e.attributes.get("scope") == "row" and "dir" in e.attributes]
    assert titles
    assert {e.attributes["lang"] for e in [*titles, *document.all("h1")]} == {"ja"}
    assert "lang" not in check(_full("en")).all("h1")[0].attributes


def test_a_chinese_novel_has_a_chinese_page() -> None:
    """Down to the reason of the confidence, and its numbers count by ten thousands."""
    page = measured(CHINESE * 6, title="山中来客")
    document = check(page)

    assert document.all("html")[0].attributes["lang"] == "zh-Hans"
    visible = document.all("body")[0].text
    assert "编号" in visible
    assert not re.search(
        "[a-z]{4}", re.sub("Novel Tasks|novel-tasks.zh.|analysis.json|International.*?Dietz", "", visible)
    )


@pytest.mark.parametrize("words", [ENGLISH_WORDS, CHINESE_WORDS], ids=["en", "zh"])
def test_every_word_is_there(words: Words) -> None:
    """No text of either language is empty."""
    for field in attrs.fields(type(words)):
        if field.name != "reasons" and field.name != "between":
            assert getattr(words, field.name), field.name


def test_both_languages_fill_in_the_same() -> None:
    """A figure that one language tells is told by the other; so are all languages of novels."""
    for field in attrs.fields(type(ENGLISH_WORDS)):
        one, other = getattr(ENGLISH_WORDS, field.name), getattr(CHINESE_WORDS, field.name)
        if field.name == "languages":
            assert one.keys() == other.keys()
        elif isinstance(one, str):
            assert _blanks(one) == _blanks(other), field.name
        elif field.name != "reasons":
            assert [_blanks(form) for form in one] == [_blanks(form) for form in other], field.name


def _blanks(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def test_an_unknown_reason_is_told_as_it_is_and_marked_as_english() -> None:
    """Rather a sentence in another language than none, or half of one."""
    assert reason_words("the stars stood well", CHINESE_WORDS) == '<span lang="en">the stars stood well</span>'


def test_a_sure_and_whole_text_has_no_warning() -> None:
    """Nothing to worry about, nothing said."""
    assert not check(render_report(book((chapter("I"),)), FACTS, title="A")).all("aside")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"confidence": 0.6}, ENGLISH_WORDS.warn_chapters),
        ({"repaired_bytes": 3}, "3 damaged bytes"),
        ({"repaired_bytes": 1}, "1 damaged byte "),
        ({"encoding_confidence": 0.5}, ENGLISH_WORDS.warn_encoding),
    ],
)
def test_doubt_and_damage_are_told_at_the_top(found: dict[str, float], said: str) -> None:
    """Beside the title, before any figure."""
    (warning,) = check(render_report(book((chapter("I"),)), FACTS | found, title="A")).all("aside")

    assert warning.within("header")
    assert said in warning.text


def test_the_first_damaged_place_is_told() -> None:
    """So that somebody with a better copy can compare."""
    facts = FACTS | {"repaired_bytes": 5, "damage": [[12_345, 2], [20_000, 3]]}
    document = check(render_report(book((chapter("I"),)), facts, title="A"))

    assert "5 damaged bytes, the first at byte 12,345 of the file" in document.with_class("read")[0].text


@pytest.mark.parametrize("language", ["und", "zh-Hans", "th", "xx"])
def test_what_cannot_be_measured_is_named_with_its_reason(language: str) -> None:
    """Not available, never a zero; without numbers there is no chart."""
    chapters = tuple(chapter(f"T {n}", **NOTHING_OF_A_CHAPTER) for n in range(6))
    page = render_report(book(chapters, **NOTHING), FACTS | {"language": language}, title="A")
    words = CHINESE_WORDS if language.startswith("zh") else ENGLISH_WORDS

    document = check(page)
    assert len(document.with_class("none")) == 6
    assert all(element.text == words.none for element in document.with_class("none"))
    assert words.unavailable in page
    assert {"dialogue", "pace", "easy", "meetings-graph-t"}.isdisjoint(document.by_id())
    assert (words.unknown_language in page) == (language == "und")


def test_missing_figures_of_single_chapters_are_dashes() -> None:
    """A chapter too short for a score does not hide the scores of the others."""
    chapters = (*(chapter(f"T {n}", n) for n in range(5)), chapter("short", 6, **NOTHING_OF_A_CHAPTER))
    document = check(render_report(book(chapters), FACTS, title="A"))

    assert [e.text for e in document.all("td") if e.text == "–"]
    assert ENGLISH_WORDS.missing in document.all("main")[0].text


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_same_analysis_gives_the_same_bytes(seed: str) -> None:
    """In another process too, whose sets and dicts are ordered differently."""
    program = (
        "import sys; sys.path[0] = sys.argv[1]\n"
        "from novel_tasks_core.processors.decoding import summary\n"
        "from novel_tasks_core.processors.report import render_report\n"
        "from novel_tasks_core.text.measures import measure\n"
        "from novel_tasks_core.text.reading import read_novel\n"
        "novel = read_novel(sys.stdin.buffer.read())\n"
        "sys.stdout.buffer.write(render_report(measure(novel), summary(novel), title='The Mill').encode())\n"
    )
    environment = os.environ | {"PYTHONHASHSEED": seed}
    run = subprocess.run(
        [sys.executable, "-c", program, str(ROOT)],
        input=ENGLISH.encode(),
        capture_output=True,
        check=True,
        env=environment,
    )

    assert run.stdout == measured(ENGLISH).encode()


@pytest.mark.parametrize(
    "chapters", [Many(100_000), Many(100_000, 5_000), Many(100_000, 3), Many(20_000, title="&" * 9_000)]
)
def test_a_hundred_thousand_chapters_stay_below_a_megabyte(chapters: Many) -> None:
    """The charts gather chapters; the table shows the first of each part and says how many it leaves out."""
    people = tuple(person(f"P {n}", *((section, 1) for section in range(n, len(chapters), 7))) for n in range(25))
    figures = book((), people=people)
    page = render_report(attrs.evolve(figures, chapters=chapters, characters=5 * 10**8), FACTS, title="Long")

    assert len(page.encode()) < 1_000_000
    document = check(page)
    shown = sum(e.attributes.get("id", "")[:1] == "s" and e.attributes["id"][1:].isdigit() for e in document.all("tr"))
    left = sum(int(re.sub(r"\D", "", e.text.split("more")[0])) for e in document.with_class("more"))
    assert 100 < shown <= 2_000
    assert shown + left == len(chapters)
    assert len(document.with_class("b1")) <= 400


def test_every_part_of_a_very_long_book_shows_its_first_chapters() -> None:
    """Each with a line that says how many more it has."""
    figures = attrs.evolve(book(()), chapters=Many(100_000, 5_000))
    document = check(render_report(figures, FACTS, title="Long"))

    assert len([e for e in document.all("th") if e.attributes.get("scope") == "rowgroup"]) == 20
    assert [e.text for e in document.with_class("more")] == ["and 4,900 more in analysis.json"] * 20


def test_an_ordinary_novel_makes_a_modest_page() -> None:
    """A novel of 365 chapters in 15 parts, whose twenty people are everywhere, takes less than 300 KB."""
    chapters = Many(380, 25, title="The Deck Towards the End of the First Night Watch")
    people = tuple(person(f"Somebody {n}", *((s, s % 9 + 1) for s in range(380) if s % 3)) for n in range(30))
    page = render_report(attrs.evolve(book((), people=people), chapters=chapters), FACTS, title="A")

    check(page)
    assert len(page.encode()) < 300_000


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 defines it."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("letters", ["ink", "soft", "link"])
@pytest.mark.parametrize("palette", [LIGHT, DARK, PRINT], ids=["light", "dark", "print"])
def test_letters_stand_out_by_day_by_night_and_on_paper(palette: dict[str, str], letters: str) -> None:
    """4.5 to 1 at least, on the page and in a warning (WCAG AA)."""
    assert contrast(palette[letters], palette["paper"]) >= 4.5
    assert contrast(palette[letters], palette["warn"]) >= 4.5 or letters == "soft"


@pytest.mark.parametrize("shape", ["tell", "talk", "blue", "edge"])
@pytest.mark.parametrize("palette", [LIGHT, DARK, PRINT], ids=["light", "dark", "print"])
def test_shapes_stand_out_too(palette: dict[str, str], shape: str) -> None:
    """3 to 1 at least against the page; narration and dialogue differ in lightness, so that grey paper tells them."""
    assert contrast(palette[shape], palette["paper"]) >= 3.0
    assert contrast(palette["tell"], palette["talk"]) >= 2.0


def test_every_colour_of_the_style_is_one_of_the_palette() -> None:
    """So that what is checked above is all there is; and the style asks for nothing from outside."""
    rules = style()
    assert set(re.findall(r"#[0-9a-f]{3,8}", rules)) <= set(LIGHT.values()) | set(DARK.values()) | set(PRINT.values())
    used = set(re.findall(r"var\(--([a-z]+)\)", rules))
    assert used - {"serif", "sans"} <= LIGHT.keys() == DARK.keys() == PRINT.keys()
    assert "prefers-color-scheme:dark" in rules
    assert "@media print" in rules
    assert rules.count("{") == rules.count("}")


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")
def test_reports_of_whole_novels_are_well_formed_and_modest() -> None:
    """Every novel of the corpus, below 300 KB."""
    for path in sorted(CORPUS.glob("*_*.*")):
        novel = read_novel(path.read_bytes(), file_name=path.name)
        page = render_report(measure(novel), summary(novel), title=path.stem)
        check(page)
        assert len(page.encode()) < 300_000, path.name
