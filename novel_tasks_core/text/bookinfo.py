"""What a novel says of itself: title, author, language, publisher and date, and where each was found.

Sources, the first that knows a fact wins: the front matter of Markdown; the head of the text ("Title: ...",
"Author: ...", 书名：..., 《书名》作者：..., the two lines above Aozora's legend); the file name; its stem.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import PurePath

from attrs import frozen

from novel_tasks_core.text.headings import parse_heading
from novel_tasks_core.text.markdown import MARKDOWN_ENDINGS

HEAD_CHARACTERS = 20_000
"""How much of the beginning of a text is looked at."""

LONGEST_FACT = 300
"""A longer title, name or date is none."""

FACTS = ("title", "author", "language", "publisher", "date")

_HEADER = 8_000
_TOP_LINES = 5
_LONGEST_PREFIX = 8
_FIELD = re.compile(
    r"^[ \t\u3000]*(?:#{1,3}[ \t]+)?(title|author|language|publisher|release date|year|date|书名|書名|作品名|作者|著者"
    r"|titre|auteur|titel|autor|título|название|автор)[ \t\u3000]*[:：][ \t\u3000]*(\S[^\n]{0,400})$",
    re.IGNORECASE | re.MULTILINE,
)
_NAMES = {
    "title": "title", "author": "author", "language": "language", "publisher": "publisher", "year": "date",
    "date": "date", "书名": "title", "書名": "title", "作品名": "title", "作者": "author", "著者": "author",
    "titre": "title", "auteur": "author", "titel": "title", "autor": "author", "título": "title",
    "название": "title", "автор": "author",
}  # fmt: skip
_BOOK_AND_AUTHOR = re.compile(
    r"^[ \t\u3000]*《([^《》\n]{1,60})》[ \t\u3000]*(?:作者|著者|著)[:：]?[ \t\u3000]*(\S[^\n]{0,40})$", re.M
)
_AOZORA_HEAD = re.compile(r"^\ufeff?([^\n]{1,100})\n([^\n]{1,60})\n(?:[^\n]{1,60}\n)?\s*-{20,}")
_GUTENBERG = re.compile(r"^\ufeff?\s*\?*The Project Gutenberg E(?:Book|text) of ([^\n]{1,200})", re.IGNORECASE)
_NOT_A_TAG = re.compile(r"[^A-Za-z0-9-]")
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_LANGUAGES = {
    "english": "en", "french": "fr", "français": "fr", "german": "de", "deutsch": "de", "spanish": "es",
    "español": "es", "italian": "it", "italiano": "it", "portuguese": "pt", "russian": "ru", "русский": "ru",
    "chinese": "zh", "中文": "zh", "japanese": "ja", "日本語": "ja", "dutch": "nl", "finnish": "fi", "swedish": "sv",
    "danish": "da", "norwegian": "no", "polish": "pl", "latin": "la", "greek": "el", "korean": "ko", "한국어": "ko",
}  # fmt: skip
_DATE = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?$")

_SYNONYMS = {"lang": "language", "authors": "author", "creator": "author"}
_NOISE = re.compile(
    r"[\[(（【〔「]?(?:全集|全本|全文|完本|完结|完結|已完结|精校(?:版|全本)?|精校|校对版|校對版|典藏版|出版版|实体版|未删节|未刪節"
    r"|全\d+[卷册冊章]|TXT(?:下载|下載|全集)?|电子书|電子書|complete|unabridged|z-lib(?:rary)?(?:\.org)?|libgen(?:\.\w+)?)[\])）】〕」]?",
    re.IGNORECASE,
)
_TITLE_AUTHOR_LABEL = re.compile(
    r"(?:[\s_\-—,，]*[(（\[【]?)?(?:作者|著者|author|by)[:：]\s*(.+?)[)）\]】]?$", re.IGNORECASE
)
_BRACKETED_TITLE = re.compile(r"^《([^《》]{1,100})》\s*(?:[-—_ ]*\s*(?:作者|著者)?[:：]?\s*(.*))?$")
_BRACKETED_AUTHOR = re.compile(r"^[\[【]([^\[\]【】]{1,40})[\]】]\s*(.+)$")
_BY = re.compile(r"^(.+?)[\s_]+by[\s_]+([^\d]{3,60})$", re.IGNORECASE)
_DASH = re.compile(r"\s+[-–—]\s+|(?<=[\u3400-\u9fff\u3040-\u30ff])[-–—](?=[\u3400-\u9fff\u3040-\u30ff])")
_ONLY_UNDERSCORE = re.compile(r"^([^_\s]*[\u3400-\u9fff\u3040-\u30ff][^_\s]*)_([\u3400-\u9fff\u3040-\u30ff·]{2,12})$")
_ORDINAL = re.compile(r"(?:第\S+[卷部册冊集]|vol(?:ume)?\.?\s*\d+|book\s+\d+|part\s+\d+|\d+)$", re.IGNORECASE)
_PARTICLES = "de du da di von van der den la le of bin ibn al del della dos y"
_SMALL_WORDS = (
    "the a an and or to in on at with from for my his her le les la un une et des der die das ein eine und el los las"
    " il lo gli i uno una o os as"
)
_NAME_PARTICLES = frozenset(_PARTICLES.split())
_TITLE_WORDS = frozenset(_SMALL_WORDS.split())
_TELLS_NOTHING = re.compile(
    r"(?:novel|book|txt|text|untitled|download|document|source|unknown|new|file|output|小说|小說|文本|未命名|新建文本文档)?"
    r"[\s_()（）\-\d]*",
    re.IGNORECASE,
)


@frozen(kw_only=True)
class BookInfo:
    """What is known of a book, "" for what is not; `sources` names where each known fact was found."""

    title: str = ""
    author: str = ""
    language: str = ""
    publisher: str = ""
    date: str = ""
    sources: Mapping[str, str]


def read_bookinfo(head: str, *, file_name: str, given: Mapping[str, str | None], markdown: bool) -> BookInfo:
    """Gather the facts about a book: those `given` by the user first, then front matter, head, file name, stem.

    `head` is the beginning of the text. A title that the file name cannot tell either is "".
    """
    head = head[:HEAD_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n")
    facts: dict[str, str] = {}
    sources: dict[str, str] = {}
    for source, found in (
        ("options", _given(given)),
        ("front matter", front_matter(head) if markdown else {}),
        ("text", head_facts(head)),
        ("file name", file_name_facts(file_name)),
        ("text", _spelled(head, _stem_title(file_name))),
        ("file name", {"title": _stem_title(file_name)}),
    ):
        for name in FACTS:
            value = found.get(name)
            if value and name not in facts:
                facts[name], sources[name] = value, source
    return BookInfo(**facts, sources=sources)


def _given(given: Mapping[str, str | None]) -> dict[str, str]:
    return {name: " ".join(value.split()) for name, value in given.items() if value and value.strip()}


def _cleaned(name: str, value: str) -> str:
    """Return a found fact in one line, or "" when it cannot be one."""
    value = " ".join(value.split()).strip("\"'* ")
    if not value or len(value) > LONGEST_FACT:
        return ""
    if name == "language":
        named = _LANGUAGES.get(value.casefold(), value)
        return named if _TAG.fullmatch(named) else ""
    if name == "date":
        return value if _DATE.fullmatch(value) else ""
    return value


def _kept(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for name, value in pairs:
        cleaned = _cleaned(name, value)
        if cleaned:
            facts.setdefault(name, cleaned)
    return facts


def front_matter_span(head: str) -> tuple[int, int, int]:
    """Return (begin, end of the fields, end) of the block between two lines of --- at the top; zeros without one."""
    match = re.match(r"\ufeff?\s*---[ \t]*\r?\n", head)
    if not match:
        return 0, 0, 0
    closing = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.MULTILINE).search(head, match.end())
    if not closing or not re.match(r"\s*[A-Za-z_-]+[ \t]*:", head[match.end() : closing.start()]):
        return 0, 0, 0
    return match.end(), closing.start(), closing.end()


def front_matter(head: str) -> dict[str, str]:
    """Return the facts that the front matter of a Markdown text names: `name: value`, quoted or not, or a short list.

    Only that flat part of YAML is read; anything deeper is passed over.
    """
    begin, end, _ = front_matter_span(head)
    return _kept(_fields(head[begin:end]))


def _fields(block: str) -> Iterator[tuple[str, str]]:
    name = ""
    for line in block.split("\n"):
        item = re.match(r"\s*-\s+(.+)$", line)
        field = re.match(r"([A-Za-z_-]+)[ \t]*:[ \t]*(.*)$", line)
        if item and name:
            yield name, _unquoted(item[1])
            name = ""  # the first of several authors, as everywhere else
        elif field:
            name = _SYNONYMS.get(field[1].lower(), field[1].lower())
            value = field[2].strip()
            if value.startswith("[") and value.endswith("]"):
                value = value[1:-1].split(",")[0]
            if value not in ("", "|", ">"):
                yield name, _unquoted(value)


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        inner = value[1:-1]
        return inner.replace('\\"', '"').replace("\\\\", "\\") if value[0] == '"' else inner.replace("''", "'")
    return re.split(r"\s+#", value, maxsplit=1)[0]


def head_facts(head: str) -> dict[str, str]:
    """Return the facts that the first lines of a text name, as libraries and typists write them."""
    start = head[:_HEADER]
    pairs = [(_NAMES.get(match[1].casefold(), ""), match[2]) for match in _FIELD.finditer(start)]
    for match in _BOOK_AND_AUTHOR.finditer(start):
        pairs += [("title", match[1]), ("author", match[2])]
    aozora = _AOZORA_HEAD.match(start)
    if aozora and "《" in head[:3000]:
        pairs += [("title", aozora[1]), ("author", aozora[2])]
    gutenberg = _GUTENBERG.match(start)
    if gutenberg:
        title, _, author = gutenberg[1].rpartition(", by ")
        pairs += [("title", title or gutenberg[1]), ("author", author)]
    return _kept(pairs)


def file_name_facts(file_name: str) -> dict[str, str]:
    """Return title and author where a file name holds both; {} where it does not.

    Read are 《书名》作者：某某, 书名 作者：某某, [作者] 书名, Title by Author, 书名_作者 and "one - other". Of the
    latter two the shorter Chinese one, and the one that looks like a person's name, is the author; if
    both or neither do, the second: "Title - Author" is the commoner order.
    """
    stem = _clean_stem(file_name)
    for pattern in (_BRACKETED_TITLE,):
        match = pattern.match(stem)
        if match:
            return _kept([("title", match[1]), ("author", match[2] or "")])
    labelled = _TITLE_AUTHOR_LABEL.search(stem)
    if labelled and labelled.start():
        return _kept([("title", stem[: labelled.start()].strip("《》 ")), ("author", labelled[1])])
    bracketed = _BRACKETED_AUTHOR.match(stem)
    if bracketed:
        return _kept([("author", bracketed[1]), ("title", bracketed[2])])
    by = _BY.match(stem)
    if by and _name_likeness(by[2]) > 0:
        return _kept([("title", by[1].replace("_", " ")), ("author", by[2].replace("_", " "))])
    underscore = _ONLY_UNDERSCORE.match(stem)
    if underscore:
        return _kept([("title", underscore[1]), ("author", underscore[2])])
    parts = [part.strip() for part in _DASH.split(stem) if part.strip()]
    return _title_and_author(parts) if len(parts) == 2 and not _ORDINAL.fullmatch(parts[1]) else {}


def _title_and_author(parts: list[str]) -> dict[str, str]:
    first, second = (_name_likeness(part) for part in parts)
    title, author = (parts[1], parts[0]) if first > second else (parts[0], parts[1])
    return _kept([("title", title), ("author", author)]) if max(first, second) > -2 else {}


def _name_likeness(text: str) -> int:
    """Say how much a text looks like a person's name: two to four capitalised words, two to four Han characters."""
    if re.search(r"[\u3400-\u9fff\u3040-\u30ff]", text):
        return 2 if re.fullmatch(r"[\u3400-\u9fff\u3040-\u30ff·・]{2,5}", text) else -1
    words = text.replace("_", " ").replace(".", ". ").split()
    if not 2 <= len(words) <= 5:
        return -1
    capital = [word[0].isupper() or word.lower() in _NAME_PARTICLES for word in words]
    score = 1 if all(capital) else -2
    if any(word.lower() in _TITLE_WORDS for word in words):
        score -= 2
    if "," in text or any(re.fullmatch(r"[A-Z]\.", word) for word in words):
        score += 2
    return score - any(character.isdigit() for character in text)


def _clean_stem(file_name: str) -> str:
    stem = PurePath(file_name.replace("\\", "/")).name
    stem = unicodedata.normalize("NFC", stem)
    while (suffix := PurePath(stem).suffix.lower()) in MARKDOWN_ENDINGS | {".txt", ".text"}:
        stem = stem[: -len(suffix)]
    cleaned = _NOISE.sub(" ", stem)
    cleaned = " ".join(cleaned.split()).strip(" -_—.")
    return cleaned or stem


def _spelled(head: str, stem: str) -> dict[str, str]:
    """Return the title as a line at the top writes it, if the file name ends in the same letters; and who stands below.

    So "de_effi-briest.txt" is "Effi Briest".
    """
    lines = [line.strip("#* \t\u3000\ufeff") for line in head[:_HEADER].split("\n")]
    lines = [line for line in lines if line][:_TOP_LINES]
    wanted = _letters(stem)
    for line, below in pairwise([*lines, ""]):
        letters = _letters(line)
        if len(letters) > 1 and wanted.endswith(letters) and len(wanted) - len(letters) <= _LONGEST_PREFIX:
            name = below if " " in below and _name_likeness(below) > 0 and parse_heading(below) is None else ""
            return _kept([("title", line), ("author", name)])
    return {}


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _stem_title(file_name: str) -> str:
    """Return the file name as a title: without ending and noise, underscores as spaces; "" if it tells nothing."""
    stem = _clean_stem(file_name).replace("_", " ").strip(" .")
    return "" if _TELLS_NOTHING.fullmatch(stem) else _cleaned("title", stem)
