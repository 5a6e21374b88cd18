"""Markdown to XHTML: what has no mark goes the way of plain text, the rest through the parser's tokens.

HTML in the source is shown as text, never passed through; what is indented is verse, not code.
Links lead to web addresses or nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from attrs import evolve

from novel_tasks_core.processors.epub.markup import attribute, blocks, escaped
from novel_tasks_core.text.layout import Layout, join_lines

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_BLANK = re.compile(r"\n(?:[ \t]*\n)+")
_INLINE = re.compile(r"[*_\[\]`\\~&]")
_START = re.compile(r"[ ]{0,3}(?:[#>]|[-+][ \t]|\d{1,9}[.)][ \t]|[-=]{2,}[ \t]*$)", re.MULTILINE)
_LATER_START = re.compile(rf"\n(?:{_START.pattern})", re.MULTILINE)
_FENCE = re.compile(r"^ {0,3}(```|~~~)", re.MULTILINE)
_TOO_DEEP = re.compile(r"^[ \t]*(?:(?:>|[-+*]|\d{1,9}[.)])[ \t]*){12}|^[ \t]{40}", re.MULTILINE)
_MARKS = re.compile(r"[*_\[\]`<&\\!~]")
_MOST_MARKS = 300
_LONGEST_BLOCK = 8_000
_LONGEST_GROUP = 50_000
_DEFINITION = re.compile(r"^ {0,3}\[[^\]^\n][^\]\n]{0,200}\]:[ \t]*\S+.*$", re.MULTILINE)
_NOTE = re.compile(r"^ {0,3}\[\^([^\]\s]{1,40})\]:[ \t]*(.*)", re.DOTALL)
_NOTE_MARK = re.compile(r"\[\^([^\]\s<>&\"]{1,40})\]")
_NOTE_LINK = re.compile(r'<a epub:type="noteref"[^>]*>([^<]*)</a>')
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]{1,253}(?::\d{1,5})?(?:[/?#][A-Za-z0-9._~/?#@!$'()*+,;=:%&-]*)?")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SIMPLE = {
    "em_open": "<em>", "em_close": "</em>", "strong_open": "<strong>", "strong_close": "</strong>",
    "s_open": "<del>", "s_close": "</del>", "hardbreak": "<br/>", "softbreak": "\n", "heading_open": "<h4>",
    "heading_close": "</h4>", "blockquote_open": "<blockquote>", "blockquote_close": "</blockquote>",
    "bullet_list_open": "<ul>", "bullet_list_close": "</ul>", "ordered_list_close": "</ol>",
    "list_item_open": "<li>", "list_item_close": "</li>", "hr": '<p class="scene">* * *</p>',
}  # fmt: skip


def markdown_blocks(text: str, layout: Layout) -> str:
    """Return a Markdown text, cut at ends of paragraphs, as XHTML; every block of the outermost level is one line."""
    env: dict[str, object] = {}
    definitions = _DEFINITION.findall(text)
    if definitions:
        _parser().parse("\n".join(definitions[:2000]), env)
    names: dict[str, int] = {}
    for match in filter(None, map(_NOTE.match, _BLANK.split(text) if "[^" in text else ())):
        names.setdefault(match[1], len(names) + 1)
    made = "".join(_groups(text, evolve(layout, gap=1), env, names))
    return _NOTE_MARK.sub(lambda match: _reference(match, names), made) if names else made


def without_note_links(markup: str) -> str:
    """Return a page that was cut off from its notes with their numbers, but without the links."""
    return _NOTE_LINK.sub(r"\1", markup)


def _reference(match: re.Match[str], names: dict[str, int]) -> str:
    if match[1] not in names:
        return match[0]
    number = names[match[1]]
    return f'<a epub:type="noteref" role="doc-noteref" href="#n{number}">[{match[1]}]</a>'


def _groups(text: str, layout: Layout, env: dict[str, object], names: dict[str, int]) -> Iterator[str]:
    """Yield the text in groups of blocks: plain ones together, marked ones as far as a fence or a list needs."""
    plain: list[str] = []
    marked: list[str] = []
    numbers = dict(names)
    for block in _BLANK.split(text):
        note = _NOTE.match(block)
        if marked and not note and (_is_open(marked) or (block[:1] in " \t" and block.strip())):
            marked.append(block)
            continue
        if marked:
            yield _parsed(marked, layout, env)
            marked = []
        if note:
            yield _plain(plain, layout) + _note(note, numbers.pop(note[1], None), layout, env)
            plain = []
        elif _is_marked(block) and _is_bearable(block):
            yield _plain(plain, layout)
            plain, marked = [], [block]
        else:
            plain.append(block)
    yield _plain(plain, layout)
    if marked:
        yield _parsed(marked, layout, env)


def _is_marked(block: str) -> bool:
    """Tell whether a block has anything that Markdown could mean something by."""
    if _START.match(block) or _INLINE.search(block):
        return True
    return "\n" in block and ("  \n" in block or _LATER_START.search(block) is not None)


def _is_open(marked: Sequence[str]) -> bool:
    """Tell whether a fence is still open after these blocks."""
    return (
        ("```" in marked[0] or "~~~" in marked[0])
        and sum(map(len, marked)) < _LONGEST_GROUP
        and len(_FENCE.findall("\n\n".join(marked))) % 2 == 1
    )


def _is_bearable(block: str) -> bool:
    """Tell whether the parser will neither take long over a block nor drop what is nested too deep."""
    fenced = _FENCE.match(block)
    return bool(fenced) or (
        len(block) <= _LONGEST_BLOCK and len(_MARKS.findall(block)) <= _MOST_MARKS and not _TOO_DEEP.search(block)
    )


def _plain(kept: list[str], layout: Layout) -> str:
    return blocks("\n\n".join(kept), layout, str) if kept else ""


def _note(match: re.Match[str], number: int | None, layout: Layout, env: dict[str, object]) -> str:
    """Return a footnote; only the first of a name can be led to."""
    body = _parsed([match[2]], layout, env).replace("\n", "")
    label = f"[{escaped(match[1])}] "
    body = body.replace("<p>", f"<p>{label}", 1) if body.startswith("<p>") else f"<p>{label}</p>{body}"
    identity = f' id="n{number}"' if number else ""
    return f'<aside epub:type="footnote" role="doc-footnote"{identity}>{body}</aside>\n'


def _parsed(marked: list[str], layout: Layout, env: dict[str, object]) -> str:
    tokens = _parser().parse("\n\n".join(marked), env)
    return "".join(_rendered(tokens, layout))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # loaded only for Markdown: it costs 30 ms

    return MarkdownIt("commonmark", {"html": False, "maxNesting": 60}).enable("strikethrough").disable("code")


def _rendered(tokens: Sequence[Token], layout: Layout) -> Iterator[str]:
    """Yield the markup of block tokens."""
    for token in tokens:
        match token.type:
            case "inline":
                yield _joined(_inline(token.children or ()), layout)
            case "paragraph_open":
                yield "" if token.hidden else "<p>"
            case "paragraph_close":
                yield " " if token.hidden else "</p>"
            case "fence" | "code_block":
                yield f"<pre>{escaped((token.info + chr(10) if token.info else '') + token.content)}</pre>".replace(
                    "\n", "&#10;"
                )
            case "ordered_list_open":
                start = token.attrGet("start")
                yield f'<ol start="{int(start)}">' if start is not None and int(start) < 2**31 else "<ol>"
            case kind:
                yield _SIMPLE.get(kind, "")
        if token.level == 0 and token.nesting <= 0 and token.type != "inline":
            yield "\n"


def _joined(markup: str, layout: Layout) -> str:
    """Join the lines of a paragraph, or keep them where the layout of the text says that each is one."""
    if "\n" not in markup:
        return markup
    lines = markup.split("\n")
    return "<br/>".join(lines) if layout.width is None and len(lines) > 1 and _short(lines) else join_lines(lines)


def _short(lines: Sequence[str]) -> bool:
    return max(map(len, lines)) <= 100


def _inline(tokens: Sequence[Token]) -> str:
    """Return the markup within a block; a link to anything but a web address is left out, its words are kept."""
    parts: list[str] = []
    open_links: list[bool] = []
    for token in tokens:
        match token.type:
            case "text":
                parts.append(escaped(token.content))
            case "code_inline":
                parts.append(f"<code>{escaped(token.content)}</code>")
            case "image":
                parts.append(escaped(token.content))
            case "link_open":
                address = str(token.attrGet("href") or "")
                safe = bool(_ADDRESS.fullmatch(address)) and not _BAD_ESCAPE.search(address)
                open_links.append(safe)
                parts.append(f'<a href="{attribute(address)}">' if safe else "")
            case "link_close":
                parts.append("</a>" if open_links.pop() else "")
            case kind:
                parts.append(_SIMPLE.get(kind, escaped(token.content)))
    return "".join(parts)
