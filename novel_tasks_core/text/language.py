"""Name the language of a text: by its script, then by characters or small words that only it uses."""

from __future__ import annotations

import re
from collections import Counter

from novel_tasks_core.text.boilerplate import body_span
from novel_tasks_core.text.hanvariants import SIMPLIFIED, TRADITIONAL
from novel_tasks_core.text.passages import Text
from novel_tasks_core.text.stopwords import CYRILLIC, LATIN, Vocabulary, spelled_out

_WHOLE = 32_000
_SLICE = 3_000
_SLICES = 11
_SCRIPTS = {
    "han": re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]"),
    "kana": re.compile("[\u3041-\u30ff\u31f0-\u31ff]"),
    "hangul": re.compile("[\uac00-\ud7a3\u1100-\u11ff]"),
    "cyrillic": re.compile("[\u0400-\u04ff]"),
    "latin": re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"),
    "greek": re.compile("[\u0370-\u03ff\u1f00-\u1fff]"),
    "arabic": re.compile("[\u0600-\u06ff]"),
    "hebrew": re.compile("[\u0590-\u05ff]"),
    "thai": re.compile("[\u0e00-\u0e7f]"),
    "devanagari": re.compile("[\u0900-\u097f]"),
    "bengali": re.compile("[\u0980-\u09ff]"),
    "tamil": re.compile("[\u0b80-\u0bff]"),
    "georgian": re.compile("[\u10a0-\u10ff]"),
    "armenian": re.compile("[\u0530-\u058f]"),
}
_ONE_LANGUAGE = {
    "greek": "el", "hebrew": "he", "thai": "th", "devanagari": "hi", "bengali": "bn", "tamil": "ta",
    "georgian": "ka", "armenian": "hy", "hangul": "ko", "kana": "ja",
}  # fmt: skip
_DENSE = {"han": 4.0, "kana": 2.5, "hangul": 2.5}
_KANA_SHARE = 0.04
_JAPANESE_KANJI = re.compile(
    "[々〆気駅図実発対変広円売読経関竜渋沢塩桜検県価仮伝処単厳圧囲巻帰応恵悪戦払挙歩歯"
    "残毎涙焼砕総続縄繊聴脳荘蔵覚触訳転軽辺込遅鉄鶏麺黙働峠畑辻匂枠]"
)
_JAPANESE_SHARE = 0.02
_PERSIAN = re.compile("[پچژگیک]")
_ARABIC_ONLY = re.compile("[يكةىأإ]")
_SHORT = 2_000
_ASKED = 6
_WIDELY_READ = 24


def detect_language(text: Text) -> str:
    """Return the BCP 47 tag of the language a text is mostly written in, "und" when there is no telling.

    Chinese comes as zh-Hans or zh-Hant. Samples of the whole body are read, without a distributor's header and
    licence. Where small words leave a short text open, the extra `lang` decides, if it is installed.
    """
    sample = _sample(text)
    counts = {script: len(pattern.findall(sample)) * _DENSE.get(script, 1.0) for script, pattern in _SCRIPTS.items()}
    script = max(counts, key=lambda name: counts[name])
    if counts[script] < 2:
        return "und"
    match script:
        case "han" | "kana":
            return _han(sample)
        case "cyrillic":
            return _worded(sample, CYRILLIC)
        case "latin":
            return _worded(sample, LATIN)
        case "arabic":
            return "fa" if len(_PERSIAN.findall(sample)) > len(_ARABIC_ONLY.findall(sample)) else "ar"
        case _:
            return _ONE_LANGUAGE[script]


def _sample(text: Text) -> str:
    start, end = body_span(text)
    if end <= start:
        start, end = 0, len(text)
    if end - start <= _WHOLE:
        return text[start:end]
    step = (end - start) // _SLICES
    return "\n".join(text[at : at + _SLICE] for at in range(start + step // 2, end - _SLICE, step))


def _han(sample: str) -> str:
    """Tell Japanese by its syllables, or by forms of characters that only it has; then how Chinese is written."""
    han, kana = len(_SCRIPTS["han"].findall(sample)), len(_SCRIPTS["kana"].findall(sample))
    if kana > _KANA_SHARE * (han + kana):
        return "ja"
    counts = Counter(sample)
    simplified = sum(counts[character] for character in SIMPLIFIED)
    traditional = sum(counts[character] for character in TRADITIONAL)
    japanese = len(_JAPANESE_KANJI.findall(sample))
    if japanese > _JAPANESE_SHARE * han and japanese > simplified:
        return "ja"
    return "zh-Hant" if traditional > simplified else "zh-Hans"


def _worded(sample: str, vocabulary: Vocabulary) -> str:
    best, sure = vocabulary.language(sample)
    if sure or len(sample) > _SHORT:
        return best
    likely = [language for score, language in vocabulary.scores(sample)[:_ASKED] if score]
    others = [language for language in vocabulary.languages[:_WIDELY_READ] if language not in likely]
    return spelled_out(sample, likely + (others if best == "und" else [])) or best
