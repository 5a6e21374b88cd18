"""What speaks for the headings of a book, told so that a reader can check it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from attrs import Factory, frozen

from novel_tasks_core.text.candidates import Candidate
from novel_tasks_core.text.outline import Evidence, FoundHeading, Gap
from novel_tasks_core.text.sequences import series_key

_MOST_TOLD = 20
_LIST_BODY = 700
_LEAST_LISTED = 3


@frozen
class _LeftOut:
    """Lines that say the same as a chosen heading."""

    lists: list[tuple[int, int]] = Factory(list)
    single: list[Candidate] = Factory(list)


def evidence_of(source: str, headings: Sequence[FoundHeading], candidates: Sequence[Candidate] = ()) -> Evidence:
    """Tell what speaks for `headings`, which were chosen among `candidates`, both in order."""
    left_out = _left_out(headings, candidates)
    numbers = [heading for heading in headings if heading.level == 2 and heading.number is not None]
    gaps = list(_gaps(numbers))
    return Evidence(
        source=source,
        candidates=len(candidates) or len(headings),
        chosen=len(headings),
        restarts=sum(1 for gap in gaps if gap.found <= 1),
        gaps=tuple(gap for gap in gaps if gap.found > 1)[:_MOST_TOLD],
        contents_lists=tuple(left_out.lists[:_MOST_TOLD]),
        repeated=len(left_out.single),
    )


def _gaps(headings: Sequence[FoundHeading]) -> Iterator[Gap]:
    for before, after in pairwise(headings):
        if before.number is not None and after.number is not None and after.number != before.number + 1:
            yield Gap(line=after.line, expected=before.number + 1, found=after.number)


def _left_out(headings: Sequence[FoundHeading], candidates: Sequence[Candidate]) -> _LeftOut:
    chosen = {heading.start for heading in headings}
    series = {series_key(candidate) for candidate in candidates if candidate.start in chosen}
    numbers = {heading.number for heading in headings if heading.number is not None}
    found = _LeftOut()
    run: list[Candidate] = []
    for candidate in candidates:
        if candidate.start not in chosen and candidate.heading.number in numbers:
            if run and candidate.start - run[-1].end > _LIST_BODY:
                _close(run, found, series)
                run = []
            run.append(candidate)
    _close(run, found, series)
    return found


def _close(run: list[Candidate], found: _LeftOut, series: set[tuple[object, ...]]) -> None:
    """Note lines that stand close together as a list, others of a chosen series as repetitions."""
    if len(run) >= _LEAST_LISTED:
        found.lists.append((run[0].line, run[-1].line))
    else:
        found.single.extend(candidate for candidate in run if series_key(candidate) in series)
