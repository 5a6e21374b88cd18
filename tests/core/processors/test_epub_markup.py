"""What paragraphs, Markdown and the Aozora notation look like on a page, headings too, and the cover."""

from __future__ import annotations

import re
import time
from xml.etree import ElementTree

import pytest

from novel_tasks_core.processors.epub.cover import cover_svg
from novel_tasks_core.processors.epub.heads import Head, head_of
from novel_tasks_core.processors.epub.markdown import markdown_blocks
from novel_tasks_core.processors.epub.markup import blocks, plain, with_italics
from novel_tasks_core.processors.epub.ruby import uses_notation, with_ruby
from novel_tasks_core.text.layout import Layout

from .epub_book import made

LINES = Layout(gap=1)


def test_a_paragraph_is_one_line_of_markup() -> None:
    """So that a page can be cut at any line end."""
    markup = blocks("One & <two>\n\n\n\n* * *\n\nRoses are red\n  violets are blue,\nand", LINES, str)

    assert markup.splitlines() == [
        "<p>One &amp; &lt;two&gt;</p>",
        '<p class="scene gap">* * *</p>',
        '<p class="verse">Roses are red<br/>\xa0\xa0violets are blue,<br/>and</p>',
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("It was _he_.", "It was <em>he</em>."),
        ("_A whole sentence, “quoted”._", "<em>A whole sentence, “quoted”.</em>"),
        ("snake_case_name and __init__", "snake_case_name and __init__"),
        ("a _b", "a _b"),
        ("_ a _", "_ a _"),
        ("_one_, _two_", "<em>one</em>, <em>two</em>"),
        ("_a<br/>b_", "<em>a<br/>b</em>"),
        ("_a</p>\n<p>b_", "_a</p>\n<p>b_"),
    ],
)
def test_underscores_are_italics_where_they_surround_words(text: str, shown: str) -> None:
    """As plain texts mark them."""
    assert with_italics(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a *b* **c** `d<e`", "<p>a <em>b</em> <strong>c</strong> <code>d&lt;e</code></p>"),
        ("[w](https://example.org/a?b=1&c=2)", '<p><a href="https://example.org/a?b=1&amp;c=2">w</a></p>'),
        ("[w](javascript:alert(1)) [x](file:///etc)", "<p>[w](javascript:alert(1)) [x](file:///etc)</p>"),
        ("[w](../other.md)", "<p>w</p>"),
        ("[w][r]\n\n[r]: https://example.org", '<p><a href="https://example.org">w</a></p>'),
        ("![a map](map.png)", "<p>a map</p>"),
        ("<b>x</b> <script>y</script>", "<p>&lt;b&gt;x&lt;/b&gt; &lt;script&gt;y&lt;/script&gt;</p>"),
        ("<div>*x*</div>", "<p>&lt;div&gt;<em>x</em>&lt;/div&gt;</p>"),
        ("> one\n> two", "<blockquote><p>one<br/>two</p></blockquote>"),
        ("- a\n- b\n\n  c", "<ul><li><p>a</p></li><li><p>b</p><p>c</p></li></ul>"),
        ("3. a\n4. b", '<ol start="3"><li>a </li><li>b </li></ol>'),
        ("```\na <\n\nb\n```", "<pre>a &lt;&#10;&#10;b&#10;</pre>"),
        ("    To *Hearthrug*,\n    The Fender", "<p>To <em>Hearthrug</em>,<br/>The Fender</p>"),
        ("***", '<p class="scene">* * *</p>'),
        ("#### Small *x*", "<h4>Small <em>x</em></h4>"),
        ("a  \nb *c*", "<p>a<br/>b <em>c</em></p>"),
    ],
)
def test_markdown_becomes_markup(text: str, shown: str) -> None:
    """Emphasis, links to the web only, lists, quotes, code; HTML is text."""
    assert markdown_blocks(text, LINES).strip() == shown


def test_footnotes_are_led_to_where_they_stand_on_the_page() -> None:
    """The first note of a name only."""
    markup = markdown_blocks("Text[^a] and[^b].\n\n[^a]: A *note*.\n\n[^a]: again", LINES)

    assert '<a epub:type="noteref" role="doc-noteref" href="#n1">[a]</a>' in markup
    assert "[^b]" in markup
    assert markup.count('id="n1"') == 1
    assert "<p>[a] A <em>note</em>.</p></aside>" in markup


def test_notes_of_a_chapter_of_several_pages_are_not_led_to() -> None:
    """The note may be on another page."""
    book, _, _ = made("# One\n\nText[^a].\n\n[^a]: Note.\n\n" + "A paragraph.\n\n" * 20_000, file_name="x.md")

    assert len(book.pages()) > 1
    assert "noteref" not in book.markup(0)
    assert "[a]" in book.markup(0) or "[^a]" in book.markup(0)


@pytest.mark.parametrize(
    "text", ["[" * 60_000, "*" * 60_000, "> " * 30_000, "- " * 30_000, "a" + "`" * 60_001, "_a " * 20_000]
)
def test_marks_without_end_cost_no_time(text: str) -> None:
    """What a parser would choke on is plain text."""
    started = time.process_time()
    markup = markdown_blocks(text, LINES)

    assert time.process_time() - started < 3
    assert "".join(re.sub("<[^>]+>", "", markup).replace("&gt;", ">").split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("私《わたくし》は", "<ruby>私<rp>（</rp><rt>わたくし</rt><rp>）</rp></ruby>は"),
        (
            "先生一人｜麦藁帽《むぎわらぼう》を",
            "先生一人<ruby>麦藁帽<rp>（</rp><rt>むぎわらぼう</rt><rp>）</rp></ruby>を",
        ),
        ("※［＃「てへん＋劣」、第3水準1-84-77］る", "挘る"),
        ("※［＃「口＋愛」、U+566F、1-2］", "噯"),
        ("※［＃「不明」］", "※〔＃「不明」〕"),
        ("<p>とても［＃「とても」に傍点］</p>", '<p><em class="dots">とても</em></p>'),
        ("<p>［＃３字下げ］一</p>", '<p style="margin-inline-start:3em">一</p>'),
        ("<p>［＃地付き］（終）</p>", '<p class="end">（終）</p>'),
        ("<p>［＃ここから２字下げ］</p>\n<p>詩</p>\n", "<p>詩</p>\n"),
        ("<p>［＃挿絵（a.png）入る］</p>", '<p><small class="note">［＃挿絵（a.png）入る］</small></p>'),
        ("《》：ルビ", "《》：ルビ"),
    ],
)
def test_the_aozora_notation_becomes_markup(text: str, shown: str) -> None:
    """Readings, characters, emphasis and indents; what is not known stays to be read."""
    assert with_ruby(text) == shown


def test_book_titles_in_brackets_are_no_readings() -> None:
    """Chinese texts have them everywhere."""
    assert not uses_notation("他看了《红楼梦》。" * 50, "他看了《红楼梦》。" * 500)
    assert "ruby" not in made("他看了《红楼梦》，又看《水浒传》。\n" * 50)[0].markup()


@pytest.mark.parametrize(
    ("text", "title", "lines", "rest"),
    [
        ("CHAPTER I\nThe Day\n\nText", "CHAPTER I The Day", ("CHAPTER I", "The Day"), "\nText"),
        ("  CHAPTER I.  The Day\nText", "CHAPTER I. The Day", ("CHAPTER I.  The Day",), "Text"),
        ("## The *Day*\nText", "The Day", ("## The *Day*",), "Text"),
        ("The Day\n=======\nText", "The Day", ("The Day",), "Text"),
        ("第１章　山中\n正文", "第1章 山中", ("第１章　山中",), "正文"),
        (
            "［＃３字下げ］一　家［＃「一　家」は中見出し］\n文",
            "一 家",
            ("［＃３字下げ］一　家［＃「一　家」は中見出し］",),
            "文",
        ),
        ("第一回 山中客" + "正文。" * 200, "第一回 山中客", ("第一回 山中客",), "正文。" * 200),
        ("Other words\nText", "CHAPTER I", ("Other words",), "Text"),
        ("Text", "", (), "Text"),
        ("***\nText", "***", ("***",), "Text"),
    ],
)
def test_the_heading_is_parted_from_its_text(text: str, title: str, lines: tuple[str, ...], rest: str) -> None:
    """However many lines it has, and also when the text follows on the same one."""
    found = head_of(text, title, markdown=text.startswith(("#", "The Day")))

    assert (found, text[found.end :]) == (Head(lines, found.end), rest)


@pytest.mark.parametrize(
    ("title", "author"),
    [
        ("", ""),
        ("The Adventures of a Very Long Title That Goes On and On Through All the Lines There Are", "Jo Holt"),
        ("三国演义", "罗贯中"),
        ("关于我在渡口点了三十年灯以后终于有一天离开了那里的这件事，以及后来的故事", "林小满"),
        ("x" * 5000, "y" * 5000),
        ("<&\"'>\x00\ufffe", "]]>"),
        ("שלום עולם", "مرحبا"),
        ("😀" * 40, ""),
    ],
)
def test_any_title_fits_on_the_cover(title: str, author: str) -> None:
    """The drawing parses, is the same every time, and no line is wider than the frame."""
    drawn = cover_svg(title, author, "en")
    image = ElementTree.fromstring(drawn)

    assert drawn == cover_svg(title, author, "en")
    for text in image.iter("{http://www.w3.org/2000/svg}text"):
        wide = sum(1.0 if ord(character) > 0x2E80 else 0.5 for character in text.text or "")
        assert wide * float(text.get("font-size", "0")) < 1420
        assert 0 < float(text.get("y", "0")) < 2330


def test_no_line_of_a_cover_begins_with_a_closing_mark() -> None:
    """As Chinese and Japanese are set."""
    image = ElementTree.fromstring(cover_svg("渡口的灯，灯下的人，人的故事。" * 4, "林小满", "zh"))

    lines = [text.text or "" for text in image.iter("{http://www.w3.org/2000/svg}text")]
    assert not any(line.startswith(("，", "。")) for line in lines)


def test_plain_text_stands_between_tags() -> None:
    """In one line, escaped, with nothing that XML forbids."""
    assert plain(" a\n<b>\x01 & ") == "a &lt;b&gt;\ufffd &amp;"
