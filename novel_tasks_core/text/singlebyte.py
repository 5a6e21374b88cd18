"""Which single-byte encoding a text is in: by letter pairs where the script is not Latin, else by what stands where.

A wrong encoding puts capitals inside words, quotation marks between letters, and letters where the language
that the ASCII words speak has none.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import partial
from itertools import pairwise

from novel_tasks_core.text.stopwords import LATIN

_PAIRS = {
    "cyrillic": (
        "ст но то на ен ов ни ра во ко ал ли по ре ос пр та го ер от не ло ла ол ро ом ка ть ес ль ва ор ан ет од те "
        "ел ат ве ит ин де ма за ам ав бы он да же об ві ти ів ій ся що ьк ну ий ги ми се са је ао ни сп ис ич ия ът ъл"
    ),
    "greek": (
        "ου αι το τη κα ην αν στ τα ει ον εν ερ ρα να με σε πο ια ατ τι ος ης ας ες αρ ισ ησ απ μο ρο ντ μα σα τε σμ "
        "εί ού ορ ηκ κε ελ λλ πα λα θα ικ τό αί αλ τρ θε νο ετ με"
    ),
    "hebrew": (
        "של את לא הו וא ים ות על אל מה ני לו תי שה הי יה וה או אי מר לי וי רא בי אח אש שר ור כל אמ נו ול הא המ הש כי"
    ),
    "arabic": (
        "ال من في لا وا ان ما لم عل ها لى كا ول نا هذ ذا ون ات يا را لت لك وم وك با لو تا ية ين لي قا لأ أن إل لل"
    ),
    "thai": (
        "าร ที ี่ ไม ม่ เป ็น ว่ ่า มา คน ใน และ แล ละ ได ด้ จะ อง ของ ขอ กา ให ห้ นี น้ "
        "้น ัน ับ กั หน ไป ความ วา เข ขา ้า ่อ อย ยู ู่ ตั ั้ ถึ มี ชื ื่ ือ รู ู้ สึ ระ อน"
    ),
}
_COMMON_PAIRS = {
    script: {word[place : place + 2] for word in pairs.split() for place in range(len(word) - 1)}
    for script, pairs in _PAIRS.items()
}
_SCRIPT_CODECS = (
    ("cyrillic", ("cp1251", "koi8-r", "koi8-u", "cp866", "iso8859-5", "mac-cyrillic")),
    ("greek", ("cp1253", "iso8859-7")),
    ("hebrew", ("cp1255",)),
    ("arabic", ("cp1256",)),
    ("thai", ("cp874",)),
)
_WORD = re.compile("(?:[^\\W\\d_]|[\u0591-\u05c7\u064b-\u0652\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]){2,}")
_RUN_OF_HIGH = re.compile(rb"[\x80-\xff]{2}")
_LEAST_SHARE = 0.15
_DOUBT = 4

_LATIN_CODECS = (
    *("cp1252", "iso8859-15", "cp1250", "iso8859-2", "cp1254", "cp1257", "mac-roman", "cp850", "cp852"),
    *("mac-latin2", "iso8859-1"),
)
_WESTERN = "éèêëàâäáåãæçíìîïñóòôöõøœúùûüýß"
_LETTERS = {
    "en": "éèæêœïöàëçôâü", "fr": "éèàêçâîùôûïëœüæÿ", "de": "äüößé", "es": "óíáéñúü", "it": "èàùòìéî",
    "pt": "ãáéçíóêõúâôà", "nl": "éëïèöüáó", "sv": "äåöé", "da": "åæøé", "no": "åøæéòô", "fi": "äöå",
    "ca": "àèéóíòçúïü", "pl": "ęłąśżóćńź", "cs": "áíéěýžřčšůúťďňó", "sk": "áíéčýžšúľťôňďóäŕĺ", "hr": "čšžćđ",
    "sl": "čšž", "hu": "áéöóőíüúű", "ro": "ăîâșțşţ", "tr": "ışğüçöâîûi̇", "lt": "ėšžųįąūčę", "lv": "āīēšūņžļķģč",
    "et": "äõüöšž", "sq": "ëç", "is": "áðíþóöúæéý", "gl": "óáéíúñü", "af": "ëêéôï", "ga": "áéíóú", "cy": "ŵŷâêîôû",
    "eu": "ñü", "tl": "ñ", "la": "æœëï", "eo": "ĉĝĥĵŝŭ",
}  # fmt: skip
"""Letters beyond ASCII, the most common first."""

_ALPHABETS = {
    language: {letter: 1.0 - 0.01 * place for place, letter in enumerate(letters)}
    for language, letters in _LETTERS.items()
}
_LOW_QUOTES = "‚„"
_MARKS = frozenset("‘’“”„‚«»‹›–—―…")
_DASHES = frozenset("–—―…")
_WITHIN_WORDS = frozenset("\xad·")
_SIGNS = frozenset("©®§°ªº½¼¾·№™†‡\xa0\xad´")
_BEFORE_WORDS = frozenset("£€¥¢¡¿•")
_CENTRAL = frozenset({"pl", "cs", "sk", "hu", "ro", "hr", "sl"})
_SPOKEN_IN = {
    **dict.fromkeys(("cp1250", "iso8859-2", "cp852", "mac-latin2"), _CENTRAL),
    "cp1254": frozenset({"tr"}),
    "cp1257": frozenset({"lt", "lv", "et"}),
}
_ELIDING = frozenset({"en", "fr", "it", "ca", "nl", "tr", "uk"})
_APOSTROPHE = {"’": 1.0}
_WORDS_OF_ONE_LETTER = frozenset("àáèéòóôå")
_ENDS = frozenset("!?.,;:")
_OTHER_SCRIPTS = "\u0370"
_FOREIGN_LETTER = 0.3
_SURE = 0.97
_ELSEWHERE = 0.05
_RARE_CODECS = frozenset({"mac-roman", "mac-latin2", "cp850", "cp852"})
_RARE = 0.4
_SHORT = 4096


def rank_single_byte(foreign: bytes, plain: bytes) -> list[tuple[float, str]]:
    """Return (confidence, codec), best first, of the single-byte encodings that a text may be in.

    `foreign` are lines with bytes beyond ASCII, `plain` any part of the text, for its language.
    """
    high = len(foreign) - len(foreign.translate(None, bytes(range(128, 256))))
    letters = len(re.findall(rb"[A-Za-z]", foreign))
    ranked = _rank_scripts(_around_high_bytes(foreign)) if high > 0.2 * letters else []
    return ranked or _rank_latin(foreign, plain)


def _around_high_bytes(data: bytes) -> bytes:
    match = _RUN_OF_HIGH.search(data)
    start = match.start() if match else 0
    return data[start : start + 8192]


def _rank_scripts(sample: bytes) -> list[tuple[float, str]]:
    contexts = _contexts(sample)
    scores = [
        (_pair_share(sample, codec, script) + _fitness(contexts, codec, {}) - 1.0, codec)
        for script, codecs in _SCRIPT_CODECS
        for codec in codecs
    ]
    return [
        (min(0.98, 0.6 + share), codec)
        for share, codec in sorted(scores, key=lambda scored: -scored[0])
        if share >= _LEAST_SHARE
    ]


def _pair_share(sample: bytes, codec: str, script: str) -> float:
    """Return the share of the script's common letter pairs within words of one plausible case."""
    common = _COMMON_PAIRS[script]
    words = Counter(_WORD.findall(sample.decode(codec, "replace")))
    pairs: Counter[str] = Counter()
    for word, count in words.items():
        kept = word.lower() if word[1:] == word[1:].lower() or word.isupper() else "?" * len(word)
        for first, second in pairwise(kept):
            pairs[first + second] += count
    total = sum(count for pair, count in pairs.items() if not pair.isascii() or pair == "??")
    return sum(count for pair, count in pairs.items() if pair in common) / (total + _DOUBT)


def _rank_latin(foreign: bytes, plain: bytes) -> list[tuple[float, str]]:
    language, sure = LATIN.language(plain.decode("ascii", "replace"))
    contexts = _contexts(foreign.replace(b"\xff", b""))  # no Latin text has it, but many a damaged one
    scores: list[tuple[float, str]] = []
    for codec in _LATIN_CODECS:
        spoken = language if sure else LATIN.language(plain[:_SHORT].decode(codec, "replace"))[0]
        alphabet = _ALPHABETS.get(spoken, {}) | (_APOSTROPHE if spoken in _ELIDING else {})
        fitness = _fitness(contexts, codec, alphabet, known=1.0 if sure else 0.9)
        elsewhere = spoken not in _SPOKEN_IN.get(codec, _ALPHABETS)
        rare = _RARE / (1 + sum(contexts.values())) if elsewhere or codec in _RARE_CODECS else 0.0
        scores.append((fitness - elsewhere * _ELSEWHERE - rare, codec))
    ranked = sorted(scores, key=lambda scored: -round(scored[0], 3))
    return [(max(0.3, min(_SURE, 0.4 + score / 2)), codec) for score, codec in ranked]


def _contexts(data: bytes) -> Counter[bytes]:
    """Count the bytes beyond ASCII, each with its neighbours."""
    padded = b" " + data + b" "
    return Counter(padded[match.start() - 1 : match.start() + 2] for match in re.finditer(rb"[\x80-\xff]", padded))


def _fitness(contexts: Counter[bytes], codec: str, alphabet: Mapping[str, float], *, known: float = 1.0) -> float:
    """Return how well what a codec makes of the bytes fits where they stand, -2..1 on average."""
    worth = partial(_worth, alphabet=alphabet, known=known)
    total = sum(contexts.values())
    return sum(worth(*seen.decode(codec, "replace")) * count for seen, count in contexts.items()) / max(1, total)


def _worth(before: str, character: str, after: str, *, alphabet: Mapping[str, float], known: float) -> float:
    within = before.isalpha() and after.isalpha()
    if character == "\ufffd" or unicodedata.category(character) in ("Cc", "Co", "Cn"):
        return -2.0
    if character in _MARKS:
        return _worth_of_mark(character, before.isalpha(), within, alphabet)
    if character in _SIGNS:
        return -0.5 if within and character not in _WITHIN_WORDS else 0.5
    if character in _BEFORE_WORDS:
        return -0.5 if before.isalpha() else 0.5
    if not character.isalpha() and not unicodedata.category(character).startswith("M"):
        return -0.7
    if (character.isupper() and before.islower()) or (character.islower() and after.isupper()):
        return -1.0
    if character >= _OTHER_SCRIPTS:
        return 1.0
    letter = character.lower()
    alone = not before.isalpha() and not after.isalpha()
    if before in _ENDS or (alone and letter not in _WORDS_OF_ONE_LETTER):
        return -_FOREIGN_LETTER
    if letter in alphabet:
        return known * alphabet[letter]
    return _FOREIGN_LETTER if letter in _WESTERN else -_FOREIGN_LETTER


def _worth_of_mark(mark: str, behind: bool, within: bool, alphabet: Mapping[str, float]) -> float:
    if mark in _LOW_QUOTES:
        return -0.5 if behind else 1.0
    if not within:
        return 1.0
    if mark in _DASHES:
        return 0.7
    return alphabet.get(mark, 0.3) if mark in _APOSTROPHE else -0.5
