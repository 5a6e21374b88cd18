"""The small words of languages in Latin letters, by which they are told apart."""

from __future__ import annotations

import re
from collections import Counter

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
_LEAST = 0.06
_SURE = 1.3


def latin_language(text: str) -> tuple[str, bool]:
    """Return the language whose small words and letters a text has most of, "und" for none; and whether that is sure.

    Works on a text whose letters beyond ASCII are lost, too.
    """
    lowered = text.lower()
    words = Counter(_LATIN_WORD.findall(lowered))
    total = sum(words.values()) or 1
    letters = Counter(lowered)
    scores = {
        language: (sum(words[word] for word in stop_words) + 2 * sum(letters[x] for x in _LETTERS.get(language, "")))
        / total
        for language, stop_words in _STOP_WORDS.items()
    }
    (best, score), (_, second) = sorted(scores.items(), key=lambda scored: -scored[1])[:2]
    return (best, score > _SURE * second and total >= 40) if score >= _LEAST else ("und", False)
