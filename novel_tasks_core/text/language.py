"""Name the language of a text: by its script, then by characters or small words that only it uses."""

from __future__ import annotations

import re
from collections import Counter

from novel_tasks_core.text.passages import Text
from novel_tasks_core.text.stopwords import latin_language

_SLICE = 8_000
_SCRIPTS = {
    "han": re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]"),
    "kana": re.compile("[\u3041-\u30ff\u31f0-\u31ff]"),
    "hangul": re.compile("[\uac00-\ud7a3\u1100-\u11ff]"),
    "cyrillic": re.compile("[\u0400-\u04ff]"),
    "latin": re.compile("[A-Za-z\u00c0-\u024f]"),
    "greek": re.compile("[\u0370-\u03ff\u1f00-\u1fff]"),
    "arabic": re.compile("[\u0600-\u06ff]"),
    "hebrew": re.compile("[\u0590-\u05ff]"),
    "thai": re.compile("[\u0e00-\u0e7f]"),
    "devanagari": re.compile("[\u0900-\u097f]"),
}
_ONE_LANGUAGE = {"greek": "el", "hebrew": "he", "thai": "th", "devanagari": "hi"}
_DENSE = {"han": 4.0, "kana": 2.5, "hangul": 2.5}
_SIMPLIFIED = frozenset(
    "这个们说国时会对发么没种还进样学见问现两头长门儿从开东车书点实动声间关听话马风无经当与将给爱笔边"
)
_TRADITIONAL = frozenset(
    "這個們說國時會對發麼沒種還進樣學見問現兩頭長門兒從開東車書點實動聲間關聽話馬風無經當與將給愛筆邊"
)
_ARABIC_PERSIAN = re.compile("[پچژگ]")


def detect_language(text: Text) -> str:
    """Return the BCP 47 tag of the language a text is mostly written in, "und" when there is no telling.

    Chinese comes as zh-Hans or zh-Hant. A sample of the middle is read, where a foreign preface or
    licence does not reach.
    """
    sample = _sample(text)
    counts = {script: len(pattern.findall(sample)) * _DENSE.get(script, 1.0) for script, pattern in _SCRIPTS.items()}
    script = max(counts, key=lambda name: counts[name])
    if counts[script] < 2:
        return "und"
    if counts["kana"] > 0.08 * (counts["han"] + counts["kana"]) and script in ("han", "kana"):
        return "ja"
    match script:
        case "han":
            return _chinese(sample)
        case "hangul":
            return "ko"
        case "cyrillic":
            return _cyrillic(sample.lower())
        case "latin":
            return latin_language(sample)[0]
        case "arabic":
            return "fa" if len(_ARABIC_PERSIAN.findall(sample)) > counts["arabic"] / 100 else "ar"
        case _:
            return _ONE_LANGUAGE.get(script, "ja" if script == "kana" else "und")


def _sample(text: Text) -> str:
    if len(text) <= 4 * _SLICE:
        return text[:]
    return "\n".join(text[start : start + _SLICE] for start in (len(text) // 4, len(text) // 2, 3 * len(text) // 4))


def _chinese(sample: str) -> str:
    counts = Counter(sample)
    simplified = sum(counts[character] for character in _SIMPLIFIED - _TRADITIONAL)
    traditional = sum(counts[character] for character in _TRADITIONAL - _SIMPLIFIED)
    return "zh-Hant" if traditional > simplified else "zh-Hans"


def _cyrillic(sample: str) -> str:
    counts = Counter(sample)
    total = sum(counts[character] for character in "аоеинтсрв") or 1
    if counts["ѣ"] > total / 200:
        return "ru"
    if any(counts[letter] for letter in "јљњћђџќѓ"):
        return "mk" if counts["ќ"] + counts["ѓ"] > counts["ћ"] + counts["ђ"] else "sr"
    if counts["ў"] > total / 300:
        return "be"
    if counts["і"] + counts["ї"] + counts["є"] > total / 50:
        return "uk"
    return "bg" if counts["ъ"] > total / 100 and counts["ы"] + counts["э"] < total / 500 else "ru"
