"""The cover: title and author as large as they fit, on a colour that the title chooses; in SVG, which needs no font."""

from __future__ import annotations

import unicodedata
import zlib

from novel_tasks_core.processors.epub.markup import attribute, plain

WIDTH, HEIGHT = 1600, 2400
"""In pixels: the shape of a book, at a size that shops ask for."""

_PALETTES = (
    ("#1f3a4d", "#f4ede0", "#c9a45c"),
    ("#5b2333", "#f7f0e6", "#d8b26e"),
    ("#2f4a3c", "#f3efe2", "#c7b26a"),
    ("#efe6d5", "#2b2a28", "#9c3d2e"),
    ("#35324f", "#f2eef7", "#d6a5a0"),
    ("#e3e7e4", "#20302f", "#b0632f"),
    ("#4a3b2a", "#f6efe1", "#cfa15a"),
    ("#243b55", "#eef2f5", "#e0b354"),
)
_SIZES = (220, 190, 165, 145, 128, 112, 98, 86, 76)
_ROOM = WIDTH - 420
_MOST_LINES = 7
_NEVER_FIRST = frozenset("，。、；：！？）」』】》〉〕”’…—·・ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々,.;:!?)]}")
_NEVER_LAST = frozenset("（「『【《〈〔“‘([{")
_WIDE = frozenset("WF")
_LONGEST_TITLE = 200
_LONGEST_AUTHOR = 80


def cover_svg(title: str, author: str, language: str) -> str:
    """Draw the cover of a book; the same one for the same title and author."""
    ground, ink, accent = _PALETTES[zlib.crc32(title.encode("utf-8", "replace")) % len(_PALETTES)]
    lines, size = _fit(_shortened(title, _LONGEST_TITLE), _SIZES, _MOST_LINES)
    middle = 930 if author else 1080
    first = middle - (len(lines) - 1) * size * 0.62
    written = "".join(_text(line, first + index * size * 1.24, size, ink) for index, line in enumerate(lines))
    rule = first + len(lines) * size * 1.24 + 10
    by, by_size = _fit(_shortened(author, _LONGEST_AUTHOR), (92, 80, 70, 60), 3)
    below = HEIGHT - 330 - (len(by) - 1) * by_size * 1.25
    signed = "".join(_text(line, below + index * by_size * 1.25, by_size, ink) for index, line in enumerate(by))
    name = attribute(plain_words(title, author))
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" version="1.1" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' width="{WIDTH}" height="{HEIGHT}" xml:lang="{attribute(language)}" role="img" aria-label="{name}">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{ground}"/>\n'
        f'<rect x="70" y="70" width="{WIDTH - 140}" height="{HEIGHT - 140}" fill="none" stroke="{accent}"'
        ' stroke-width="6"/>\n'
        f'<rect x="92" y="92" width="{WIDTH - 184}" height="{HEIGHT - 184}" fill="none" stroke="{accent}"'
        ' stroke-width="2"/>\n'
        f"{_ornament(320, accent)}\n{written}"
        f'<path d="M{WIDTH / 2 - 130:.0f} {rule:.0f}H{WIDTH / 2 + 130:.0f}" stroke="{accent}" stroke-width="5"/>\n'
        f"{signed}</svg>\n"
    )


def plain_words(title: str, author: str) -> str:
    """Return title and author in one line, without markup and without what no page can hold."""
    from novel_tasks_core.processors.epub.markup import allowed

    return allowed(" ".join(f"{title} {author}".split()))[0]


def _ornament(y: int, accent: str) -> str:
    x = WIDTH // 2
    return (
        f'<path d="M{x} {y - 44}L{x + 30} {y}L{x} {y + 44}L{x - 30} {y}Z" fill="{accent}"/>'
        f'<path d="M{x - 260} {y}H{x - 60}M{x + 60} {y}H{x + 260}" stroke="{accent}" stroke-width="4"/>'
    )


def _text(line: str, y: float, size: int, ink: str) -> str:
    return (
        f'<text x="{WIDTH // 2}" y="{y:.0f}" font-size="{size}" font-family="serif" font-weight="600" fill="{ink}"'
        f' text-anchor="middle">{plain(line)}</text>\n'
    )


def _shortened(text: str, longest: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _fit(text: str, sizes: tuple[int, ...], most_lines: int) -> tuple[list[str], int]:
    """Return the lines of a text at the largest size at which they are few enough, evenly filled."""
    if not text:
        return [], sizes[-1]
    for size in sizes:
        room = _ROOM / size
        lines = _wrap(text, room)
        if len(lines) <= (3 if size >= 165 else 5 if size >= 112 else most_lines) and _widest(lines) <= room:
            return _evenly(text, lines, room), size
    return _wrap(text, _ROOM / sizes[-1])[: most_lines + 2], sizes[-1]


def _evenly(text: str, lines: list[str], room: float) -> list[str]:
    """Narrow the room while the number of lines stays, so that none is left with a word."""
    best = lines
    narrow = room
    while narrow > room / 2:
        narrow -= room / 24
        closer = _wrap(text, narrow)
        if len(closer) > len(lines) or _widest(closer) > narrow:
            break
        best = closer
    return best


def _wrap(text: str, room: float) -> list[str]:
    """Break a text into lines that fit into `room`, in units of the font's size."""
    lines = [""]
    for part in _parts(text):
        if lines[-1] and _length((lines[-1] + part).rstrip()) > room and part[0] not in _NEVER_FIRST:
            lines.append("")
        lines[-1] += part if lines[-1] else part.lstrip()
    return [line.strip() for line in lines if line.strip()]


def _parts(text: str) -> list[str]:
    """Cut a text where a line may end: after spaces, around wide characters, within words that are too long."""
    parts = [""]
    for character in text:
        last = parts[-1][-1:]
        wide = _is_wide(character) or _is_wide(last)
        if last and last not in _NEVER_LAST and (last == " " or wide or len(parts[-1]) >= 18):
            parts.append("")
        parts[-1] += character
    return parts


def _is_wide(character: str) -> bool:
    return bool(character) and unicodedata.east_asian_width(character) in _WIDE


def _length(text: str) -> float:
    return sum(map(_advance, text))


def _advance(character: str) -> float:
    if _is_wide(character):
        return 1.0
    if unicodedata.combining(character):
        return 0.0
    if character in "iljtfrI.,;:'!|() ":
        return 0.34
    return 0.72 if character.isupper() or character in "mw@%&—" else 0.54


def _widest(lines: list[str]) -> float:
    return max(map(_length, lines))
