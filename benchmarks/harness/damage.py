"""Mechanical re-encodings and damages of a text, and the rule that says whether a decoder read one rightly.

`variants(text, language)` yields a text in every encoding that its language plausibly has, whole and damaged:
bad bytes, a lost and an inserted byte, a cut tail, mixed newlines, short pieces. A whole variant is read
rightly when exactly its text comes out; a damaged one when every line comes out that no damage lies in.
The same text always gives the same variants.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from random import Random

from attrs import frozen

_ANY = ("utf-8", "utf-8-sig", "utf-16", "utf-16-be-sig", "utf-16-le", "utf-16-be", "utf-32")
_WESTERN = ("cp1252", "iso8859-1", "iso8859-15", "mac-roman", "cp850")
_CENTRAL = ("cp1250", "iso8859-2", "cp852")
ENCODINGS = {
    "zh-Hans": ("gb18030", "gbk", "gb2312", "hz"),
    "zh-Hant": ("big5", "big5hkscs", "cp950", "gb18030"),
    "ja": ("shift_jis", "cp932", "euc_jp", "iso2022_jp"),
    "ko": ("euc_kr", "cp949", "johab", "iso2022_kr"),
    "ru": ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic"),
    "uk": ("cp1251", "koi8-u"),
    "bg": ("cp1251", "cp866", "iso8859-5"),
    "sr": ("cp1251", "iso8859-5"),
    "el": ("cp1253", "iso8859-7"),
    "tr": ("cp1254", "iso8859-9"),
    "he": ("cp1255",),
    "ar": ("cp1256",),
    "th": ("cp874",),
    **dict.fromkeys(("pl", "cs", "hu", "ro", "hr", "sk", "sl"), _CENTRAL),
    **dict.fromkeys(("lt", "lv", "et"), ("cp1257",)),
}
"""The encodings, beside those of Unicode, that texts of a language are found in; Western ones for all others."""

_STATEFUL = frozenset({"hz", "iso2022_jp", "iso2022_kr"})
_BE_SIG = "utf-16-be-sig"
_PLAIN = {
    **dict.fromkeys("—–―‒−", "-"), **dict.fromkeys("“”„«»", '"'), **dict.fromkeys("‘’‚‹›", "'"),
    "…": "...", "\xa0": " ", "№": "N", "\ufeff": "", "œ": "oe", "Œ": "OE", "•": "*",
}  # fmt: skip
_SHORT = (60, 300, 1000)


@frozen(kw_only=True)
class Variant:
    """A file made from a text.

    `encoding` is how it was written (`utf-16-be-sig`: with a byte order mark). `intact` are the passages, in
    order, that must come out: the whole text, if nothing is damaged.
    """

    name: str
    encoding: str
    data: bytes
    intact: tuple[str, ...]

    @property
    def damaged(self) -> bool:
        """Tell whether anything is missing or wrong."""
        return len(self.intact) > 1

    def is_right(self, text: str) -> bool:
        """Tell whether a decoded text has everything that it can have."""
        if not self.damaged:
            return text == self.intact[0]
        whole = text.rstrip("\ufffd")  # half a character may be left at the end of UTF-16 that lost a byte
        return whole.startswith(self.intact[0]) and whole.endswith(self.intact[-1]) and self._in_order(whole)

    def _in_order(self, text: str) -> bool:
        at = 0
        for passage in self.intact:
            found = text.find(passage, at)
            if found < 0:
                return False
            at = found + len(passage)
        return True


def variants(text: str, language: str, *, short: bool = True) -> Iterator[Variant]:
    """Yield a text in all encodings of its language, whole and damaged, and short pieces of it unless told not to.

    Signs that an encoding lacks are replaced first, as a converter does; one that lacks letters is left out.
    """
    for encoding in (*_ANY, *ENCODINGS.get(language, _WESTERN)):
        fitted = _fitted(text, encoding)
        if fitted is None:
            continue
        yield from _whole(fitted, encoding, short=short)
        if encoding not in _STATEFUL:
            yield from _damaged(fitted, encoding)


def _encoded(text: str, encoding: str) -> bytes:
    return codecs.BOM_UTF16_BE + text.encode("utf-16-be") if encoding == _BE_SIG else text.encode(encoding)


def _fitted(text: str, encoding: str) -> str | None:
    try:
        _encoded(text, encoding)
        return text
    except UnicodeEncodeError:
        pass
    kept = {character: _fits(character, encoding) for character in set(text)}
    plain = "".join(character if kept[character] else _PLAIN.get(character, "?") for character in text)
    lost = plain.count("?") - text.count("?")
    return plain if lost <= len(text) // 1000 else None


def _fits(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _whole(text: str, encoding: str, *, short: bool) -> Iterator[Variant]:
    yield _variant("whole", text, encoding)
    mixed = _mixed_newlines(text)
    if mixed != text:
        yield _variant("mixed newlines", mixed, encoding)
    for characters in _SHORT if short else ():
        piece = text[len(text) // 2 :][:characters]
        if len(text) > 2 * characters and piece.strip() and not _is_hidden(piece, encoding):
            yield _variant(f"{characters} characters", piece, encoding)


def _is_hidden(piece: str, encoding: str) -> bool:
    """Tell whether a piece has nothing by which its encoding could be known: signs of seven bits only."""
    return encoding in _STATEFUL and piece.isascii()


def _variant(name: str, text: str, encoding: str) -> Variant:
    return Variant(name=name, encoding=encoding, data=_encoded(text, encoding), intact=(text,))


def _mixed_newlines(text: str) -> str:
    lines = text.replace("\r\n", "\n").split("\n")
    ends = ("\n", "\r\n", "\n", "\r\n\r\n")
    return "".join(line + ends[number % 4] for number, line in enumerate(lines[:-1])) + lines[-1]


def _damaged(text: str, encoding: str) -> Iterator[Variant]:
    random = Random(f"{encoding} {len(text)}")  # reproducible, and not the same places in every encoding
    places = [random.uniform(0.05, 1.0) for _ in range(9)]  # the very first line may be all that tells a byte order
    yield _hit(text, encoding, "one byte FF", places[:1], lambda byte: b"\xff")
    yield _hit(text, encoding, "one other byte", places[1:2], lambda byte: bytes([(byte + 89) % 256]))
    yield _hit(text, encoding, "five bytes FF", places[2:7], lambda byte: b"\xff")
    if encoding != "utf-32":
        yield _hit(text, encoding, "one byte lost", places[7:8], lambda byte: b"")
        yield _hit(text, encoding, "one byte too many", places[8:9], lambda byte: b"\xb0" + bytes([byte]))
    yield _cut(text, encoding)


def _hit(text: str, encoding: str, name: str, places: list[float], change: Callable[[int], bytes]) -> Variant:
    """Change the first byte of a character beyond ASCII at each place, 0..1 of the text."""
    starts = sorted({_foreign_from(text, int(place * len(text))) for place in places})
    data = bytearray(_encoded(text, encoding))
    for start in reversed(starts):
        offset = len(_encoded(text[:start], encoding))
        data[offset : offset + 1] = change(data[offset])
    return Variant(name=name, encoding=encoding, data=bytes(data), intact=_without_lines(text, starts))


def _foreign_from(text: str, start: int) -> int:
    """Return where a character beyond ASCII stands at or after a place, else any that is no newline."""
    for places in (range(start, min(start + 2000, len(text))), range(start, len(text)), range(start, -1, -1)):
        for place in places:
            if not text[place].isascii():
                return place
    return next((place for place in range(start, len(text)) if text[place] not in "\r\n"), 0)


def _without_lines(text: str, places: list[int]) -> tuple[str, ...]:
    """Return what is left of a text without the lines that have these places."""
    passages: list[str] = []
    at = 0
    for place in places:
        start = text.rfind("\n", 0, place) + 1
        if start >= at:
            passages.append(text[at:start])
        at = text.find("\n", place) + 1 or len(text)
    return (*passages, text[at:])


def _cut(text: str, encoding: str) -> Variant:
    """Cut a file within its last character beyond ASCII, where that has several bytes."""
    last = next((place for place in range(len(text) - 1, -1, -1) if not text[place].isascii()), len(text) - 1)
    data = _encoded(text[: last + 1], encoding)
    return Variant(name="cut tail", encoding=encoding, data=data[:-1], intact=(text[:last], ""))
