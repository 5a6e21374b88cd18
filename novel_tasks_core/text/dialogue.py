"""How much of a text is spoken: the quotation marks or dashes that a book uses for speech, and what lies between."""

from __future__ import annotations

import re

from attrs import frozen

from novel_tasks_core.text.tags import base_language

_LINE_BREAK = r"\n(?![^\S\n]*\n)"
_QUOTES: dict[str, str] = {
    "“”": rf"“(?:[^“”\n]|{_LINE_BREAK})*+(?:”|(?=[\n“])|\Z)",
    '""': rf'"(?:[^"\n]|{_LINE_BREAK})*+(?:"|(?=\n)|\Z)',
    "‘’": r"(?<![^\W_])‘(?:[^‘’]|’(?=[^\W_]))*+’",
    "''": rf"(?<![^\W_])'(?=[^\s'])(?:[^'\n]|{_LINE_BREAK}|(?<![.,!?;:—–-])')*+(?:'|(?=\n)|\Z)",
    "«»": rf"«(?:[^«»\n]|{_LINE_BREAK})*+(?:»|(?=[\n«])|\Z)",
    "»«": rf"»(?:[^«»\n]|{_LINE_BREAK})*+(?:«|(?=[\n»])|\Z)",
    "„“": r"„[^„“”]*+[“”]",
    "「」": r"「[^「」]*+」",
    "『』": r"『[^『』]*+』",
}
_PATTERNS = {style: re.compile(pattern) for style, pattern in _QUOTES.items()}
_DASH_PARAGRAPH = re.compile(
    r"^[^\S\n]*(?:—|–|―|--)[^\S\n]*(?=\S)((?:[^\n]|\n(?![^\S\n]*(?:\n|—|–|―|--)))*+)", re.MULTILINE
)
_DASH_BREAK = re.compile(r"\s*(?:—|–|―|(?<![-\w])--(?![-\w]))\s*")
_DASH = "—"
_BY_LANGUAGE = {
    "en": ("“”", '""', "‘’", "''"),
    "fr": ("«»", _DASH, "“”", '""'),
    "de": ("»«", "„“", "«»", "“”", '""'),
    "es": (_DASH, "«»", "“”", '""'),
    "it": ("«»", "“”", _DASH, '""'),
    "pt": (_DASH, "«»", "“”", '""'),
    "nl": ("“”", "„“", "‘’", '""'),
    "ru": (_DASH, "«»", '""'),
    "uk": (_DASH, "«»", '""'),
    "pl": (_DASH, "„“", '""'),
    "sv": (_DASH, "“”", '""', "»«"),
    "zh": ("“”", "「」", "『』", '""'),
    "ja": ("「」",),
    "ko": ("“”", '""', "「」"),
}
_LEAST_SPEECHES = 4
_SAMPLE = 200_000


@frozen
class DialogueStyle:
    """How a book marks speech: a pair of quotation marks, or "—"."""

    marks: str
    language: str

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where somebody speaks, in order, without the marks."""
        spans, at = [], 0
        for speech in _speeches(text, self.marks, self.language):
            start = text.index(speech, at)
            at = start + len(speech)
            spans.append((start, at))
        return spans


def dialogue_style(text: str, language: str) -> DialogueStyle | None:
    """Return how a book marks speech, None for a language or a book whose way is not known.

    Of the ways usual in the language the one that covers most of a sample counts.
    """
    base = base_language(language)
    middle = max(0, len(text) // 2 - _SAMPLE // 2)
    sample = text[middle : middle + _SAMPLE]
    best: tuple[int, str] | None = None
    for marks in _BY_LANGUAGE.get(base, ()):
        speeches = _speeches(sample, marks, base)
        covered = sum(map(len, speeches))
        if len(speeches) >= _LEAST_SPEECHES and (best is None or covered > 1.5 * best[0]):
            best = (covered, marks)
    return DialogueStyle(best[1], base) if best else None


def dialogue_characters(text: str, style: DialogueStyle) -> int:
    """Count the characters of a text that are spoken, without their marks and without blanks."""
    spoken = "".join(_speeches(text, style.marks, style.language))
    return len("".join(spoken.split()))


def _speeches(text: str, marks: str, language: str) -> list[str]:
    if marks == _DASH:
        return [speech for paragraph in _DASH_PARAGRAPH.findall(text) for speech in _spoken(paragraph, language)]
    return [speech.strip(marks) for speech in _PATTERNS[marks].findall(text)]


def _spoken(paragraph: str, language: str) -> list[str]:
    """Leave out what the narrator says between the dashes of a speech; French does not mark it."""
    return [paragraph] if language == "fr" else _DASH_BREAK.split(paragraph)[::2]
