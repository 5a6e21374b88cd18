"""How much of a text is spoken: the quotation marks or dashes that a book uses for speech, and what lies between."""

from __future__ import annotations

import re
from functools import cache

from attrs import evolve, frozen

from novel_tasks_core.text.blocks import BLANK_LINE, paragraph_breaks
from novel_tasks_core.text.hanspeech import HanSpeech, han_speech
from novel_tasks_core.text.incises import cut_incises, has_incises
from novel_tasks_core.text.namewords import name_words
from novel_tasks_core.text.quotations import Quotations, quotations
from novel_tasks_core.text.tags import base_language, has_spaced_words

_DASH = "—"
_DASH_BREAK = re.compile(r"\s*(?:—|–|―|(?<![-\w])--(?![-\w]))\s*")
_BY_LANGUAGE = {
    "en": ("“”", '""', "‘’", "''", _DASH),
    "fr": ("«»", _DASH, "“”", '""'),
    "de": ("»«", "„“", "«»", "“”", '""', "''"),
    "es": (_DASH, "«»", "“”", '""'),
    "it": ("«»", "“”", _DASH, '""'),
    "pt": (_DASH, "«»", "“”", '""'),
    "nl": ("“”", "„“", "‘’", '""', "''", _DASH),
    "ru": (_DASH, "«»", '""'),
    "uk": (_DASH, "«»", '""'),
    "pl": (_DASH, "„“", '""'),
    "cs": ("„“", "»«", '""', _DASH),
    "hu": (_DASH, "„“", '""'),
    "ro": (_DASH, "„“", '""'),
    "sv": (_DASH, "“”", '""', "»«"),
    "no": (_DASH, "«»", "“”", '""'),
    "da": ("»«", _DASH, "“”", '""', "„“"),
    "fi": (_DASH, "“”", '""', "»«"),
    "ca": (_DASH, "«»", "“”", '""'),
    "ko": ("“”", '""', "「」"),
}
_HAN = frozenset({"zh", "ja"})
_MIXING = frozenset({"fr", "es", "it", "pt", "ca", "ro"})
_LEAST_SPEECHES = 4
_MUCH = 1.05
_SAMPLE = 200_000

Span = tuple[int, int]


@frozen
class DialogueStyle:
    """How a book marks speech: a pair of quotation marks, or "—"; and where its paragraphs end, as a regex.

    With `dashes`, quotation marks and paragraphs that begin with a dash are both speech.
    """

    marks: str
    language: str
    paragraph_break: str = BLANK_LINE
    dashes: bool = False

    def spans(self, text: str) -> list[Span]:
        """Return where somebody speaks, in order, without the marks and without what the narrator puts between."""
        if self.marks == _DASH:
            spans = _after_dashes(text, self.language, self.paragraph_break)
        else:
            spans = _finder(self.marks, self.language, self.paragraph_break).spans(text)
            if self.dashes:
                spans = _united(spans, _after_dashes(text, self.language, self.paragraph_break))
        return cut_incises(text, spans, self.language) if has_incises(self.language, self.marks) else spans


def dialogue_style(text: str, language: str) -> DialogueStyle | HanSpeech | None:
    """Return how a book marks speech, None for a language or a book whose way is not known.

    Of the ways usual in the language the one that covers most of a sample counts.
    """
    base = base_language(language)
    middle = max(0, len(text) // 2 - _SAMPLE // 2)
    sample = text[middle : middle + _SAMPLE]
    if base in _HAN:
        return han_speech(sample, language)
    paragraph_break = paragraph_breaks(sample)
    best: tuple[int, DialogueStyle] | None = None
    for marks in _BY_LANGUAGE.get(base, ()):
        style = DialogueStyle(marks, base, paragraph_break)
        spans = style.spans(sample)
        covered = sum(end - start for start, end in spans)
        if len(spans) >= _LEAST_SPEECHES and (best is None or covered > 1.5 * best[0]):
            best = (covered, style)
    if best is None:
        return None
    style = best[1]
    both = evolve(style, dashes=True)
    if base in _MIXING and style.marks != _DASH and _covered(both, sample) > _MUCH * best[0]:
        return both
    return style


def _covered(style: DialogueStyle, sample: str) -> int:
    return sum(end - start for start, end in style.spans(sample))


def _united(spans: list[Span], more: list[Span]) -> list[Span]:
    """Return all that one or the other has."""
    united: list[Span] = []
    for start, end in sorted(spans + more):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return united


def dialogue_characters(text: str, style: DialogueStyle | HanSpeech) -> int:
    """Count the characters of a text that are spoken, without their marks and without blanks."""
    spoken = "".join([text[start:end] for start, end in style.spans(text)])
    return len("".join(spoken.split()))


def spoken_spans(text: str, language: str) -> list[Span]:
    """Return where somebody speaks in a whole text, in characters; nothing if it is not known how it marks speech."""
    style = dialogue_style(text, language)
    return style.spans(text) if style else []


@cache
def _finder(marks: str, language: str, paragraph_break: str) -> Quotations:
    speech = name_words(language).speech if has_spaced_words(language) else None
    return quotations(marks, speech, paragraph_break)


@cache
def _dash_paragraph(paragraph_break: str) -> re.Pattern[str]:
    """Match a paragraph that begins with a dash; what it holds is its group."""
    dash = r"[^\S\n]*(?:—|–|―|--|-(?=[^\S\n]))[^\S\n]*(?=[^\s—–-])"
    return re.compile(rf"^{dash}((?:[^\n]|(?!{paragraph_break})\n(?!{dash}))*+)", re.MULTILINE)


def _after_dashes(text: str, language: str, paragraph_break: str) -> list[Span]:
    """Leave out what the narrator says between the dashes of a speech; French and English do not mark it."""
    spans: list[Span] = []
    for paragraph in _dash_paragraph(paragraph_break).finditer(text):
        start, end = paragraph.span(1)
        if language in ("fr", "en"):
            spans.append((start, end))
            continue
        speaking = True
        for pause in _DASH_BREAK.finditer(text, start, end):
            if speaking:
                spans.append((start, pause.start()))
            speaking, start = not speaking, pause.end()
        if speaking and start < end:
            spans.append((start, end))
    return [(start, end) for start, end in spans if start < end]
