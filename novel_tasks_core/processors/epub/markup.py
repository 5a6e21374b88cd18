"""Plain text to XHTML: every paragraph one line of markup, so that a page can be cut at any line end."""

from __future__ import annotations

import re
from collections.abc import Callable

from novel_tasks_core.text.layout import Layout, indentation
from novel_tasks_core.text.paragraphs import Kind, Paragraph, paragraphs

REPLACEMENT = "\ufffd"

_PLANE_ENDS = "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17))
_FORBIDDEN = re.compile(f"[\0-\b\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef{_PLANE_ENDS}]")
_OTHER_BREAKS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_FINE_BYTES = bytes({9, 10, 13, *range(0x20, 0x7F), *range(0x80, 0xF0)})
_C1 = re.compile(b"\xc2[\x80-\x9f]")
_SEPARATORS = re.compile(b"\xe2\x80[\xa8\xa9]")
_NONCHARACTERS = re.compile(b"\xef(?:\xb7|\xbf[\xbe\xbf])")
_ITALICS = re.compile(r"(?<![\w_])_(?=[^\s_])((?:[^_\n<]|<br/>){1,1000}?)(?<=[^\s_])_(?![\w_])")
_DEEPEST_VERSE = 24


def allowed(text: str) -> tuple[str, int]:
    """Return the text with what neither XML nor HTML can hold as U+FFFD, and how many characters that were.

    Form feeds and other marks between lines or pages become spaces: white space they are, and allowed they are not.
    """
    if not _is_suspicious(text):
        return text, 0
    return _FORBIDDEN.subn(REPLACEMENT, _OTHER_BREAKS.sub(" ", text))


def _is_suspicious(text: str) -> bool:
    """Tell whether a text may hold what is not allowed: on bytes, ten times as fast as a search for characters."""
    try:
        data = text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return True
    if data.translate(None, _FINE_BYTES):
        return True
    if b"\xc2" in data and _C1.search(data) is not None:
        return True
    return (b"\xe2\x80" in data and _SEPARATORS.search(data) is not None) or (
        b"\xef" in data and _NONCHARACTERS.search(data) is not None
    )


def escaped(text: str) -> str:
    """Return the text as it stands between tags."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    return text.replace("<", "&lt;").replace(">", "&gt;")


def attribute(text: str) -> str:
    """Return the text as it stands between double quotes in a tag."""
    return escaped(text).replace('"', "&quot;")


def plain(text: str) -> str:
    """Return any text, such as a title or a name, as it stands between tags: allowed, escaped, in one line."""
    return escaped(allowed(" ".join(text.split()))[0])


def blocks(text: str, layout: Layout, finish: Callable[[str], str]) -> str:
    """Return the paragraphs of a text as XHTML; `finish` adds the markup within lines."""
    return finish("".join([_block(paragraph) for paragraph in paragraphs(text, layout)]))


def with_italics(markup: str) -> str:
    """Set what stands between underscores in italics, as plain texts mark them."""
    return _ITALICS.sub(r"<em>\1</em>", markup) if "_" in markup else markup


def _block(paragraph: Paragraph) -> str:
    if paragraph.kind is Kind.PROSE and not paragraph.gap and not paragraph.continued:
        return f"<p>{escaped(paragraph.lines[0])}</p>\n"
    names = [kind for kind in (paragraph.kind.value,) if kind != Kind.PROSE]
    if paragraph.gap:
        names.append("gap")
    if paragraph.continued:
        names.append("more")
    text = _verse(paragraph.lines) if paragraph.kind is Kind.VERSE else escaped(paragraph.lines[0])
    return f'<p class="{" ".join(names)}">{text}</p>\n'


def _verse(lines: tuple[str, ...]) -> str:
    base = min(map(indentation, lines))
    return "<br/>".join(
        "\xa0" * min(indentation(line) - base, _DEEPEST_VERSE) + escaped(line.strip()) for line in lines
    )
