"""What a narrator puts into a speech without marking it: "dit-il" in French, "said he" behind an English dash."""

from __future__ import annotations

import re

_FRENCH_VERBS = (
    "dit|fit|répondit|demanda|reprit|murmura|cria|ajouta|répliqua|répéta|pensa|continua|interrompit|déclara"
    "|s['’]écria|s['’]exclama"
    "|balbutia|observa|remarqua|dirent|firent|criait|disait|répétait|murmurait"
    "|conclut|expliqua"
    "|hurla|soupira|grogna|dis|demandai|répondis"
)
_ENGLISH_VERBS = (
    "said|says|asked|answered|cried|replied|murmured|whispered|began|repeated|exclaimed|added|continued|observed"
    "|returned|called|thought"
)
_INCISES = {
    "fr": re.compile(
        rf"(?<=[,!?…—–-])\s+(?:(?:{_FRENCH_VERBS})\b|[^\W\d_]+(?:-t)?-(?:il|elle|ils|elles|on|je)\b)[^,.!?;:…»”\n]*+[,.]?\s*"
    ),
    "en": re.compile(
        rf"(?<=[,!?.…—–-])\s*(?:(?:{_ENGLISH_VERBS})\s(?:he|she|they|I|the|[A-Z])|(?:he|she|they|I|[A-Z]\w+)\s(?:{_ENGLISH_VERBS})\b)"
        r"[^.!?—\n]*+[.,]?\s*"
    ),
}


def has_incises(language: str, marks: str) -> bool:
    """Tell whether what the narrator puts in between is not marked."""
    return language == "fr" or (language == "en" and marks == "—")


def cut_incises(text: str, spans: list[tuple[int, int]], language: str) -> list[tuple[int, int]]:
    """Return the spans without what the narrator says in them."""
    pattern = _INCISES[language]
    cut: list[tuple[int, int]] = []
    for start, end in spans:
        for incise in pattern.finditer(text, start, end):
            if incise.start() > start:
                cut.append((start, incise.start()))
            start = incise.end()
        if start < end:
            cut.append((start, end))
    return cut
