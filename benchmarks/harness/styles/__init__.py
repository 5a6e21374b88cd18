"""The styles that books are set in: what stands over their chapters, around them and between their lines."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.harness.restyle import Style
from benchmarks.harness.styles.chinese import chinese
from benchmarks.harness.styles.composed import composed
from benchmarks.harness.styles.japanese import japanese
from benchmarks.harness.styles.listed import dated, listed
from benchmarks.harness.styles.markdown import markdown
from benchmarks.harness.styles.numbered import in_parts, numbered, worded
from benchmarks.harness.styles.pages import layouts_of
from benchmarks.harness.styles.traps import misprints, traps, without_headings
from benchmarks.harness.styles.words import titles_of

__all__ = ["layouts_of", "styles", "titles_of"]


def styles() -> Iterator[Style]:
    """Yield every style."""
    for made in (numbered, worded, in_parts, listed, dated, composed, misprints, traps, markdown, chinese, japanese):
        yield from made()
    yield from without_headings()
