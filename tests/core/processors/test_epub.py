"""`epub` makes a whole, valid, reproducible book of any text, and loses nothing of it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tracemalloc
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novel_tasks_core import InvalidOptionsError, Processors
from novel_tasks_core.models import NewArtifact
from novel_tasks_core.processors.epub import EpubOptions, epub

from .epub_book import TYPE, XHTML, Book, made, squeezed
from .recorder import Recorder

PROSE = "Mr. Holt came to the mill in the evening and looked at the river. Anna was there before him.\n\n"
TITLES = ("The Day", "A Visitor", "The Flood", "Harvest", "The Letter", "Winter")
VOLUMES = "".join(
    f"\nVOLUME {volume}. The {name}\n\n"
    + "".join(f"\nCHAPTER {number}. {TITLES[number - 1]}\n\n{PROSE * (9 + number)}" for number in numbers)
    for volume, name, numbers in (("I", "Mill", (1, 2, 3)), ("II", "Sea", (4, 5, 6)))
)
CHINESE = "".join(
    f"第{number}章 山中来客\n" + "　　老人说：“请进来。”少年走了进去，屋里很暖。\n" * 40 for number in "一二三四"
)


def test_a_book_has_its_files_in_the_order_that_readers_need() -> None:
    """The type comes first and unpacked, the pages in reading order, the contents at the end."""
    book, result, _ = made(VOLUMES)

    assert book.names[0] == "mimetype"
    assert book.data[30:58] == b"mimetypeapplication/epub+zip"
    assert [name for name in book.names if name.startswith("EPUB/text/")] == book.spine()
    assert book.names[-3:] == ["EPUB/toc.ncx", "EPUB/nav.xhtml", "EPUB/package.opf"]
    assert result["pages"] == len(book.pages())
    assert result["bytes"] == len(book.data)


def test_volumes_hold_their_chapters() -> None:
    """Both tables of contents show the levels."""
    book, _, _ = made(VOLUMES)

    assert [depth for depth, _ in book.contents()] == [1, 2, 2, 2, 1, 2, 2, 2]
    assert book.contents()[0][1] == "VOLUME I. The Mill"
    ncx = book.xml("EPUB/toc.ncx")
    name = "{http://www.daisy.org/z3986/2005/ncx/}navPoint"
    assert len(list(ncx.iter(name))) == 8
    assert [len(point.findall(name)) for point in ncx[2]] == [3, 3]


def test_a_heading_without_text_has_a_page_of_its_own() -> None:
    """Lower on the page, as volumes are opened."""
    book, _, _ = made(VOLUMES)

    assert [name for name in range(8) if '<section class="alone"' in book.markup(name)] == [0, 4]


def test_every_page_says_what_part_of_the_book_it_is() -> None:
    """Front matter, chapters and volumes are told apart."""
    book, _, _ = made("To my mother.\n\n" + VOLUMES)

    types = [
        element.get(TYPE)
        for name in book.pages()
        for element in book.xml(name).iter()
        if element.tag in (f"{XHTML}body", f"{XHTML}section") and element.get(TYPE)
    ]
    assert types[:3] == ["frontmatter", "bodymatter", "part"]
    assert types.count("chapter") == 6


def test_nothing_of_a_text_is_lost() -> None:
    """Headings and paragraphs are there once each, in order."""
    for text in (VOLUMES, CHINESE, "before\n\n" + VOLUMES, PROSE * 5, "# One\n\nText.\n\n# Two\n\nMore."):
        book, _, _ = made(text)
        assert book.text() == squeezed(text)


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_newlines_of_any_system_are_newlines(newline: str) -> None:
    """The same text makes the same paragraphs."""
    book, _, _ = made((PROSE * 200).replace("\n", newline))

    assert book.markup() == made(PROSE * 200)[0].markup()


_WEIRD = st.text(
    st.one_of(
        st.sampled_from(
            "ab .,'\"&<>_*#-“”‘’—…\n\n\n\r\t　第一章回CHAPTER《》｜［］＃0159"
            "﻿\x00\x0b\x0c\x1b\x7f\x85\u2028\ufffe\ufdd0😀שع"
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=600,
)


@settings(max_examples=60, deadline=None)
@given(text=_WEIRD, markdown=st.booleans())
def test_any_text_makes_a_book_that_parses(text: str, markdown: bool) -> None:
    """Every file of it is well-formed XML, and without Markdown nothing but what cannot be held is changed."""
    if not text.strip("\ufeff\x00 \n\r\t"):
        text += "end"
    text = "x" + text.replace("\x00", "\x01")  # a NUL near the top is a binary file to the decoder
    book, result, recorder = made(text, EpubOptions(encoding="utf-8"), file_name="a.md" if markdown else "a.txt")

    for name in book.names:
        if name.endswith((".xhtml", ".opf", ".ncx", ".svg", ".xml")):
            book.xml(name)
    if not markdown:
        shown = book.text().replace("_", "")
        wanted = squeezed("".join(_held(character) for character in text)).replace("_", "")
        assert shown == wanted
    assert any("U+FFFD" in line for line in recorder.lines) == bool(result["replaced_characters"])


def _held(character: str) -> str:
    """Return what a page shows of a character."""
    code = ord(character)
    if code in range(0xFDD0, 0xFDF0) or code & 0xFFFE == 0xFFFE:
        return "\ufffd"
    if code in (*range(9), *range(0x0E, 0x1C), 0x1F, *range(0x7F, 0x85), *range(0x86, 0xA0)):
        return "\ufffd"
    return character


def test_what_no_page_can_hold_is_replaced_and_told() -> None:
    """Control characters become U+FFFD; form feeds are the white space that they mean."""
    book, result, recorder = made(PROSE * 3 + "a\x01b\x1bc\x0cd\ufffee\ufdd0f\x7fg\x80h")

    assert book.text().endswith("a\ufffdb\ufffdcd\ufffde\ufffdf\ufffdg\ufffdh")
    assert result["replaced_characters"] == 6
    assert any("6 characters" in line for line in recorder.lines)


def test_a_lone_surrogate_is_replaced() -> None:
    """A text in memory may hold one, though no file does; the page is written all the same."""
    from novel_tasks_core.processors.epub.markup import allowed

    assert allowed("a\ud800b") == ("a\ufffdb", 1)


def test_the_same_source_gives_the_same_bytes_everywhere() -> None:
    """Neither clock, time zone, locale nor hash seed is in them."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "The Mill - Jo Holt.txt").write_text(VOLUMES)
        program = (
            "import asyncio, hashlib, sys; from pathlib import Path; from novel_tasks_core import process_file\n"
            "async def main():\n"
            "    path = Path(sys.argv[1]); out = path.parent / sys.argv[2]\n"
            "    await process_file(path, processor='epub', output_dir=out)\n"
            "    print(hashlib.sha256((out / 'novel.epub').read_bytes()).hexdigest())\n"
            "asyncio.run(main())"
        )
        digests = {
            subprocess.run(
                [sys.executable, "-c", program, f"{folder}/The Mill - Jo Holt.txt", name],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **changes},
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            for name, changes in (
                ("a", {"PYTHONHASHSEED": "1", "TZ": "Asia/Shanghai", "LC_ALL": "C"}),
                ("b", {"PYTHONHASHSEED": "2", "TZ": "America/New_York", "LC_ALL": "C.UTF-8"}),
            )
        }
    assert len(digests) == 1


def test_metadata_come_from_options_before_all_else() -> None:
    """The result says where each came from."""
    options = EpubOptions(
        title="A & <B>", author="李白", language="fr", publisher="Us", modified="2024-05-01T10:00:00+02:00"
    )
    book, result, _ = made("---\ntitle: Other\n---\n" + PROSE * 3, options, file_name="x.md")

    assert [book.fact(name) for name in ("title", "creator", "language", "publisher")] == [
        "A & <B>",
        "李白",
        "fr",
        "Us",
    ]
    assert result["modified"] == "2024-05-01T08:00:00Z"
    assert result["metadata_sources"]["title"] == "options"
    assert "Other" not in book.text()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_front_matter_is_no_part_of_the_text(newline: str) -> None:
    """It is read, and only read."""
    text = "---\ntitle: Other\nauthor: Me\n---\n\n# One\n\nText.\n\n# Two\n\nMore.\n\n# Three\n\nEnd.\n"
    book, result, _ = made(text.replace("\n", newline), file_name="x.md")

    assert (result["title"], result["author"]) == ("Other", "Me")
    assert [label for _, label in book.contents()] == ["One", "Two", "Three"]
    assert book.text() == "OneText.TwoMore.ThreeEnd."


def test_without_a_date_the_time_of_change_is_a_constant() -> None:
    """A date that the source names is taken instead."""
    assert made(PROSE * 3)[1]["modified"] == "2000-01-01T00:00:00Z"
    dated = "---\ndate: 2021-03-04\n---\n" + PROSE
    assert made(dated, file_name="x.md")[1]["modified"] == "2021-03-04T00:00:00Z"


def test_the_identifier_is_that_of_the_source() -> None:
    """Other options make no other book; another text does."""
    first, other = made(PROSE)[1], made(PROSE, EpubOptions(title="X", cover=False))[1]

    assert first["identifier"] == other["identifier"]
    assert first["identifier"] != made(PROSE * 2)[1]["identifier"]


def test_the_language_is_the_recognised_one() -> None:
    """It stands in the package and on every page, and chooses the words of the contents."""
    book, _, _ = made("序言的话。\n\n" + CHINESE)

    assert book.fact("language") == "zh-Hans"
    assert 'xml:lang="zh-Hans"' in book.markup()
    assert book.xml("EPUB/nav.xhtml").findtext(f".//{XHTML}h1") == "目录"


def test_a_cover_can_be_left_out() -> None:
    """Then nothing of it remains."""
    book, _, _ = made(PROSE, EpubOptions(cover=False))

    assert not any("cover" in name for name in book.names)
    assert "cover" not in book.zip.read("EPUB/package.opf").decode()


@pytest.mark.parametrize(
    ("option", "value"),
    [("title", 5), ("author", "a\0b"), ("language", "not a tag"), ("modified", "yesterday"), ("cover", "yes")],
)
def test_wrong_options_are_refused(option: str, value: object) -> None:
    """Before anything runs."""
    with pytest.raises(InvalidOptionsError):
        Processors.builtin().validate("epub", {option: value})


@pytest.mark.parametrize("title", ["", " \t\n"])
def test_a_blank_option_is_one_that_was_not_given(title: str) -> None:
    """The title is found elsewhere."""
    options = EpubOptions(**Processors.builtin().validate("epub", {"title": title, "author": title}))

    assert made(PROSE, options, file_name="The Ferry.txt")[1]["title"] == "The Ferry"
    assert made(PROSE, options, file_name=".txt")[1]["title"] == "Untitled"


def test_large_chapters_are_cut_at_paragraphs() -> None:
    """No page exceeds 240 KB, each begins with a paragraph, and the contents lead to the first."""
    text = "CHAPTER 1. Long\n\n" + PROSE * 8000 + "\n\nCHAPTER 2. Short\n\n" + PROSE
    book, _, _ = made(text)

    sizes = [book.zip.getinfo(name).file_size for name in book.pages()]
    assert max(sizes) <= 240_000
    assert len(sizes) > 3
    assert book.text() == squeezed(text)
    assert [label for _, label in book.contents()] == ["CHAPTER 1. Long", "CHAPTER 2. Short"]
    assert "<p>Mr. Holt" in book.markup(1).splitlines()[6]


@pytest.mark.parametrize("character", ["字", "x ", "&", "<p>"])
def test_one_endless_line_is_cut_too(character: str) -> None:
    """A paragraph that no page can hold is shared out."""
    text = character * (1_000_000 // len(character))
    book, _, _ = made(text)

    assert max(book.zip.getinfo(name).file_size for name in book.pages()) <= 240_000
    assert book.text() == squeezed(text)


def test_a_very_long_title_is_whole_on_its_page_and_short_in_the_contents() -> None:
    """Ten thousand characters of title break nothing."""
    options = EpubOptions(title="Long " * 2000)
    text = "# " + "word " * 2000 + "\n\nText.\n\n# Two\n\nText.\n\n# Three\n\nText.\n"
    book, _, recorder = made(text, options, file_name="x.md")

    assert max(len(label) for _, label in book.contents()) <= 300
    assert squeezed("word " * 2000) in book.text()
    assert any("titles were cut" in line for line in recorder.lines)


def test_progress_names_every_chapter_and_ends_at_the_whole() -> None:
    """The last step is the contents."""
    _, _, recorder = made(VOLUMES)

    assert recorder.steps[-1][0] == recorder.steps[-1][1]
    assert recorder.steps[-1][2] == "contents"
    assert {"VOLUME II. The Sea", "CHAPTER 6. Winter"} <= {stage for _, _, stage in recorder.steps}


class Halt:
    """Ends an attempt at its nth word to the context, as a kill would."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise CancelledError


@pytest.mark.parametrize("after", [5, 9, 12, 17])
def test_a_later_attempt_goes_on_and_makes_the_same_bytes(tmp_path: Path, after: int) -> None:
    """What was finished is not made again."""
    whole = made(VOLUMES)[0].data
    recorder = Recorder(tmp_path, VOLUMES.encode(), stop=Halt(after))
    with pytest.raises(CancelledError):
        epub(recorder, EpubOptions())
    again = Recorder(tmp_path, VOLUMES.encode(), attempt=2)
    epub(again, EpubOptions())

    assert again.artifacts["novel.epub"] == whole
    assert again.steps[0][0] > 0 or after < 6


_KILLED = """
import os, sys
from pathlib import Path
from tests.core.processors.recorder import Recorder
from novel_tasks_core.processors.epub import EpubOptions, epub
left = int(sys.argv[2])
def stop():
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), 9)
epub(Recorder(Path(sys.argv[1]), (Path(sys.argv[1]) / "novel").read_bytes(), stop=stop), EpubOptions())
"""


@pytest.mark.parametrize("after", [8, 15])
def test_a_killed_attempt_is_taken_up_with_the_same_bytes(tmp_path: Path, after: int) -> None:
    """What the process had not yet handed to the system is made again."""
    (tmp_path / "novel").write_bytes(VOLUMES.encode())
    root = str(Path(__file__).parents[3])
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path), str(after)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([root, *filter(None, sys.path)])},
        check=False,
    )
    assert killed.returncode == -9
    again = Recorder(tmp_path, VOLUMES.encode(), attempt=2)
    epub(again, EpubOptions())

    assert again.artifacts["novel.epub"] == made(VOLUMES)[0].data
    assert again.steps[0][0] > 0


@pytest.mark.parametrize("damage", ["short", "changed", "gone", "long"])
def test_a_damaged_beginning_is_made_anew(tmp_path: Path, damage: str) -> None:
    """A half-written file that is not what the journal says is not built upon."""
    whole = made(VOLUMES)[0].data
    with pytest.raises(CancelledError):
        epub(Recorder(tmp_path, VOLUMES.encode(), stop=Halt(14)), EpubOptions())
    part = tmp_path / "work" / "novel.epub"
    data = part.read_bytes()
    match damage:
        case "short":
            part.write_bytes(data[:-9])
        case "changed":
            part.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
        case "gone":
            part.unlink()
        case _:
            part.write_bytes(data + b"rest of a page")
    again = Recorder(tmp_path, VOLUMES.encode(), attempt=2)
    epub(again, EpubOptions())

    assert again.artifacts["novel.epub"] == whole


def test_other_options_do_not_take_up_what_was_begun(tmp_path: Path) -> None:
    """The journal belongs to its options."""
    with pytest.raises(CancelledError):
        epub(Recorder(tmp_path, VOLUMES.encode(), stop=Halt(14)), EpubOptions())
    again = Recorder(tmp_path, VOLUMES.encode(), attempt=2)
    epub(again, EpubOptions(title="Other"))

    assert Book(again.artifacts["novel.epub"]).fact("title") == "Other"
    assert again.artifacts["novel.epub"] == made(VOLUMES, EpubOptions(title="Other"))[0].data


class Careless(Recorder):
    """Does not keep artifacts, which would count as memory."""

    def save_artifact(self, name: str, data: bytes | Path, *, content_type: str | None = None) -> NewArtifact:
        """Look at the size only."""
        assert isinstance(data, Path)
        return NewArtifact(name=name, sha256="0" * 64, size=data.stat().st_size, content_type=content_type or "")


@pytest.mark.slow
@pytest.mark.parametrize("line", [PROSE, "x" * 99 + " "])
def test_memory_does_not_grow_with_the_novel(tmp_path: Path, line: str) -> None:
    """One section of more than four times the size needs no more, with paragraphs or without."""
    peaks = []
    for size in (1_000_000, 4_500_000):
        folder = tmp_path / str(size)
        folder.mkdir()
        (folder / "source").write_text(line * (size // len(line)))
        context = Careless(folder, b"")
        tracemalloc.start()
        try:
            epub(context, EpubOptions())
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()

    assert peaks[1] < peaks[0] + 2_000_000
