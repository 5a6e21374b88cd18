"""Scan a text for the lines that may be headings, with what surrounds each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

from attrs import Factory, frozen

from novel_tasks_core.text.dates import LONGEST_DATE, read_date
from novel_tasks_core.text.forms import Form, Heading
from novel_tasks_core.text.glance import INDENT, lone_line, possible_line
from novel_tasks_core.text.hanheadings import HAN_FIRST
from novel_tasks_core.text.headings import (
    LONGEST_HEADING,
    clean_line,
    collapse,
    ends_sentence,
    may_begin_heading,
    parse_heading,
)
from novel_tasks_core.text.numerals import HAN_NUMERAL, read_numeral
from novel_tasks_core.text.outline import MOST_HEADINGS, TooManyHeadingsError
from novel_tasks_core.text.passages import Text
from novel_tasks_core.text.titles import BELOW, block_below, continued, line_title, precedes_list
from novel_tasks_core.text.vocabulary import CHAPTER, CONTENTS_TITLES, NAMED_HEADINGS, SURE_DIVISIONS
from novel_tasks_core.text.windows import AROUND, SAMPLE, Window, windows

_LONGEST_PLAIN = 70
_NEAR = 100
_LONGEST_CROWDED = 60
_DASHES = frozenset("-–—―─")
_LINES_A_GAP = 14
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_GAP = re.compile(r"[^\S\n]*\n(?:[^\S\n]*\n)*")
_BLANK_LINES = re.compile(r"\n\s*\n")
_NOT_A_TITLE = re.compile(r"[a-z]|[-–—―*_=~•…\"“”‘'«»„]")
_HAN_NUMBERED = re.compile(rf"[{HAN_NUMERAL}]{{1,9}}(?:[\s、.．:：)）・。·《［]|\Z)")
_COUNTED_NOUN = re.compile(r"([^\W\d_]{2,15})\s+(?:No\. ?)?([0-9]{1,3}|[IVXLC]{1,7})[.:]?")
_SPACED_CAPITALS = frozenset(
    character
    for character in map(chr, (*range(0x41, 0x5B), *range(0xC0, 0x180), *range(0x370, 0x530), *range(0x1E00, 0x2000)))
    if character.isupper()
)
_HAN_NAMES = frozenset(name[0] for name in NAMED_HEADINGS if name[0] > "\u2e80")
_MAY_BEGIN = (
    HAN_FIRST
    | _HAN_NAMES
    | frozenset("0123456789０１２３４５６７８９ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫⅰⅱⅲⅳⅴⅵⅶⅷⅸⅹ")
    | frozenset(map(chr, range(0x2F00, 0x2F1A)))
    | frozenset(map(chr, range(0xFF21, 0xFF3B)))
)
_DECORATIONS = frozenset("([{【〔「『《〈<（［#*_=~•☆★◆◇■□●○▲△※+|.·-–—―─§")
_POSSIBLE = _SPACED_CAPITALS | _MAY_BEGIN | _DECORATIONS
"""What a line that does not stand alone must begin with to be looked at."""
_LONGEST_LINE = 1000
_MOST_TITLES = 20_000
_MOST_CONTENTS = 1000
_LINE_ENDS_GAP = re.compile(r"\Z|\n[^\S\n]*(?:\n|\Z)")


@frozen(kw_only=True)
class Candidate:
    """A line that may be a heading.

    `line` counts from 1; `start` and `end` are offsets of its visible characters; `before` and `after`
    count the blank lines around it (at most 9; 9 at the beginning of the text). `title` is the line as a
    reader would quote it; `more`, (end offset, title), joins the lines below that go on with it or, below a
    bare number, read like its title. `interrupts` tells that it stands in the middle of a sentence, as page
    numbers do; `lists` that a list of titles follows.
    """

    heading: Heading
    line: int
    start: int
    end: int
    before: int
    after: int
    indent: int
    title: str
    more: tuple[int, str] | None = None
    interrupts: bool = False
    lists: bool = False

    @property
    def top(self) -> int:
        """Where its line begins."""
        return self.start - self.indent

    @property
    def isolated(self) -> bool:
        """Whether blank lines stand on both sides."""
        return self.before > 0 and self.after > 0


@frozen
class Layout:
    """How the lines of a text are set: how many there are, how many are blank, how many blank lines stand together."""

    lines: int
    blank: int
    gaps: Counter[int]

    @property
    def airy(self) -> bool:
        """Whether the text uses blank lines at all, so that their absence says something."""
        return self.blank * 50 > self.lines

    @property
    def usual_gap(self) -> int:
        """How many blank lines usually part two paragraphs; 0 when they are not parted."""
        if sum(self.gaps.values()) * _LINES_A_GAP < self.lines - self.blank:
            return 0
        return max(self.gaps, key=lambda gap: (self.gaps[gap], -gap)) if self.airy and self.gaps else 0


@frozen
class Scan:
    """What one pass over a text found: numbered and named lines, unnumbered isolated ones, contents titles."""

    candidates: list[Candidate]
    titles: list[Candidate]
    contents: list[Candidate]
    layout: Layout
    crowded: list[bool] = Factory(list)

    def keep(self, candidate: Candidate) -> None:
        """Add a line to the list where it belongs; drop the least likely where they grow too many.

        Raises: TooManyHeadingsError.
        """
        if candidate.heading.form is not Form.PLAIN:
            self.candidates.append(candidate)
            if len(self.candidates) > MOST_HEADINGS:
                self._prune_candidates()
        elif _names_contents(candidate.heading):
            if len(self.contents) < _MOST_CONTENTS:
                self.contents.append(candidate)
        elif not self.crowded or candidate.before > 1:
            self.titles.append(candidate)
            if len(self.titles) > _MOST_TITLES:
                self._prune_titles()

    def _prune_candidates(self) -> None:
        """Keep what stands alone or names a division."""
        self.candidates[:] = [
            candidate for candidate in self.candidates if candidate.isolated or candidate.heading.form is Form.DIVISION
        ]
        if len(self.candidates) > MOST_HEADINGS * 0.9:
            raise TooManyHeadingsError

    def _prune_titles(self) -> None:
        """Keep what has more space around it than paragraphs have; if most have, none is a title."""
        spaced = [candidate for candidate in self.titles if candidate.before > 1]
        self.titles[:] = spaced if len(spaced) < 0.5 * _MOST_TITLES else []
        self.crowded.append(True)


def scan(text: Text) -> Scan:
    """Find every line of a text that may be a heading, in one pass over its blocks."""
    return examine(text, possible_lines)


def examine(text: Text, lines_of: Callable[[Window], Iterable[int]]) -> Scan:
    """Find the headings among the lines that `lines_of` names of every window, by where they begin, in order."""
    found = Scan([], [], [], Layout(0, 0, Counter()))
    gaps = found.layout.gaps
    crowded = _longest_crowded(text)
    number = 1
    for window in windows(text):
        counted = window.begin
        for at in lines_of(window):
            number += window.text.count("\n", counted, at)
            counted = at
            candidate = _candidate(window, at, number, crowded)
            if candidate is not None:
                found.keep(candidate)
        number += window.text.count("\n", counted, window.limit)
        _count_gaps(window, gaps)
    blank = sum(count * gap for gap, count in gaps.items() if gap < 9)
    lines = number - 1 if text[-1:] in ("", "\n") else number
    return Scan(found.candidates, found.titles, found.contents, Layout(lines, blank, gaps))


def _longest_crowded(text: Text) -> int:
    """Return how long a line may be that has no blank line before it: shorter where blank lines part paragraphs."""
    beginning = text[:SAMPLE]
    blank = beginning.count("\n\n") + beginning.count("\n\r\n")
    return _LONGEST_CROWDED if blank * 20 > beginning.count("\n") else LONGEST_HEADING


def _count_gaps(window: Window, gaps: Counter[int]) -> None:
    """Add up how many blank lines stand together; those at the very beginning count as nine."""
    begin, text = window.begin, window.text
    if not window.offset and not begin:
        begin = len(text) - len(text.lstrip())
        gaps[9] += begin < len(text)
    end = len(text.rstrip()) if window.last else window.limit
    for gap, count in Counter(_BLANK_LINES.findall(text, begin, end)).items():
        gaps[min(gap.count("\n") - 1, 9)] += count


def possible_lines(window: Window) -> list[int]:
    """Return where the lines of a window begin that may be headings, in order."""
    begin, limit = window.begin, window.limit
    text = window.text + "\n\n" if window.last else window.text
    found = {0} if not window.offset and not begin else set()
    for pattern in (possible_line(), lone_line()):
        for match in pattern.finditer(text, max(0, begin - INDENT), limit + INDENT):
            found.add(text.rfind("\n", 0, match.end()) + 1)
    if not window.offset and not begin:
        found.add(text.rfind("\n", 0, len(text) - len(text.lstrip())) + 1)
    return sorted(at for at in found if begin <= at < limit)


def _candidate(window: Window, at: int, number: int, crowded: int) -> Candidate | None:
    """Examine the line that begins at `at`; None when it is no heading."""
    text = window.text
    end = text.find("\n", at, at + _LONGEST_LINE)
    if end < 0:
        if len(text) - at > _LONGEST_LINE:
            return None
        end = len(text)
    line = text[at:end]
    stripped = line.strip()
    if not stripped or len(stripped) > LONGEST_HEADING:
        return None
    before = _blank_before(window, at)
    if not before and (stripped[0] not in _POSSIBLE or len(line) > crowded):
        return None
    heading = _examine(stripped, before, lone=_LINE_ENDS_GAP.match(text, end) is not None)
    return None if heading is None else _place(window, heading, line, number, at, before)


def _blank_before(window: Window, at: int) -> int:
    """Return how many blank lines stand before a line, at most 9; 9 at the beginning of the text."""
    start = max(0, at - AROUND)
    before = window.text[start:at]
    visible = len(before.rstrip())
    if visible:
        return min(before.count("\n", visible) - 1, 9)
    return 9 if not start and not window.offset else min(before.count("\n"), 9)


def _examine(stripped: str, before: int, *, lone: bool) -> Heading | None:
    """Return the heading a line may be; one without number between blank lines, `lone`, comes as a plain one."""
    first = stripped[0]
    if stripped[1:2] == " " and stripped[3:4] == " ":
        heading = parse_heading(stripped)
        if heading is not None:
            return heading
    if first in _SPACED_CAPITALS:
        word = _FIRST_WORD.match(stripped)
        if word and may_begin_heading(word[0].casefold(), stripped):
            heading = parse_heading(stripped)
            if heading is not None:
                return heading
    elif first.islower():
        return parse_heading(stripped) if before and lone and len(stripped) < 60 else None
    elif first in HAN_NUMERAL:
        heading = parse_heading(stripped) if _HAN_NUMBERED.match(stripped) else None
        if heading is not None:
            return heading
    elif first in _MAY_BEGIN or (first in _DECORATIONS and len(stripped) < 120 and _is_adorned(stripped)):
        heading = parse_heading(stripped)
        if heading is not None:
            return heading
    if before and len(stripped) <= LONGEST_DATE and read_date(stripped):
        return Heading(Form.PLAIN, "", CHAPTER, None, None, clean_line(stripped))
    if before and lone and len(stripped) <= _LONGEST_PLAIN:
        return _misspelt(stripped) or _counted_noun(stripped) or _plain(stripped, before)
    return None


def _is_adorned(stripped: str) -> bool:
    """Tell a decorated heading, `-- I --`, from speech, which has a dash on one side only."""
    return stripped[0] not in _DASHES or stripped[-1] in _DASHES


def _misspelt(stripped: str) -> Heading | None:
    """Read a line of two words whose second names a division: `Zölftes Kapitel`."""
    words = stripped.split()
    return parse_heading(stripped) if len(words) == 2 and words[1].casefold().rstrip(".") in SURE_DIVISIONS else None


def _counted_noun(stripped: str) -> Heading | None:
    """Read `Problem 4` or `REEL II` alone on its line: any noun may be what a book counts its chapters by."""
    match = _COUNTED_NOUN.fullmatch(stripped)
    numeral = read_numeral(match[2]) if match else None
    if match is None or numeral is None:
        return None
    return Heading(Form.DIVISION, match[1].casefold(), CHAPTER, numeral.value, numeral.system, "")


def _plain(stripped: str, before: int) -> Heading | None:
    if _NOT_A_TITLE.match(stripped):
        return None
    text = clean_line(stripped).strip("#*_ ")
    if not any(map(str.isalpha, text)):
        return None
    if ends_sentence(text.rstrip(".?!") if text.isupper() else text.rstrip("?!") if before > 1 else text):
        return None
    return Heading(Form.PLAIN, "", CHAPTER, None, None, text, style="A" if text.isupper() else "a")


def _names_contents(heading: Heading) -> bool:
    return heading.title.casefold().strip("#*_ .:：[]【】") in CONTENTS_TITLES


def _place(window: Window, heading: Heading, line: str, number: int, at: int, before: int) -> Candidate:
    start = at + len(line) - len(line.lstrip())
    end = at + len(line.rstrip())
    gap = _GAP.match(window.text, end, end + AROUND)
    ended = window.last and gap is not None and gap.end() == len(window.text)
    after = 9 if gap is None or ended else min(gap[0].count("\n") - 1, 9)
    below = window.text[end : end + BELOW]
    title = line_title(line)
    return Candidate(
        heading=heading,
        line=number,
        start=window.offset + start,
        end=window.offset + end,
        before=before,
        after=after,
        indent=start - at,
        title=title,
        more=_more(heading, title, below, window.offset + end, alone=bool(after) or not before),
        interrupts=_interrupts(window.text, start, end),
        lists=heading.form is Form.NAMED and precedes_list(below),
    )


def _more(heading: Heading, title: str, below: str, end: int, *, alone: bool) -> tuple[int, str] | None:
    """Return where a title of several lines ends, and all of it."""
    if heading.form is Form.PLAIN or (heading.title and alone):
        return None
    rest = continued(below) if heading.title else block_below(below)
    return None if rest is None else (end + rest[0], collapse(f"{title} {rest[1]}"))


def _interrupts(text: str, start: int, end: int) -> bool:
    """Tell whether the text before breaks off and the text after goes on in small letters."""
    preceding = text[max(0, start - _NEAR) : start].rstrip()[-1:]
    following = text[end : end + _NEAR].lstrip()[:1]
    return following.islower() and (preceding.islower() or preceding in ",;-")
