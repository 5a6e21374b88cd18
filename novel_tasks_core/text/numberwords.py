"""Number words of headings, built from their parts: cardinals and ordinals up to 99 and a little more."""

from __future__ import annotations

from collections.abc import Iterator

LAST = -1
"""The value of the words for the last one, whose number is not told."""

_ENGLISH_ONES = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_ENGLISH_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ENGLISH_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth"
    " fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
)
_FRENCH_ONES = (
    "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit "
    "dix-neuf"
)
_FRENCH_TENS = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante", 60: "soixante", 80: "quatre-vingt"}
_GERMAN_ONES = (
    "ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
    "achtzehn neunzehn"
)
_GERMAN_TENS = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig"
_SPANISH_ONES = (
    "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete"
    " dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete"
    " veintiocho veintinueve"
)
_SPANISH_TENS = "treinta cuarenta cincuenta sesenta setenta ochenta noventa"
_SPANISH_ORDINALS = "primero segundo tercero cuarto quinto sexto séptimo octavo noveno décimo undécimo duodécimo"
_SPANISH_TEN_ORDINALS = (
    "décimo vigésimo trigésimo cuadragésimo quincuagésimo sexagésimo septuagésimo octogésimo nonagésimo"
)
_ITALIAN_ONES = (
    "uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici"
    " diciassette diciotto diciannove venti"
)
_ITALIAN_ORDINALS = (
    "primo secondo terzo quarto quinto sesto settimo ottavo nono decimo undicesimo dodicesimo tredicesimo"
    " quattordicesimo quindicesimo sedicesimo diciassettesimo diciottesimo diciannovesimo ventesimo"
)
_PORTUGUESE_ORDINALS = "primeiro segundo terceiro quarto quinto sexto sétimo oitavo nono décimo"
_RUSSIAN_CARDINALS = (
    "один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать"
    " пятнадцать шестнадцать семнадцать восемнадцать девятнадцать"
)
_RUSSIAN_ORDINAL_STEMS = (
    "перв втор трет четверт пят шест седьм восьм девят десят одиннадцат двенадцат тринадцат четырнадцат"
    " пятнадцат шестнадцат семнадцат восемнадцат девятнадцат"
)
_RUSSIAN_TENS = {
    20: "двадцать", 30: "тридцать", 40: "сорок", 50: "пятьдесят",
    60: "шестьдесят", 70: "семьдесят", 80: "восемьдесят", 90: "девяносто",
}  # fmt: skip
_RUSSIAN_TEN_STEMS = {
    20: "двадцат", 30: "тридцат", 40: "сороков", 50: "пятидесят",
    60: "шестидесят", 70: "семидесят", 80: "восьмидесят", 90: "девяност", 100: "сот",
}  # fmt: skip


def number_words() -> Iterator[tuple[str, int]]:
    """Yield (word, value): English, French, German, Spanish, Italian, Portuguese and Russian."""
    yield from _english()
    yield from _french()
    yield from _german()
    yield from _spanish()
    yield from _italian_and_portuguese()
    yield from _russian()


def _numbered(words: str) -> Iterator[tuple[int, str]]:
    return enumerate(words.split(), start=1)


def _english() -> Iterator[tuple[str, int]]:
    ones = dict(_numbered(_ENGLISH_ONES))
    ordinals = dict(_numbered(_ENGLISH_ORDINALS))
    yield from ((word, value) for value, word in ones.items())
    yield from ((word, value) for value, word in ordinals.items())
    for index, tens in enumerate(_ENGLISH_TENS.split(), start=2):
        yield tens, index * 10
        yield tens[:-1] + "ieth", index * 10
        for one in range(1, 10):
            yield tens + ones[one], index * 10 + one
            yield tens + ordinals[one], index * 10 + one
    yield from (("last", LAST), ("hundred", 100), ("one hundred", 100), ("hundredth", 100))


def _french() -> Iterator[tuple[str, int]]:
    ones = dict(_numbered(_FRENCH_ONES))
    cardinals = dict(ones)
    for tens, word in _FRENCH_TENS.items():
        cardinals[tens] = word
        for one in range(1, 20 if tens in (60, 80) else 10):
            joint = "-et-" if one in (1, 11) and tens != 80 else "-"
            cardinals[tens + one] = f"{word}{joint}{ones[one]}"
    for value, word in cardinals.items():
        yield word, value
        yield _french_ordinal(word), value
    for word in ("premier", "première"):
        yield word, 1
    for word in ("second", "seconde"):
        yield word, 2
    yield from (("une", 1), ("dernier", LAST), ("dernière", LAST), ("cent", 100))


def _french_ordinal(cardinal: str) -> str:
    if cardinal.endswith("cinq"):
        return cardinal + "uième"
    if cardinal.endswith("neuf"):
        return cardinal[:-1] + "vième"
    return cardinal.removesuffix("e") + "ième"


def _german() -> Iterator[tuple[str, int]]:
    ones = dict(_numbered(_GERMAN_ONES))
    irregular = {1: "erst", 3: "dritt", 7: "siebent", 8: "acht"}
    stems = {value: irregular.get(value, f"{word}t") for value, word in ones.items()}
    yield from _german_number("siebt", 7)
    yield "eins", 1
    for value, word in ones.items():
        yield word, value
        yield from _german_number(stems[value], value)
    for index, tens in enumerate(_GERMAN_TENS.split(), start=2):
        for one in range(10):
            word = f"{ones[one]}und{tens}" if one else tens
            yield word, index * 10 + one
            yield from _german_number(f"{word}st", index * 10 + one)
    yield from _german_number("letzt", LAST)


def _german_number(stem: str, value: int) -> Iterator[tuple[str, int]]:
    return ((stem + ending, value) for ending in ("e", "er", "es", "en"))


def _spanish() -> Iterator[tuple[str, int]]:
    cardinals = dict(_numbered(_SPANISH_ONES))
    ordinals = dict(_numbered(_SPANISH_ORDINALS))
    for index, tens in enumerate(_SPANISH_TENS.split(), start=3):
        cardinals[index * 10] = tens
        for one in range(1, 10):
            cardinals[index * 10 + one] = f"{tens} y {cardinals[one]}"
    for index, tens in enumerate(_SPANISH_TEN_ORDINALS.split(), start=1):
        ordinals.setdefault(index * 10, tens)
        for one in range(1, 10):
            yield from _gendered(f"{tens}{ordinals[one]}", index * 10 + one)
            yield from _gendered(f"{tens.replace('é', 'e')}{ordinals[one]}", index * 10 + one)
            yield from _gendered(f"{tens.replace('é', 'e').removesuffix('o')}{ordinals[one]}", index * 10 + one)
    yield from ((word, value) for value, word in cardinals.items())
    for value, word in ordinals.items():
        yield from _gendered(word, value)
    yield from (("primer", 1), ("tercer", 3), ("último", LAST), ("última", LAST))


def _gendered(word: str, value: int) -> Iterator[tuple[str, int]]:
    yield word, value
    yield word[:-1] + "a", value


def _italian_and_portuguese() -> Iterator[tuple[str, int]]:
    yield from ((word, value) for value, word in _numbered(_ITALIAN_ONES))
    for words in (_ITALIAN_ORDINALS, _PORTUGUESE_ORDINALS):
        for value, word in _numbered(words):
            yield from _gendered(word, value)
    tens = ("décimo", "vigésimo", "trigésimo", "quadragésimo", "quinquagésimo")
    for index, ten in enumerate(tens, start=1):
        yield from _gendered(ten, index * 10)
        for value, one in _numbered(_PORTUGUESE_ORDINALS):
            if value < 10:
                yield from _gendered(ten + one, index * 10 + value)


def _russian() -> Iterator[tuple[str, int]]:
    cardinals = dict(_numbered(_RUSSIAN_CARDINALS))
    stems = dict(_numbered(_RUSSIAN_ORDINAL_STEMS))
    yield from ((word, value) for value, word in cardinals.items())
    for value, stem in (*stems.items(), *_RUSSIAN_TEN_STEMS.items()):
        yield from _russian_ordinal(stem, value)
    for tens, word in _RUSSIAN_TENS.items():
        yield word, tens
        for one in range(1, 10):
            yield word + cardinals[one], tens + one
            yield from ((word + ordinal, tens + value) for ordinal, value in _russian_ordinal(stems[one], one))
    yield from _russian_ordinal("последн", LAST)


def _russian_ordinal(stem: str, value: int) -> Iterator[tuple[str, int]]:
    endings = ("ий", "ья", "ье", "ьего", "ьей") if stem == "трет" else ("ый", "ой", "ая", "ое", "ого", "ий", "яя", "ее")
    return ((stem + ending, value) for ending in endings)
