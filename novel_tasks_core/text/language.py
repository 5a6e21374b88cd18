"""Name the language of a text: by its script, then by characters or small words that only it uses."""

from __future__ import annotations

import re
from collections import Counter

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
_WORDS = {
    "en": "the and of to in was he that it his you with had for her she not but at be is they him this from were which",
    "fr": "le la les de des et un une que qui dans ce il elle ne pas vous se du en son est pour sur avec au par était",
    "de": "der die das und ich nicht ist ein eine zu sie er es den mit sich war dem von auf so wie auch aber daß hatte",
    "es": "el la los las de que y en un una no se su por con lo le del al como más pero era había para don él",
    "it": "il la di che e non un una per con si del della gli era lo sono nel da ma al le dei alla più come anche",
    "pt": "o a os as de que e do da em um uma não se com por para no na ao dos mais era lhe como mas seu ele ela",
    "nl": "de het een en van ik niet dat te zijn hij was op met voor zij maar er aan haar naar ook had om hem die",
    "sv": "och det att en som han på är av inte för med den var till jag hon hade de ett sig så om men från",
    "da": "og det at en som han på er af ikke for med den var til jeg hun havde de et sig så om men fra der",
    "no": "og det at en som han på er av ikke for med den var til jeg hun hadde de et seg så om men fra der",
    "fi": "ja on ei se hän oli että kun niin mutta ollut minä sen hänen mitä joka kuin sitä siitä nyt vain jo",
    "pl": "i w nie na się z do to że jak jest od po za co był ale tak o jego by już tylko pan dla",
    "cs": "a se na v že je to s z do jako ale by jsem si tak byl ve co jeho po však už pan který",
    "hu": "a az és hogy nem egy is volt meg de ez ha csak már mint még el azt aki vagy mert ki",
    "ro": "și de la în nu o că cu pe a se un mai din ce să care era am pentru lui ca",
    "tr": "bir ve bu da de ne için o gibi çok ama daha ben her var kadar sonra diye mi ki",
    "la": "et in est non ad ut cum sed qui quod si ex quae esse ab enim hoc atque autem nec",
    "ca": "el la els les de que i en un una no es va amb per del al com més però era li seva",
    "vi": "và của là có một không người trong cho đã được những với này các đến anh ông",
    "id": "yang dan di itu dengan dia untuk tidak ini dari dalam akan pada orang saya telah mereka",
}
_STOP_WORDS = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_LATIN_WORD = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")
_LETTERS = {
    "de": "ß", "es": "ñ¿¡", "pt": "ãõ", "fr": "œêèç", "pl": "łąężśźń", "cs": "řůěž", "hu": "őű", "ro": "țșă",
    "tr": "ışğ", "sv": "å", "vi": "đơư",
}  # fmt: skip
_ARABIC_PERSIAN = re.compile("[پچژگ]")


def detect_language(text: str) -> str:
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
            return _latin(sample)
        case "arabic":
            return "fa" if len(_ARABIC_PERSIAN.findall(sample)) > counts["arabic"] / 100 else "ar"
        case _:
            return _ONE_LANGUAGE.get(script, "ja" if script == "kana" else "und")


def _sample(text: str) -> str:
    if len(text) <= 4 * _SLICE:
        return text
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


def _latin(sample: str) -> str:
    lowered = sample.lower()
    words = Counter(_LATIN_WORD.findall(lowered))
    total = sum(words.values())
    letters = Counter(lowered)
    scores = {
        language: (sum(words[word] for word in stop_words) + 2 * sum(letters[x] for x in _LETTERS.get(language, "")))
        / total
        for language, stop_words in _STOP_WORDS.items()
    }
    best = max(scores, key=lambda language: scores[language])
    return best if scores[best] >= 0.06 else "und"
