"""Read one line as a heading: which division it names, its number and its title. Knows nothing of its neighbours."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from novel_tasks_core.text import vocabulary
from novel_tasks_core.text.forms import Form, Heading
from novel_tasks_core.text.hanheadings import HAN_FIRST, parse_han_heading
from novel_tasks_core.text.numberwords import LAST, number_words
from novel_tasks_core.text.numerals import (
    Numeral,
    NumeralSystem,
    fold_width,
    read_arabic,
    read_misprinted,
    read_numeral,
    read_roman,
    read_words,
)
from novel_tasks_core.text.vocabulary import CHAPTER

LONGEST_HEADING = 250
"""Lines of more characters are never headings."""


_SHORT_TITLE = 50
_ARTICLES_TOO = frozenset(["one", "un", "une", "ein", "eine", "uno", "una", "um", "uma", "один", "одна"])
"""Numbers that count nothing before a noun: UNE LETTRE."""
_LETTERSPACED = re.compile(r"(?<!\S)(?:[^\W\d_] ){2,}[^\W\d_](?![^\W\d_])")
_DECORATION = "#*_=~•☆★◆◇■□●○▲△※+|.·-–—―─ \t\u3000"
_BRACKETS = {
    "(": ")",
    "[": "]",
    "{": "}",
    "【": "】",
    "〔": "〕",
    "「": "」",
    "『": "』",
    "《": "》",
    "〈": "〉",
    "<": ">",
    "（": "）",
}
_WORD = re.compile(r"[^\W\d_]+(?:['’´][^\W\d_]+)?")
_SEPARATOR = re.compile(r"\s*[.:;,)\]、。，：．·•—–―─\-]+\s*|\s{2,}|\s*$|\s+")
_STOP = re.compile(r"[.:;)\]、：．—–―─\-]")
_SENTENCE_ENDS = frozenset(',;，；、.。！？!?…”’"»」』')
_ORDINAL_ENDING = re.compile(
    r"(?:\.?\s*(?:st|nd|rd|th|er|ère|ere|re|ème|eme|e|º|ª|°|o|a|я|й|ая|-я|-й|-ая|-ый|-ой)\b\.?|\.)", re.IGNORECASE
)
_NUMBER_SIGN = re.compile(r"(?:№|n[°ºo]\.?|no\.|nr\.?|num\.|#)\s*", re.IGNORECASE)
_ROMAN_LETTERS = frozenset("ivxlcdmіхсму")
_NAME_BEGINNINGS = frozenset(name[:2] for name in vocabulary.NAMED_HEADINGS) | frozenset(
    name + separator for name in vocabulary.NAMED_HEADINGS if len(name) == 1 for separator in " :.\u3000"
)
_AOZORA_NOTE = re.compile(r"［＃[^］\n]{0,200}］|《[^》\n]{0,60}》|｜")


def parse_heading(line: str) -> Heading | None:
    """Read a line, stripped of its newline, as a heading; None when it cannot be one.

    Unnumbered titles are not recognised here: they need their surroundings.
    """
    text = clean_line(line)
    if not text or len(text) > LONGEST_HEADING:
        return None
    bare, style = _undress(text)
    if not bare:
        return None
    first = bare[0]
    if (
        first in HAN_FIRST
        or bare.startswith("VIP")
        or not (first.isascii() or unicodedata.category(first) in ("Lu", "Ll"))
    ):
        found = parse_han_heading(bare, style)
        return found or _parse_named(bare)
    return _parse_division(bare) or _parse_numbered(bare, style) or _parse_named(bare)


def clean_line(line: str) -> str:
    """Return what a reader sees of a line: Aozora notes and readings taken out, widths folded, stripped."""
    text = line.strip()
    if text[1:2] == " " and text[3:4] == " ":
        text = _LETTERSPACED.sub(lambda match: match[0].replace(" ", ""), text)
    if text.isascii():
        return text
    if "［＃" in text or "《" in text or "｜" in text:
        text = _AOZORA_NOTE.sub("", text)
    return fold_width(text).strip()


def collapse(text: str) -> str:
    """Return the text in one line: runs of white space as one space, control characters dropped."""
    shown = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    return " ".join(shown.split())


def may_begin_heading(word: str, line: str) -> bool:
    """Tell whether a line with this first word (casefolded) could be a numbered or named heading."""
    if word in vocabulary.ARTICLES:
        following = line[len(word) :].split(None, 1)
        second = _WORD.match(following[0]) if following else None
        word = second[0].casefold() if second else ""
    return word in _first_words() or (len(word) <= 9 and _ROMAN_LETTERS.issuperset(word))


@cache
def _first_words() -> frozenset[str]:
    starts = {re.split(r"[\W_]", word.casefold())[0] for word, _ in number_words()}
    starts |= {re.split(r"[\W_]", name)[0] for name in vocabulary.NAMED_HEADINGS}
    return frozenset(starts | set(vocabulary.DIVISION_RANKS))


def _undress(text: str) -> tuple[str, str]:
    """Take decorations off: `* I *`, `-- 1 --`, `## Title ##`, `[3]`, `【第一章】`. A lone leading dash is speech."""
    bare = text
    if bare[0] in "-–—―─" and bare[-1] not in "-–—―─":
        return "", ""
    bare = bare.strip(_DECORATION) if bare[0] in _DECORATION or bare[-1] in "*_=~#-–—|" else bare
    if bare and bare[0] in _BRACKETS:
        opening, closing = bare[0], _BRACKETS[bare[0]]
        end = bare.find(closing)
        if end > 0:
            return (bare[1:end].strip() + " " + bare[end + 1 :].strip()).strip(), opening
    return bare, ""


def _parse_division(text: str) -> Heading | None:
    """Read `CHAPTER I. Title`, `Part the First`, `Erstes Kapitel`, `2e partie: Title`."""
    match = _WORD.match(text)
    word = match[0].casefold() if match else ""
    if match and word in vocabulary.ARTICLES and " " in text:
        start = match.end() + 1
        inner = _WORD.match(text, start)
        return _ordinal_first(text[start:]) if inner else None
    rank = vocabulary.DIVISION_RANKS.get(word)
    if match is None or rank is None:
        return _ordinal_first(text)
    rest = text[match.end() :]
    if word in vocabulary.ABBREVIATIONS:
        rest = rest.removeprefix(".")
    rest = rest.lstrip(" \t.:—–-")
    article = _WORD.match(rest)
    if article and article[0].casefold() in vocabulary.ARTICLES and " " in rest:
        rest = rest[article.end() :].lstrip()
    rest = _NUMBER_SIGN.sub("", rest, count=1) if _NUMBER_SIGN.match(rest) else rest
    undressed, _ = _undress(rest) if rest and rest[0] in "([{_*" else (rest, "")
    numeral = read_misprinted(undressed) if word in vocabulary.SURE_DIVISIONS else None
    numeral = numeral or read_numeral(undressed)
    if numeral is None:
        return _ordinal_first(text) or _misspelt_number(text, word, rest)
    title, neat = _title_after(undressed, numeral.end)
    chapter = _parse_division(title) if rank == vocabulary.PART and title else None
    if chapter is not None and chapter.rank == CHAPTER and chapter.word in vocabulary.SURE_DIVISIONS:
        return chapter
    return Heading(Form.DIVISION, word, rank, _known(numeral), numeral.system, title, neat, _case(text))


def _ordinal_first(text: str) -> Heading | None:
    if text[0].islower():
        return None
    numeral = read_words(text) or read_roman(text) or read_arabic(text)
    if numeral is None:
        return _misspelt_ordinal(text)
    if text[: numeral.end].casefold() in _ARTICLES_TOO:
        return None
    rest = text[numeral.end :]
    ending = _ORDINAL_ENDING.match(rest) if numeral.system is not NumeralSystem.WORD else None
    rest = (rest[ending.end() :] if ending else rest).lstrip()
    match = _WORD.match(rest)
    rank = vocabulary.DIVISION_RANKS.get(match[0].casefold()) if match else None
    if match is None or rank is None:
        return None
    title, neat = _title_after(rest, match.end())
    stopped = _STOP.match(rest[match.end() :].lstrip()[:1])
    if title and not (title[0].isupper() and (stopped or numeral.system is NumeralSystem.WORD)):
        return None
    says_order = numeral.system is NumeralSystem.WORD or (ending is not None and ending[0] != ".")
    if not says_order and match[0].casefold() not in vocabulary.SURE_DIVISIONS:
        return None
    return Heading(Form.DIVISION, match[0].casefold(), rank, _known(numeral), numeral.system, title, neat, _case(text))


def _known(numeral: Numeral) -> int | None:
    """Return the number, None for that of CHAPTER THE LAST."""
    return None if numeral.value == LAST else numeral.value


def _misspelt_ordinal(text: str) -> Heading | None:
    """Accept `Zölftes Kapitel`: two words, the second a sure division; its number is left open."""
    words = text.rstrip(".").split()
    if (
        len(words) != 2
        or words[1].casefold() not in vocabulary.SURE_DIVISIONS
        or not words[0].isalpha()
        or len(words[0]) < 4
    ):
        return None
    word = words[1].casefold()
    return Heading(
        Form.DIVISION, word, vocabulary.DIVISION_RANKS[word], None, NumeralSystem.WORD, "", False, _case(text)
    )


def _misspelt_number(text: str, word: str, rest: str) -> Heading | None:
    """Accept `CHAPTER FIVTEEN`: a sure division and one word; its number is left open."""
    if word not in vocabulary.SURE_DIVISIONS or not rest.rstrip(".").isalpha() or len(rest) < 4 or rest[0].islower():
        return None
    return Heading(
        Form.DIVISION, word, vocabulary.DIVISION_RANKS[word], None, NumeralSystem.WORD, "", False, _case(text)
    )


def _title_after(text: str, end: int) -> tuple[str, bool]:
    """Return the title after a number that ends at `end`, and whether the line is a neat heading."""
    rest = text[end:]
    if not rest.strip():
        return "", True
    match = _SEPARATOR.match(rest)
    if match is None:
        return rest.strip(), False
    title = rest[match.end() :].strip()
    if not title:
        return "", True
    separated = bool(match[0].strip()) or len(match[0]) > 1
    comma = match[0].strip() in (",", "，")
    prose = title[0].islower() and (comma or not separated)
    return title, not prose and not (comma and not title.isupper() and not title[0].isupper())


def _parse_numbered(text: str, style: str) -> Heading | None:
    """Read a bare numeral, or a numeral and a title: `XIV`, `7.`, `Twelve`, `I. A SCANDAL`."""
    numeral = read_numeral(text)
    if numeral is None:
        return None
    rest = text[numeral.end :].strip(" \t.:)]}—–-―─,*_=~°ºª")
    if not rest:
        return Heading(Form.BARE, "", CHAPTER, numeral.value, numeral.system, "", style=style + _case(text))
    return _titled(text, numeral, style)


def _titled(text: str, numeral: Numeral, style: str) -> Heading | None:
    title, neat = _title_after(text, numeral.end)
    after = text[numeral.end : numeral.end + 3]
    stopped = bool(_STOP.match(after.lstrip()[:1])) or after.startswith("  ") or bool(style)
    if not title or not (title[0].isupper() or title[0] in "\"'“‘«¿¡([" or not title[0].isascii()) or not neat:
        return None
    if not stopped and not title.isupper() and numeral.system is NumeralSystem.WORD:
        return None
    if numeral.system is NumeralSystem.ARABIC and after[:1] == "." and title[:1].isdigit():
        return None
    mark = "." if stopped else ""
    return Heading(
        Form.TITLED,
        "",
        CHAPTER,
        numeral.value,
        numeral.system,
        title,
        not ends_sentence(title.rstrip(".") if title.isupper() or len(title) <= _SHORT_TITLE else title),
        style + mark + _case(title),
    )


def _parse_named(text: str) -> Heading | None:
    """Read `PROLOGUE`, `Epilogue: The Return`, `楔子 …` and their like."""
    folded = text.casefold().replace("’", "'")
    name = folded.rstrip(" .:。：,")
    kind = vocabulary.NAMED_HEADINGS.get(name)
    if kind:
        return Heading(Form.NAMED, name, CHAPTER, None, None, "", style=kind)
    if folded[:2] not in _NAME_BEGINNINGS:
        return None
    head, separator, title = _split_name(folded)
    kind = vocabulary.NAMED_HEADINGS.get(head) if separator and len(title) <= 60 else None
    if kind is None or ends_sentence(title):
        return None
    return Heading(Form.NAMED, head, CHAPTER, None, None, title, style=kind)


def _split_name(text: str) -> tuple[str, str, str]:
    match = re.search(r"\s*[:：.—–]\s*|\s{2,}", text)
    if match is None and not text.isascii():
        match = re.search(r"\s+", text)
    if match is None:
        return text, "", ""
    return text[: match.start()], match[0] or " ", text[match.end() :]


def ends_sentence(text: str) -> bool:
    """Tell whether a text ends as sentences do rather than titles."""
    return text.rstrip()[-1:] in _SENTENCE_ENDS


def _case(text: str) -> str:
    """Return "A" for a text in capitals, "a" for any other: chapters of a book are set alike."""
    return "A" if text.isupper() else "a"
