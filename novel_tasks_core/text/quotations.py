"""Quotation marks: where each one closes, in spite of apostrophes, and which hold no speech but a word or a title."""

from __future__ import annotations

import re
from typing import Protocol

from attrs import frozen

_LONG_POEM = 1500
_OUTSIDE = frozenset(",.;:!?")
_LONG = 60
_INDENT = 40
_ENDS = frozenset(".,!?…—–-:;‚”\"’'")
_LEADS = frozenset(",:;.!?…—–-“”\"‘’'«»)(_*")
_STRONG = frozenset('.,!?;:—–-…)”"_*')
_ELIDED_WORDS = "tis|twas|twere|twill|twould|em|im|un|ouse|orse|alf|cause|bout|til|gainst|neath|ll|ve|re"
_ELIDED = rf"(?!(?:{_ELIDED_WORDS})\b|\d)"


class Quotations(Protocol):
    """Finds what stands in quotation marks and is spoken."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the spoken stretches, in order, without their marks."""
        ...


def quotations(marks: str, speech: frozenset[str] | None, paragraph_break: str) -> Quotations:
    """Return the finder for a pair of marks.

    By the verbs of speech, words and titles in the same marks are left out; None takes them all for speech.
    """
    end = re.compile(paragraph_break)
    scare = _Scare(speech)
    if marks in ("‘’", "''"):
        return _Single(marks[0], marks[1], end, scare)
    return _Double(marks[0], {"„“": "“”"}.get(marks, marks[1]), end, scare)


@frozen
class _Scare:
    """Tells words and titles in quotation marks from speech."""

    speech: frozenset[str] | None

    def is_speech(self, text: str, opening: int, closing: int) -> bool:
        """Tell whether what stands between two marks is spoken."""
        if self.speech is None or closing - opening > _LONG:
            return True
        said = text[opening + 1 : closing].strip()
        if not said:
            return False
        before = text[max(0, opening - 40) : opening]
        led = before.rstrip()
        if not led or before[len(led) :].count("\n") > 1:
            return True
        if led[-1] in _LEADS:
            return said[-1] in _ENDS or led[-1] in ",:" or said[0].isupper()
        verb = led.split()[-1].strip("(“‘\"'")
        if verb in self.speech:
            return True
        words = said.count(" ") + 1
        if said[-1] in "!?—…-":
            return said[0].isupper()
        return words > (3 if said[-1] in _ENDS else 8) and (said[0].isupper() or words > 8)


@frozen
class _Double:
    """Marks that are nothing else: a speech that is not closed ends with its paragraph."""

    opening: str
    closing: str
    paragraph_end: re.Pattern[str]
    scare: _Scare

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the spoken stretches."""
        spans: list[tuple[int, int]] = []
        straight = self.opening in self.closing
        opener = _opener(self.opening, straight)
        mark = re.compile(f"[{self.opening}{self.closing}]")
        at = 0
        while (opened := opener.search(text, at)) is not None:
            start = opened.start()
            closed = mark.search(text, start + 1)
            ended = self.paragraph_end.search(text, start + 1, closed.start() if closed else len(text))
            if closed is None or ended is not None:
                stop = ended.start() if ended else len(text)
                if closed and self._goes_on(text, closed, stop, straight):
                    at = closed.end()
                    spans.append((start + 1, closed.start()))
                    continue
                spans.append((start + 1, stop))
                at = stop
                continue
            if closed[0] not in self.closing:  # opened anew: the first was not closed
                spans.append((start + 1, closed.start()))
                at = closed.start()
                continue
            if self.scare.is_speech(text, start, closed.start()):
                spans.append((start + 1, closed.start()))
            at = closed.end()
        return spans

    def _goes_on(self, text: str, closed: re.Match[str], stop: int, straight: bool) -> bool:
        """Tell whether a speech goes on behind a blank line, as a poem does, since the next mark closes it."""
        if closed[0] not in self.closing or closed.start() - stop > _LONG_POEM:
            return False
        return not straight or not _opens(text, closed.start())


def _opens(text: str, at: int) -> bool:
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    return not (before and not before.isspace() and (not after or after.isspace() or after in ".,;:!?—-)"))


def _opener(mark: str, straight: bool) -> re.Pattern[str]:
    if straight:
        return re.compile(rf"(?<![\w.,!?;:]){mark}(?=\S)")
    return re.compile(rf"(?<![\w.,!?…]){mark}" if mark in "«»" else mark)  # guillemets point either way


@frozen
class _Single:
    """Marks that are apostrophes too."""

    opening: str
    closing: str
    paragraph_end: re.Pattern[str]
    scare: _Scare

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the spoken stretches."""
        spans: list[tuple[int, int]] = []
        curly = self.opening != self.closing
        opener = re.compile(r"(?<![^\W_])‘(?=\S)" if curly else rf"(?<![\w.,!?;:'\"”])'{_ELIDED}(?=[^\s'.,;:!?)])")
        at = stop = 0
        while (opened := opener.search(text, at)) is not None:
            start = opened.start()
            if start >= stop:
                ended = self.paragraph_end.search(text, start)
                stop = ended.start() if ended else len(text)
            limit, again = self._limit(text, start, stop, opener)
            closing, sure = self._closing(text, start, limit)
            if not sure and self._goes_on(text, start, stop, closing):
                spans.append((start + 1, stop))
                at = stop
            elif closing is not None:
                if self.scare.is_speech(text, start, closing):
                    spans.append((start + 1, closing))
                at = closing + 1
            elif not again and self._is_led(text, start):
                spans.append((start + 1, stop))
                at = stop
            else:
                at = start + 1
        return spans

    def _limit(self, text: str, start: int, stop: int, opener: re.Pattern[str]) -> tuple[int, bool]:
        """Return where another mark opens before the paragraph ends, and whether one does."""
        again = opener.search(text, start + 1, stop)
        return (again.start(), True) if again else (stop, False)

    def _closing(self, text: str, start: int, limit: int) -> tuple[int | None, bool]:
        """Return where the mark closes, and whether that is sure.

        A mark beside punctuation closes. One between letter and blank does, unless a surer one follows.
        """
        first: int | None = None
        at = text.find(self.closing, start + 1, limit)
        while at >= 0:
            if not text[at + 1 : at + 2].isalnum():
                if text[at - 1] in _STRONG or text[at + 1 : at + 2] in _OUTSIDE:
                    return at, True
                first = at if first is None else first
            at = text.find(self.closing, at + 1, limit)
        return first, False

    def _goes_on(self, text: str, start: int, stop: int, closing: int | None) -> bool:
        """Tell whether a speech goes on in the next paragraph: nothing closes it in this one, and that opens anew."""
        if not text[stop : stop + _INDENT].lstrip().startswith(self.opening):
            return False
        return (closing is None or self._is_led(text, start)) and not self._closing(text, start, stop)[1]

    def _is_led(self, text: str, start: int) -> bool:
        """Tell whether a mark that never closes opens a speech: it begins a paragraph, or follows a comma."""
        before = text[max(0, start - 40) : start]
        led = before.rstrip()
        return not led or before[len(led) :].count("\n") > 1 or led[-1] in ",:—"
