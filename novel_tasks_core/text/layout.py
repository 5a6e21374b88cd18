"""How a text shows its paragraphs: by blank lines, one a line, or wrapped at a width; and its lines joined again.

The evidence for wrapping is what a line break would have had to be: the next word did not fit. Verse,
lists and addresses break where it would have fitted; a paragraph a line breaks after the end of a sentence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from attrs import frozen

WIDEST_WRAP = 200
"""Lines of more characters were not wrapped by anybody for reading."""

_LEAST_BREAKS = 8
_SENTENCE_ENDS = tuple(".!?…:;。！？：；」』”’\"')）]】~～—*_")
_SPACE = " \t\u3000\xa0"
_CJK = "\u2e80-\u312f\u3190-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uff65-\uff9f\U00020000-\U0003ffff—…“”‘’·"
_CJK_LAST = re.compile(f"[{_CJK}]$")
_CJK_FIRST = re.compile(f"[{_CJK}]")
_SURE_CJK = re.compile("[\u2e80-\u312f\u3190-\u9fff\uf900-\ufaff\uff00-\uff9f\U00020000-\U0003ffff]")
_EITHER = frozenset("-—…“”‘’·")
_TIGHT_DASH = re.compile(r"[^\s—-](?:-{1,3}|—+)$")
_SUSPENDED = re.compile(r"(?:und|oder|bzw|sowie|and|or|to|y|o|e|et|ou|и|или)\b", re.IGNORECASE)
_SCENE = re.compile(
    r"(?=.{1,80}$)(?:[*＊]+(?:\s*[*＊])*|[-—–―_=~～·•※◇◆☆★○●△▽□■#§⁂+＋.…]{3,}|[※◇◆☆★○●△▽□■§⁂]"
    r"|[-—–―_=~～·•※◇◆☆★○●△▽□■#§⁂+＋.…](?:\s+[-—–―_=~～·•※◇◆☆★○●△▽□■#§⁂+＋.…]+)+)$"
)


@frozen(kw_only=True)
class Layout:
    """How a text shows its paragraphs.

    `width` is where lines were wrapped, in characters, None where every line is a paragraph (or a line of
    verse). `gap` is the usual number of blank lines between paragraphs: more of them mean a pause. `indent`
    is the least indentation that begins a paragraph in wrapped text, None where only blank lines do.
    """

    width: int | None = None
    gap: int = 0
    indent: int | None = None


def measure_layout(sample: str) -> Layout:
    """Find the layout of a sample by counting how its lines break."""
    lines = [line.rstrip() for line in sample.split("\n")]
    pairs = [(left, right) for left, right in pairwise(lines) if left and right.strip()]
    gap = _usual_gap(lines)
    width = _wrap_width(pairs)
    return Layout(width=width, gap=gap, indent=None if width is None else _indent(pairs))


def agrees(text: str, layout: Layout) -> bool:
    """Tell, at a glance and so not always, that a text has a layout by the lengths of its lines."""
    lengths = sorted(map(len, text.split("\n")))
    if layout.width is None:
        return lengths[-1] > WIDEST_WRAP
    return 0.9 * layout.width <= lengths[len(lengths) * 19 // 20] and lengths[-1] <= 1.2 * layout.width


def _usual_gap(lines: Sequence[str]) -> int:
    gaps: Counter[int] = Counter()
    blank = 0
    for line in lines:
        if line.strip():
            gaps[blank] += 1
            blank = 0
        else:
            blank += 1
    separated = sum(gaps.values()) - gaps[0]
    if separated < 0.2 * sum(gaps.values()) and gaps[0] > 2 * _LEAST_BREAKS and _one_a_line(lines):
        return 0
    del gaps[0]
    return gaps.most_common(1)[0][0] if gaps else 1


def _one_a_line(lines: Sequence[str]) -> bool:
    """Tell lines that mostly end as sentences do from wrapped ones."""
    full = [line for line in lines if line.strip()]
    return sum(line.endswith(_SENTENCE_ENDS) for line in full) > 0.6 * len(full)


def _wrap_width(pairs: Sequence[tuple[str, str]]) -> int | None:
    """Return the width at which lines were wrapped; None when the breaks say that they were not."""
    open_breaks = [pair for pair in pairs if not pair[0].endswith(_SENTENCE_ENDS)]
    if len(open_breaks) < max(_LEAST_BREAKS, 0.2 * len(pairs)):
        return None
    lengths = sorted(len(left) for left, _ in open_breaks)
    width = lengths[len(lengths) * 19 // 20]
    if not 20 <= width <= WIDEST_WRAP:
        return None
    free = sum(would_have_fitted(left, right, width) for left, right in open_breaks)
    return width if free <= 0.35 * len(open_breaks) else None


def would_have_fitted(left: str, right: str, width: int) -> bool:
    """Tell a break that somebody wanted: the next word had room on the line before."""
    word = right.split(None, 1)[0] if right.strip() else ""
    needed = min(len(word), 24) if not _SURE_CJK.match(word) else 1
    return len(left) + 1 + needed <= 0.87 * width


def _indent(pairs: Sequence[tuple[str, str]]) -> int | None:
    """Return the indentation that begins paragraphs: more than most lines have, after lines that end a sentence."""
    indents = Counter(indentation(right) for _, right in pairs)
    base = indents.most_common(1)[0][0]
    deeper = [(left, right) for left, right in pairs if indentation(right) >= base + 2]
    if len(deeper) < max(3, 0.02 * len(pairs)):
        return None
    return base + 2 if sum(left.endswith(_SENTENCE_ENDS) for left, _ in deeper) >= 0.6 * len(deeper) else None


def indentation(line: str) -> int:
    """Return how many columns a line is indented; an ideographic space counts two, a tab eight."""
    stripped = line.lstrip(_SPACE)
    if len(stripped) == len(line):
        return 0
    space = line[: len(line) - len(stripped)]
    return len(space) + space.count("\u3000") + 7 * space.count("\t")


def is_scene_break(line: str) -> bool:
    """Tell a line that only marks a pause: * * *, ＊, ———, ◇◇◇."""
    return _SCENE.match(line.strip()) is not None


def ends_sentence(line: str) -> bool:
    """Tell whether a line ends as a paragraph may."""
    return line.rstrip().endswith(_SENTENCE_ENDS)


def join_lines(lines: Sequence[str]) -> str:
    """Join the lines of one paragraph: by a space, by nothing between Chinese or Japanese characters or after a dash.

    A hyphen at the end of a line stays: which ones a printer put there only a dictionary could tell.
    """
    if len(lines) == 1:
        return lines[0].strip()
    block = "\n".join(lines).strip()
    if block.isascii() and not ("-\n" in block or " \n" in block or "\n " in block or "\t" in block):
        return block.replace("\n", " ")
    stripped = [line.strip() for line in lines]
    parts = [stripped[0]]
    for left, right in pairwise(stripped):
        parts.append(_glue(left, right))
        parts.append(right)
    return "".join(parts)


def _glue(left: str, right: str) -> str:
    last, first = left[-1:], right[:1]
    if last < "\u2e80" and first < "\u2e80" and last not in _EITHER and first not in _EITHER:
        return " "
    if _CJK_LAST.search(left) and _CJK_FIRST.match(right) and (_SURE_CJK.search(left[-2:]) or _SURE_CJK.match(right)):
        return ""
    if _SURE_CJK.search(left[-1:]) or _SURE_CJK.match(right):
        return ""
    if left[-1:] == "-" or left[-1:] == "—":
        suspended = left[-2:-1].isalpha() and _SUSPENDED.match(right)
        return "" if _TIGHT_DASH.search(left) and not suspended else " "
    return " "
