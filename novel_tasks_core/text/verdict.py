"""How sure the chosen headings are, in a number and in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from novel_tasks_core.text.forms import Form
from novel_tasks_core.text.outline import FoundHeading
from novel_tasks_core.text.sequences import Chain


def judge(
    chapters: Sequence[Chain], parts: Sequence[Chain], headings: Sequence[FoundHeading], start: int, end: int
) -> tuple[float, str]:
    """Return (confidence, reason) for an outline made of these chains."""
    main = max(chapters, key=len)
    confidence = 0.97 if main.key[0] is Form.DIVISION else 0.93
    notes: list[str] = []
    count = sum(map(len, chapters))
    if len(main) < 3:
        confidence -= 0.3
        notes.append("only a few headings")
    unexpected = main.restarts - sum(map(len, parts)) if parts else main.restarts if main.restarts else 0
    wrong = sum(chain.breaks for chain in chapters) + max(0, unexpected - 1)
    if wrong:
        confidence -= min(0.5, 0.03 + 0.8 * wrong / count)
        notes.append(f"the count breaks {wrong} times")
    alone = sum(1 for chain in chapters for link in chain.links if link.quality < 2.0)
    if alone:
        confidence -= min(0.3, 0.5 * alone / count)
        notes.append(f"{alone} do not stand apart from the text")
    confidence -= _size_doubt(headings, start, end, notes)
    name = _describe(main)
    reason = f"{count} headings of the form {name}" + (f" in {sum(map(len, parts))} parts" if parts else "")
    return round(max(0.05, confidence), 2), reason + (", " + "; ".join(notes) if notes else ", counting without a gap")


def _size_doubt(headings: Sequence[FoundHeading], start: int, end: int, notes: list[str]) -> float:
    """Return what chapters of very unequal length, or far from the beginning, take off the confidence."""
    starts = [heading.start for heading in headings if heading.level <= 2] + [end]
    sizes = [after - before for before, after in pairwise(starts) if after - before > 300]
    doubt = 0.0
    if len(sizes) >= 3 and max(sizes) > 15 * median(sizes):
        doubt += 0.15
        notes.append("one is much longer than the others")
    if starts[0] - start > 0.25 * (end - start):
        doubt += 0.2
        notes.append("a long text precedes the first")
    return doubt


def _describe(chain: Chain) -> str:
    heading = chain.links[0].candidate.heading
    if heading.form is Form.DIVISION:
        return f"“{heading.word} N”" if heading.word.isascii() or len(heading.word) > 1 else f"“第N{heading.word}”"
    shape = "a bare number" if heading.form is Form.BARE else "number and title"
    return f"{shape} ({heading.system})"
