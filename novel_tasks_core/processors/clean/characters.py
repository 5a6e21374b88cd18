"""Characters that do not belong into a plain text: found by one search, mended line by line only where they are."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.entities import name2codepoint

from attrs import frozen

from novel_tasks_core.processors.clean.changes import ChangeLog

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ufff9-\ufffb\ufffe\uffff]+")
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]+")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f]")
_NEXT_LINE = re.compile("[\x85\u2028\u2029]")
_TRAILING = re.compile(r"(?<![ \t\u3000])[ \t\u3000]++(?=\n)")
_WIDE_LETTERS = re.compile("[０-９Ａ-Ｚａ-ｚ]+")
_WIDE = re.compile("[\uff01-\uff5e\u3000]+")
_NARROWED = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_NOWHERE = "\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff"
_ODD = {
    True: re.compile(f"[{_NOWHERE}０-９Ａ-Ｚａ-ｚ]"),
    False: re.compile(f"[{_NOWHERE}\u3000\uff01-\uff5e]"),
}
"""What makes a second look worth while, in languages with full-width marks and in others."""
_BREAKS = frozenset("\n\r\x85\u2028\u2029")
_BLANKED = {9: " ", 10: " "}
_NEWLINES = re.compile("\r\n?")
_AMPERSANDS = "(?:(?:amp|#0{0,5}38|#[xX]0{0,5}26);)*"
_NAMES = "|".join(sorted(name2codepoint, key=len, reverse=True))
_ENTITY = re.compile(f"&{_AMPERSANDS}(?:{_NAMES}|#[0-9]{{2,7}}|#[xX][0-9a-fA-F]{{2,6}});")


def plain_newlines(text: str, log: ChangeLog) -> str:
    """Return the text with line feeds for all that ends a line."""
    if "\r" in text:
        text, number = _NEWLINES.subn("\n", text)
        log.count("newlines", number)
    if not text.isascii() and _NEXT_LINE.search(text):
        text, number = _NEXT_LINE.subn("\n", text)
        log.count("newlines", number)
    return text


@frozen(kw_only=True)
class Mending:
    """Which characters are mended, in a novel of one language.

    Full-width letters and digits become half-width with `widths`; so do full-width marks and spaces where
    the language has no use for them, which `wide_language` says it has. With `entities` what a web page left
    over (`&nbsp;`, `&#8220;`) becomes the character that it stands for.
    """

    widths: bool = True
    wide_language: bool = False
    entities: bool = True


def mended(text: str, line: int, log: ChangeLog, mending: Mending) -> str:
    """Return the text without odd characters; `line` is the number of its first line."""
    if mending.entities and "&" in text:
        text = _sub("entities", _ENTITY, _unescaped, text, line, log)
    if text.isascii():
        return text if _is_plain(text) else _sub("controls", _CONTROLS, "", text, line, log)
    if _ODD[mending.wide_language].search(text):
        text = _sub("controls", _CONTROLS, "", text, line, log)
        text = _sub("invisible", _INVISIBLE, "", text, line, log)
        text = _sub("spaces", _SPACES, " ", text, line, log)
        if mending.widths:
            text = _sub("widths", _WIDE_LETTERS if mending.wide_language else _WIDE, _narrowed, text, line, log)
    return text


def _is_plain(text: str) -> bool:
    """Tell an ASCII text without control characters, but for line feeds and tabs."""
    return text.translate(_BLANKED).isprintable()


def _unescaped(match: re.Match[str]) -> str:
    """Return what an entity stands for, however often a site escaped it; never a line end."""
    text, before = html.unescape(match[0]), match[0]
    while text != before:
        text, before = html.unescape(text), text
    return " " if text in _BREAKS else text


def _narrowed(match: re.Match[str]) -> str:
    return match[0].translate(_NARROWED)


def _sub(
    kind: str,
    pattern: re.Pattern[str],
    replacement: str | Callable[[re.Match[str]], str],
    text: str,
    line: int,
    log: ChangeLog,
) -> str:
    first = pattern.search(text)
    if first is None:
        return text
    at = first.start()
    lines = text.count("\n", 0, at)
    while log.wants(kind):
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        end = len(text) if end < 0 else end
        before = text[start:end]
        after, number = pattern.subn(replacement, before)
        log.note(kind, line + lines, before, after, number=number)
        text = text[:start] + after + text[end:]
        following = pattern.search(text, start + len(after))
        if following is None:
            return text
        lines += text.count("\n", start, following.start())
        at = following.start()
    text, number = pattern.subn(replacement, text)
    log.count(kind, number)
    return text


def without_trailing(text: str, log: ChangeLog) -> str:
    """Return the text without blanks at the ends of its lines."""
    if not (" \n" in text or "\t\n" in text or "\u3000\n" in text):
        return text
    text, number = _TRAILING.subn("", text)
    log.count("trailing", number)
    return text
