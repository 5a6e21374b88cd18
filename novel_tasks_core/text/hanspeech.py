"""What is spoken in a Chinese or Japanese novel: quotations, told from quoted words and names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import field, frozen

from novel_tasks_core.text.hanlines import HAN, is_wrapped
from novel_tasks_core.text.tags import base_language

_PAIRS = ("“”", "「」", "『』", '""', "＂＂", "«»")
_CLOSINGS = {"”": '”"＂'}
"""Careless printing closes “ with the straight mark."""
_SPOKEN_INSIDE = re.compile("[，。！？!?…～~—―,；]")
_VERB = "曰道说說问問答喊喝骂罵笑叹嘆嚷吼"
_SAID_BEFORE = re.compile(rf"(?:[：:]|[{_VERB}][，,]?)\s*\Z")
_SAID_AFTER = re.compile(rf"[{HAN}]{{0,8}}?[{_VERB}](?![{HAN}：:])")
_CALLED = "(?:って|と)(?:いう|云う|言う|いった風|呼|書|題)"
_SAID_AFTER_JAPANESE = re.compile(rf"\s*(?!{_CALLED})(?:って|と)")
_CALLED_SO = re.compile(rf"\s*{_CALLED}")
_LINE_BEFORE = re.compile(r"(?:\A|\n)\s*\Z")
_NEAR = 14
_LEAST_SPEECHES = 4


@frozen
class HanSpeech:
    """The way a book marks speech: a pair of quotation marks, in lines that may be broken within a paragraph."""

    marks: str
    language: str
    wrapped: bool = False
    _pattern: re.Pattern[str] = field(init=False, eq=False, repr=False)

    @_pattern.default
    def _quoted(self) -> re.Pattern[str]:
        opening, closing = self.marks[0], self.marks[1]
        closings = _CLOSINGS.get(closing, closing)
        inside = rf"[^{opening}{closings}\n]" + (r"|\n(?=\S)" if self.wrapped else "")
        nested = rf"|{opening}[^{opening}{closings}\n]*+[{closings}]" if opening != closing else ""
        return re.compile(rf"{opening}((?:{inside}{nested})*+)(?:[{closings}]|(?=[\n{opening}])|\Z)")

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where somebody speaks, in order, without the marks.

        A quotation that is not closed ends with its paragraph. Quoted words, names and titles are no speech.
        """
        return list(self._speeches(text))

    def _speeches(self, text: str) -> Iterator[tuple[int, int]]:
        japanese = self.language == "ja"
        for match in self._pattern.finditer(text):
            start, end = match.span(1)
            if start < end and (
                _SPOKEN_INSIDE.search(text, start, end)
                or _said_beside(text, match.start(), match.end(), japanese=japanese)
            ):
                yield start, end


def _said_beside(text: str, start: int, end: int, *, japanese: bool) -> bool:
    """Tell whether what stands beside a quotation of a word or two says that somebody speaks."""
    before = max(0, start - _NEAR)
    if _LINE_BEFORE.search(text, before, start) or start == 0:
        if japanese:
            return not _CALLED_SO.match(text, end)
        return text[end : end + 1] in ("", "\n") or bool(_SAID_AFTER.match(text, end))
    if japanese:
        return bool(_SAID_AFTER_JAPANESE.match(text, end))
    return bool(_SAID_BEFORE.search(text, before, start))


def han_speech(sample: str, language: str) -> HanSpeech | None:
    """Return how a Chinese or Japanese book marks speech, by the marks that hold most of it in a sample.

    None for a book with hardly any: where speech only follows 曰, as in old prints, nothing shows its end.
    """
    wrapped, base = is_wrapped(sample), base_language(language)
    best: tuple[int, HanSpeech] | None = None
    for marks in _PAIRS:
        if marks[0] not in sample or (marks == '""' and 2 * sample.count("“") > sample.count('"')):
            continue
        speech = HanSpeech(marks, base, wrapped)
        spans = speech.spans(sample)
        covered = sum(end - start for start, end in spans)
        if len(spans) >= _LEAST_SPEECHES and (best is None or covered > best[0]):
            best = covered, speech
    return best[1] if best else None
