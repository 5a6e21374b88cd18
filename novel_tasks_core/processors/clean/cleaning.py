"""The cleaning of one section: its characters, its junk, its line breaks; every change goes into the log."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import Enum

from attrs import define, field, frozen

from novel_tasks_core.processors.clean.changes import ChangeLog
from novel_tasks_core.processors.clean.characters import Mending, mended, plain_newlines, without_trailing
from novel_tasks_core.processors.clean.rules import JunkRule, Screen
from novel_tasks_core.text.layout import Layout, join_lines
from novel_tasks_core.text.paragraphs import Kind, is_plainly_wrapped, paragraphs, whole_paragraphs

_LICENCE = re.compile(r"(?:\*\*\* ?(START|END) OF (?:THE|THIS) )?PROJECT GUTENBERG E(?:BOOK|TEXT)", re.IGNORECASE)

MOST_BLANK = 3
"""How many blank lines in a row are kept."""

Convert = Callable[[str], str]


class Part(Enum):
    """What is cleaned: a chapter, which begins with its heading; text without one; or front and back matter.

    Of the last only characters and blank lines are mended: title pages are set line by line, and a licence
    must be passed on whole.
    """

    CHAPTER = 1
    BODY = 2
    MATTER = 3


@frozen(kw_only=True)
class Manner:
    """How a whole book is cleaned.

    `layout` is set where wrapped lines are to be joined; `repeated` are the lines to drop wherever they
    stand alone; `convert` changes the script. In Markdown blanks at the end of a line stay: two of them break it.
    """

    mending: Mending
    rules: tuple[JunkRule, ...]
    repeated: frozenset[str] = frozenset()
    layout: Layout | None = None
    convert: Convert | None = None
    markdown: bool = False
    screen: Screen = field(init=False, repr=False)

    @screen.default
    def _screen(self) -> Screen:
        return Screen(self.rules)


@define
class Cleaner:
    """Cleans a book section by section.

    `line` is the number of the source's next line; `blank` and `open` say how what was put out ends: with so
    many blank lines, or in the middle of a line.
    """

    manner: Manner
    line: int = 1
    blank: int = MOST_BLANK
    open: bool = False
    licence: bool = False
    checksum: int = 0
    log: ChangeLog = field(factory=ChangeLog)

    def cleaned(self, pieces: Iterable[str], *, part: Part) -> Iterator[str]:
        """Yield the clean text of one section, chunk by chunk."""
        layout = self.manner.layout
        for chunk in whole_paragraphs(self._plain(pieces), layout or Layout(gap=0)):
            yield self._chunk(chunk, layout, part)
            part = Part.BODY if part is Part.CHAPTER else part

    def _plain(self, pieces: Iterable[str]) -> Iterator[str]:
        """Yield pieces whose line ends are line feeds, a pair of them never cut in two."""
        held = ""
        for piece in pieces:
            text = held + piece
            held = "\r" if text.endswith("\r") else ""
            yield plain_newlines(text[: len(text) - len(held)], self.log)
        if held:
            yield plain_newlines(held, self.log)

    def _chunk(self, text: str, layout: Layout | None, part: Part) -> str:
        manner, line = self.manner, self.line
        self.line += text.count("\n")
        text = mended(text, line, self.log, manner.mending)
        text = text if manner.markdown else without_trailing(text, self.log)
        numbers: list[int] | range = range(line, self.line + 1)
        if part is not Part.MATTER and not self._is_licence(text):
            text, numbers = self._without_junk(text, line)
            if layout is not None:
                text, numbers = self._unwrapped(text, layout, numbers, headed=part is Part.CHAPTER)
        if manner.convert is not None and not text.isascii():
            text = self._converted(text, manner.convert, numbers)
        return self._without_blank_lines(text)

    def _is_licence(self, text: str) -> bool:
        """Tell a distributor's header or licence, also where no heading parts it from the book.

        So is all that follows the end of the book, up to the beginning of another one in the same file.
        """
        was = self.licence
        if "GUTENBERG" not in text and "Gutenberg" not in text:
            return was
        for found in _LICENCE.finditer(text):
            was = True
            if found[1]:
                self.licence = found[1].upper() == "END"
        return was or self.licence

    # -- junk -------------------------------------------------------------------------------------------------

    def _without_junk(self, text: str, line: int) -> tuple[str, list[int] | range]:
        """Return the text without junk, and the number of the source line that each of its lines was."""
        spans = self._junk_spans(text)
        if not spans and not self._has_repeated(text):
            return text, range(line, line + text.count("\n") + 1)
        *lines, rest = text.split("\n")
        kept: list[str] = []
        numbers: list[int] = []
        start, dropped = 0, False
        for number, old in enumerate(lines, start=line):
            new = self._judged(old, number, spans.get(start, ()))
            start += len(old) + 1
            if new is None:
                dropped = True
                continue
            if old or not dropped or (kept and kept[-1]):  # else one of the blank lines around it goes along
                kept.append(new)
                numbers.append(number)
            dropped = False
        last = self._judged(rest, line + len(lines), spans.get(start, ())) if rest else rest
        return "\n".join([*kept, last or ""]), [*numbers, line + len(lines)]

    def _junk_spans(self, text: str) -> dict[int, list[JunkRule]]:
        """Return the rules that have to do with a line, by its offset."""
        folded = text.lower()
        if len(folded) != len(text):
            folded = "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
        found: dict[int, list[JunkRule]] = {}
        for rule in self.manner.screen.worth_a_look(folded):
            for start, end in rule.lines_of_interest(text, folded):
                old = text[start:end]
                if old and rule.cleaned(old) != old:
                    found.setdefault(start, []).append(rule)
        return found

    def _has_repeated(self, text: str) -> bool:
        return any(line in text for line in self.manner.repeated)

    def _judged(self, old: str, number: int, rules: Iterable[JunkRule]) -> str | None:
        """Return what is left of a line, None when it goes."""
        new: str | None = old
        for rule in rules:
            before, new = new or "", rule.cleaned(new or "")
            if new and new != before and not self.manner.markdown:
                new = new.rstrip(" \t\u3000")
            if new is None or (new != before and not new.strip()):
                self.log.note("junk", number, before, None, rule=rule.id)
                return None
            if new != before:
                self.log.note("junk", number, before, new, rule=rule.id)
        if new and new.strip() in self.manner.repeated:
            self.log.note("repeated", number, new, None)
            return None
        return new

    # -- lines ------------------------------------------------------------------------------------------------

    def _unwrapped(
        self, text: str, layout: Layout, numbers: list[int] | range, *, headed: bool
    ) -> tuple[str, list[int]]:
        """Join the wrapped lines of paragraphs; blank lines between them stay, and so does the heading.

        Returned is also which line of the source each line of the text begins with.
        """
        lines = text.split("\n")
        out: list[str] = []
        firsts: list[int] = []
        at = 0
        while at < len(lines):
            if not lines[at].strip():
                out.append("")
                firsts.append(numbers[at])
                at += 1
                continue
            end = at
            while end < len(lines) and lines[end].strip():
                end += 1
            if headed:
                out += lines[at:end]
                firsts += numbers[at:end]
                headed = False
            else:
                joined, begun = self._joined(lines[at:end], layout, numbers[at:end])
                out += joined
                firsts += begun
            at = end
        return "\n".join(out), firsts

    def _joined(
        self, block: list[str], layout: Layout, numbers: list[int] | range
    ) -> tuple[list[str], list[int] | range]:
        """Return the lines of a block that has no blank one, those of each paragraph of prose joined."""
        if len(block) == 1:
            return block, numbers
        if is_plainly_wrapped(block, layout):
            joined = [block[0][: len(block[0]) - len(block[0].lstrip())] + join_lines(block)]
            self.log.note("unwrapped", numbers[0], "\n".join(block[:3]), joined[0], number=len(block) - 1)
            return joined, numbers[:1]
        out: list[str] = []
        firsts: list[int] = []
        at = 0
        joining = False
        for paragraph in paragraphs("\n".join(block), layout):
            old = block[at : at + paragraph.taken]
            at += paragraph.taken
            if paragraph.continued:  # a part of one too long for a page, which this is not
                out[-1] += paragraph.lines[0] if joining else ""
                continue
            joining = paragraph.kind is Kind.PROSE and paragraph.taken > 1
            if joining:
                out.append(old[0][: len(old[0]) - len(old[0].lstrip())] + paragraph.lines[0])
                firsts.append(numbers[at - paragraph.taken])
                self.log.note("unwrapped", firsts[-1], "\n".join(old[:3]), out[-1], number=paragraph.taken - 1)
            else:
                out += old
                firsts += numbers[at - paragraph.taken : at]
        return out, firsts

    def _without_blank_lines(self, text: str) -> str:
        """Leave at most `MOST_BLANK` blank lines in a row, counted over the ends of chunks."""
        if "\n" * (MOST_BLANK + 2) not in text and text[:1] != "\n":
            newlines = len(text) - len(text.rstrip("\n"))
            if text:
                self.blank, self.open = max(0, newlines - 1), not newlines
            return text
        *whole, rest = text.split("\n")
        kept: list[str] = []
        for line in whole:
            self.blank = 0 if line or self.open else self.blank + 1
            self.open = False
            if self.blank <= MOST_BLANK:
                kept.append(line + "\n")
        self.log.count("blank_lines", len(whole) - len(kept))
        if rest:
            self.blank, self.open = 0, True
        return "".join(kept) + rest

    def _converted(self, text: str, convert: Convert, numbers: list[int] | range) -> str:
        """Change the script when lines are whole: what a character becomes may hang on the next one."""
        converted = convert(text)
        if converted != text:
            for number, before, after in zip(numbers, text.split("\n"), converted.split("\n"), strict=False):
                if before != after:
                    self.log.note("script", number, before, after)
        return converted
