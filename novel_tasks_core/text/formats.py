"""Files that are no text: other formats by their first bytes, binary ones by their control bytes."""

from __future__ import annotations

import re

from novel_tasks_core.errors import DecodingError, DecodingProblem

_MAGIC = (
    (b"%PDF-", ("pdf", "a PDF document")),
    (b"PK\x05\x06", ("zip", "an empty ZIP archive")),
    (b"Rar!\x1a\x07", ("rar", "a RAR archive")),
    (b"7z\xbc\xaf\x27\x1c", ("7z", "a 7-Zip archive")),
    (b"\x1f\x8b\x08", ("gzip", "a gzip archive")),
    (b"BZh", ("bzip2", "a bzip2 archive")),
    (b"\xfd7zXZ\x00", ("xz", "an xz archive")),
    (b"\x28\xb5\x2f\xfd", ("zstd", "a Zstandard archive")),
    (b"\x89PNG\r\n", ("png", "a PNG picture")),
    (b"\xff\xd8\xff", ("jpeg", "a JPEG picture")),
    (b"GIF8", ("gif", "a GIF picture")),
    (b"ID3", ("sound", "a sound recording")),
    (b"OggS", ("sound", "a sound recording")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ("office", "an old Microsoft Office document")),
    (b"{\\rtf", ("rtf", "a Rich Text document")),
    (b"\x7fELF", ("program", "a program")),
    (b"MZ\x90\x00", ("program", "a program")),
    (b"SQLite format 3\x00", ("database", "a database")),
    (b"Salted__", ("encrypted", "an encrypted file")),
    (b"-----BEGIN PGP MESSAGE", ("encrypted", "an encrypted message")),
    (b"age-encryption.org/", ("encrypted", "an encrypted file")),
)
_ZIP_KINDS = (
    (b"mimetypeapplication/epub+zip", ("epub", "an EPUB book")),
    (b"mimetypeapplication/vnd.oasis", ("opendocument", "an OpenDocument file")),
    (b"word/", ("word", "a Word document")),
)
_CONTROLS = re.compile(b"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]")
_ENCRYPTED = 1


def refuse_other_formats(beginning: bytes) -> None:
    """Raise DecodingError, with the name of the format, for the first bytes of a file that is no text."""
    found = _other_format(beginning)
    if found:
        name, words = found
        reason = f"the file is {words}, not plain text"
        raise DecodingError(reason, offset=0, kind=DecodingProblem.OTHER_FORMAT, format=name)


def _other_format(beginning: bytes) -> tuple[str, str] | None:
    """Return the format of a file that is no text: its short name, and what it is called."""
    if beginning.startswith(b"PK\x03\x04"):
        name, words = next((kind for mark, kind in _ZIP_KINDS if mark in beginning), ("zip", "a ZIP archive"))
        encrypted = len(beginning) > 6 and beginning[6] & _ENCRYPTED
        return name, f"{words} with a password" if encrypted else words
    if beginning[60:68] in (b"BOOKMOBI", b"TEXtREAd"):
        return "mobi", "a Mobipocket or PalmDOC book"
    return next((kind for magic, kind in _MAGIC if beginning.startswith(magic)), None)


def refuse_binary(samples: list[tuple[int, bytes]]) -> None:
    """Raise DecodingError when samples, each with its offset, have the control bytes of a binary file."""
    size = sum(len(data) for _, data in samples)
    zeros = sum(data.count(0) for _, data in samples)
    controls = sum(len(_CONTROLS.findall(data)) for _, data in samples)
    if zeros > max(8, size // 200) or controls > max(64, size // 20) or controls > size // 2:
        places = ((offset, _CONTROLS.search(data)) for offset, data in samples)
        first = next((offset + found.start() for offset, found in places if found), 0)
        reason = f"the file is not text: {controls:,} of {size:,} bytes are control bytes"
        raise DecodingError(reason, offset=first, kind=DecodingProblem.BINARY)
