"""Find out how bytes encode a text, and decode them, with every doubt counted.

The order: byte order marks, strict UTF-8, UTF-16 by where its newlines lie, UTF-8 with a few damaged
bytes, then trial decodes of the double-byte encodings of East Asia scored by how common the characters
that come out are, then single-byte ones.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from attrs import frozen

from novel_tasks_core.errors import DecodingError, InvalidInputError
from novel_tasks_core.text import charsets

_SAMPLE_BYTES = 12_288
_FOREIGN_LINE = re.compile(rb"[\x80-\xff][^\n]*\n?")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAGIC = (
    (b"%PDF-", "a PDF document"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b\x08", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x89PNG\r\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Microsoft Office document"),
    (b"{\\rtf", "a Rich Text document"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\x00", "a database"),
)
_ZIP_KINDS = (
    (b"mimetypeapplication/epub+zip", "an EPUB book"),
    (b"mimetypeapplication/vnd.oasis", "an OpenDocument file"),
    (b"word/", "a Word document"),
)
_CONTROL = bytes(set(range(32)) - {*b"\t\n\v\f\r\x1a\x1b"})
_NOT_FOR_FILES = frozenset(
    {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem", "utf_7"}
)
_TRUNCATED_TAIL = 4
_SAME_DAMAGE = 4
_PRIVATE = re.compile("[\uf8f0-\uf8f3]")  # where cp932 puts bytes that are no characters at all


@frozen(kw_only=True)
class Decoded:
    """A decoded file.

    `encoding` is the Python codec that decodes the whole of it; `confidence` 0..1 says how sure that
    choice is. `repaired_bytes` are those that were not valid in it: U+FFFD stands in their place.
    Newlines are as in the file.
    """

    text: str
    encoding: str
    confidence: float
    repaired_bytes: int = 0


def decode(data: bytes, *, encoding: str | None = None) -> Decoded:
    """Decode a whole file, in the named encoding or, without one, in the most plausible.

    A character cut off at the very end is repaired even in a named encoding.

    Raises: DecodingError for an empty or blank file, for one that is not text (its kind is named), and
    for bytes that the named encoding cannot hold (with the byte offset); InvalidInputError for an
    unknown encoding name.
    """
    if not data:
        raise DecodingError("the file is empty")
    _refuse_other_formats(data)
    decoded = _decode_named(data, encoding) if encoding else _decode_unnamed(data)
    if not decoded.text.strip():
        raise DecodingError("the file holds nothing but blank space", encoding=encoding)
    return decoded


def _refuse_other_formats(data: bytes) -> None:
    kind = _other_format(data)
    if kind:
        raise DecodingError(f"the file is {kind}, not plain text", offset=0)


def _other_format(data: bytes) -> str | None:
    if data.startswith(b"PK\x03\x04"):
        beginning = data[:4096]
        return next((kind for mark, kind in _ZIP_KINDS if mark in beginning), "a ZIP archive")
    if data[60:68] in (b"BOOKMOBI", b"TEXtREAd"):
        return "a Mobipocket or PalmDOC book"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def _decode_named(data: bytes, encoding: str) -> Decoded:
    name = _known_codec(encoding)
    if name == "utf-8" and data.startswith(codecs.BOM_UTF8):
        name = "utf-8-sig"
    try:
        return Decoded(text=data.decode(name), encoding=name, confidence=1.0)
    except UnicodeDecodeError as exc:
        if exc.start < len(data) - _TRUNCATED_TAIL:
            raise DecodingError(
                f"not {encoding}: {exc.reason} at byte {exc.start}", encoding=encoding, offset=exc.start
            ) from exc
        return _replace(data, name, 1.0)
    except (UnicodeError, ValueError) as exc:
        raise DecodingError(f"not {encoding}: {exc}", encoding=encoding, offset=0) from exc


def _known_codec(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        b"novel".decode(name)
    except UnicodeError:
        pass
    except (LookupError, ValueError, TypeError) as exc:
        raise InvalidInputError("encoding", f"unknown encoding {encoding[:100]!r}") from exc
    if name.replace("-", "_") in _NOT_FOR_FILES:
        raise InvalidInputError("encoding", f"{encoding[:100]!r} is not an encoding of files")
    return name


def _decode_unnamed(data: bytes) -> Decoded:
    for bom, name in _BOMS:
        if data.startswith(bom):
            return _strict(data, name, 1.0) or _replace(data, name, 0.95)
    for attempt in (_utf8, _utf16, _refuse_binary, _damaged_utf8, _double_byte):
        decoded = attempt(data)
        if decoded is not None:
            return decoded
    return _single_byte(data)


def _strict(data: bytes, name: str, confidence: float) -> Decoded | None:
    try:
        return Decoded(text=data.decode(name), encoding=name, confidence=confidence)
    except UnicodeError:
        return None


def _replace(data: bytes, name: str, confidence: float) -> Decoded:
    """Decode with U+FFFD for what is not valid; what does not come back on encoding was damaged."""
    text = data.decode(name, "replace")
    kept = len(text.replace("\ufffd", "").encode(name, "ignore"))
    if name == "utf-8":
        kept += 3 * data.count(b"\xef\xbf\xbd")
    return Decoded(text=text, encoding=name, confidence=confidence, repaired_bytes=max(0, len(data) - kept))


def _utf8(data: bytes) -> Decoded | None:
    return None if b"\0" in data else _strict(data, "utf-8", 1.0)


def _utf16(data: bytes) -> Decoded | None:
    """Recognise UTF-16 without a mark: its newlines, spaces and zero bytes lie on one side only."""
    sample = data[: _SAMPLE_BYTES & ~1]
    low, high = sample[0::2], sample[1::2]
    little, big = _ascii_units(low, high), _ascii_units(high, low)
    name, found, other = ("utf-16-le", little, big) if little >= big else ("utf-16-be", big, little)
    if found < 1 or found <= 8 * other:
        return None
    even = data[: len(data) & ~1]
    decoded = _strict(even, name, 0.97) or (_replace(even, name, 0.9) if found > 100 else None)
    if decoded is None or not charsets.looks_written(decoded.text[:20_000]):
        return None
    if len(even) == len(data):
        return decoded
    return Decoded(
        text=decoded.text + "\ufffd", encoding=name, confidence=0.9, repaired_bytes=decoded.repaired_bytes + 1
    )


def _ascii_units(low: bytes, high: bytes) -> int:
    """Count two-byte units whose high byte is zero and whose low byte is a newline or a space."""
    return sum(1 for index in _positions(low, b"\n ") if index < len(high) and not high[index])


def _positions(data: bytes, wanted: bytes) -> Iterator[int]:
    return (match.start() for match in re.finditer(b"[%s]" % wanted, data))


def _refuse_binary(data: bytes) -> Decoded | None:
    """Raise for what has the zero and control bytes of a binary file."""
    zeros = data.count(b"\0")
    controls = len(data) - len(data.translate(None, _CONTROL))
    if zeros > max(8, len(data) // 200) or controls > max(64, len(data) // 20) or controls > len(data) // 2:
        raise DecodingError("the file is not text: it is full of control bytes", offset=_first_control(data))
    return _strict(data, "utf-8", 0.8) if zeros else None


def _first_control(data: bytes) -> int:
    match = re.search(b"[%s]" % re.escape(_CONTROL), data)
    return match.start() if match else 0


def _damaged_utf8(data: bytes) -> Decoded | None:
    """Accept UTF-8 whose damaged places are few beside its intact non-ASCII characters."""
    text = data.decode("utf-8", "replace")
    damaged = text.count("\ufffd") - data.count(b"\xef\xbf\xbd")
    intact = len(text) - len(text.encode("ascii", "ignore")) - damaged
    lone = damaged == 1 and intact and intact < len(data) // 10
    if intact < 3 * damaged and not lone:
        return _replace(data, "utf-8", 0.7) if not intact and charsets.is_stray_damage(data) else None
    return _replace(data, "utf-8", 0.95 if intact > 100 * damaged else 0.85)


def _double_byte(data: bytes) -> Decoded | None:
    """Try the East Asian encodings on a sample, then the plausible ones on the whole file."""
    ranked = charsets.rank_double_byte(_sample(data))
    for score, name in ranked:
        decoded = _strict(data, name, score)
        if decoded is not None and not _PRIVATE.search(decoded.text):
            return decoded
    repaired = [_replace(data, name, score * 0.9) for score, name in ranked]
    least = min((decoded.repaired_bytes for decoded in repaired), default=0)
    best = next((decoded for decoded in repaired if decoded.repaired_bytes <= least + _SAME_DAMAGE), None)
    return best if best is not None and least <= max(8, len(data) // 200) else None


def _sample(data: bytes) -> bytes:
    """Gather the first lines with non-ASCII bytes: at a newline every encoding is in step."""
    lines: list[bytes] = []
    size = 0
    for match in _FOREIGN_LINE.finditer(data):
        lines.append(match[0][:_SAMPLE_BYTES])
        size += len(lines[-1])
        if size >= _SAMPLE_BYTES:
            break
    return b"".join(lines)


def _single_byte(data: bytes) -> Decoded:
    for confidence, name in charsets.rank_single_byte(data):
        decoded = _strict(data, name, confidence)
        if decoded is not None:
            return decoded
    return _replace(data, "cp1252", 0.3)
