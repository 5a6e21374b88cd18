"""Files that are no text: other formats by their first bytes, binary ones by their control bytes."""

from __future__ import annotations

import re

from novel_tasks_core.errors import DecodingError

_MAGIC = (
    (b"%PDF-", "a PDF document"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b\x08", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"\x89PNG\r\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"ID3", "a sound recording"),
    (b"OggS", "a sound recording"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Microsoft Office document"),
    (b"{\\rtf", "a Rich Text document"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
    (b"SQLite format 3\x00", "a database"),
    (b"Salted__", "an encrypted file"),
    (b"-----BEGIN PGP MESSAGE", "an encrypted message"),
    (b"age-encryption.org/", "an encrypted file"),
)
_ZIP_KINDS = (
    (b"mimetypeapplication/epub+zip", "an EPUB book"),
    (b"mimetypeapplication/vnd.oasis", "an OpenDocument file"),
    (b"word/", "a Word document"),
)
_CONTROLS = re.compile(b"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]")
_ENCRYPTED = 1


def refuse_other_formats(beginning: bytes) -> None:
    """Raise DecodingError, with the name of the format, for the first bytes of a file that is no text."""
    kind = _other_format(beginning)
    if kind:
        raise DecodingError(f"the file is {kind}, not plain text", offset=0)


def _other_format(beginning: bytes) -> str | None:
    if beginning.startswith(b"PK\x03\x04"):
        kind = next((kind for mark, kind in _ZIP_KINDS if mark in beginning), "a ZIP archive")
        encrypted = len(beginning) > 6 and beginning[6] & _ENCRYPTED
        return f"{kind} with a password" if encrypted else kind
    if beginning[60:68] in (b"BOOKMOBI", b"TEXtREAd"):
        return "a Mobipocket or PalmDOC book"
    return next((kind for magic, kind in _MAGIC if beginning.startswith(magic)), None)


def refuse_binary(samples: list[tuple[int, bytes]]) -> None:
    """Raise DecodingError when samples, each with its offset, have the control bytes of a binary file."""
    size = sum(len(data) for _, data in samples)
    zeros = sum(data.count(0) for _, data in samples)
    controls = sum(len(_CONTROLS.findall(data)) for _, data in samples)
    if zeros > max(8, size // 200) or controls > max(64, size // 20) or controls > size // 2:
        places = ((offset, _CONTROLS.search(data)) for offset, data in samples)
        first = next((offset + found.start() for offset, found in places if found), 0)
        raise DecodingError(f"the file is not text: {controls:,} of {size:,} bytes are control bytes", offset=first)
