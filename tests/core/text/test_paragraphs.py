"""A quick look at wrapped lines says what the careful one says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from novel_tasks_core.text.layout import Layout, join_lines
from novel_tasks_core.text.paragraphs import Kind, is_plainly_wrapped, paragraphs

WRAPPED = st.sampled_from("b c. -*Ж中文。，\u3000").flatmap(
    lambda mark: st.lists(st.text(f"{mark}a", min_size=16, max_size=30), min_size=2, max_size=6)
)


@given(lines=WRAPPED, indent=st.sampled_from([None, 2, 4]), width=st.sampled_from([16, 20, 30]))
def test_what_is_plainly_wrapped_is_one_paragraph(lines: list[str], indent: int | None, width: int) -> None:
    """It never says more."""
    layout = Layout(width=width, gap=1, indent=indent)
    if all(map(str.strip, lines)) and is_plainly_wrapped(lines, layout):
        [found] = paragraphs("\n".join(lines), layout)
        assert (found.kind, found.lines, found.taken) == (Kind.PROSE, (join_lines(lines),), len(lines))
