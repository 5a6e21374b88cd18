"""Which of several encodings gives text that somebody wrote: scores by common characters and pairs."""

from __future__ import annotations

import re
import string
from collections import Counter

_COMMON_HAN = frozenset(
    "的一是不了人我在有他这為之大来以个中上们到说国和地也子时道出而要于就下得可你年生自会那后能对着事其里所去行过家"
    "十用发天如然作方成者多日都三小军二无同么经法当起与好看学进种将还分此心前面又定见只主没公从知使问情想把手明儿"
    "這個們來說國時會後對著裡過發無麼經當與學進種將還從見沒問兒開門聽話頭長風馬東車書老點樣實現動聲間關"
    "开门听话头长风马东车书点样实现动声间关曰何却叫走回打给吃向正王李张宋江高山水再四五六七八九百千女父母夫妻士将兵"
    "身气气力文名相真信今太已但因被什怎么很才让最亲些先神眼色白黑红金城路死安重住处边外内左右早晚夜月明春秋"
)
_COMMON_KANJI = frozenset(
    "人一日大年出本中子見国言上分生手自行者二間事思時気会十家女三前的方入小地合後目長場代私下立部学物月田何来彼話体動"
    "社知理山内同心発高実作当新世今書度明五戦力名金性対意用男主通関文屋感郎業定政持道外取所現最化四先民身不口川東相"
    "多法全聞情野考向平成開教経水原木正利問無山声先生父母夜白眼食町海風空"
)
_COMMON_HANGUL = frozenset(
    "이다는을의가에고하지한은로도를나사그어기아서리시자인스일라과들해대만게보수정장여었는있부구것없우면무오안소제전마내주"
    "상거고했말람생조동비지적으까음데때니신선요각원러세와"
)
_HAN_PUNCTUATION = frozenset("，。、；：？！“”‘’「」『』（）《》…—　·")
_CANDIDATES = (
    ("gb18030", _COMMON_HAN),
    ("big5hkscs", _COMMON_HAN),
    ("shift_jis", _COMMON_KANJI),
    ("euc_jp", _COMMON_KANJI),
    ("cp949", _COMMON_HANGUL),
    ("johab", _COMMON_HANGUL),
)
_FALLBACKS = {
    "big5hkscs": ("big5hkscs", "cp950"),
    "shift_jis": ("shift_jis", "cp932", "shift_jis_2004"),
    "euc_jp": ("euc_jp", "euc_jis_2004"),
}
_FIRST_OF = {other: name for name, others in _FALLBACKS.items() for other in others}
_JAPANESE = frozenset({"shift_jis", "cp932", "shift_jis_2004", "euc_jp", "euc_jis_2004"})
_FF_AND_NEXT = re.compile(rb"\xff[\x40-\xfe]?")
_CLEARLY = 0.2
_KANA = re.compile("[\u3041-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_NOTHING_ELSE = 0.95
_RARE_HANGUL = 0.4
_RARE_HAN = 0.35
_FIRST_LEVELS = {"gb18030": ("gb2312", b"\xb0", b"\xd7"), "big5hkscs": ("big5", b"\xa4", b"\xc6")}
_DOUBT = 3
_NON_ASCII = re.compile(r"[^\x00-\x7f\s]")
_REPLACED = re.compile("\ufffd+")
_ONE_CHARACTER = 3
_ENOUGH = 0.3
_LONG = 500
_ASCII = bytes(range(128))
_WESTERN = frozenset("€‚„…†‡‰Š‹ŒŽ‘’“”•–—™š›œžŸ\xa0¡£§©«®°±²³´¶·º»¼½¾¿".encode("cp1252")) | frozenset(
    set(range(0xC0, 0xFF)) - set("ÐÞð÷×þ".encode("cp1252"))
)
_HZ_RUN = re.compile(rb"~\{[!-~]{2,}?~\}")
_WIDE = (("utf-16-le", 2), ("utf-16-be", 2), ("utf-32-le", 4), ("utf-32-be", 4))
_FOUR_BYTES = frozenset({"utf-32-le", "utf-32-be"})
_WIDE_BYTES = 512
_LEAST_BYTES = 64
_WIDE_SENSE = 0.4
_WRITTEN = frozenset(
    {*_COMMON_HAN, *_COMMON_KANJI, *_COMMON_HANGUL, *_HAN_PUNCTUATION, *string.printable}
    | {chr(code) for span in ((0xC0, 0x180), (0x386, 0x3CF), (0x410, 0x460), (0x3041, 0x3100)) for code in range(*span)}
    | {chr(code) for span in ((0x5D0, 0x5EB), (0x621, 0x653), (0xE01, 0xE50)) for code in range(*span)}
    | set("–—‘’“”„…«»")
)


def rank_escaped(plain: bytes) -> list[tuple[float, str]]:
    """Return (confidence, codec) of the encodings of seven bits whose signs a text has."""
    if len(plain.translate(None, _ASCII)) > len(plain) // 1000 + 2:
        return []
    if b"\x1b$B" in plain or b"\x1b$@" in plain or b"\x1b(I" in plain:
        return [(0.95, "iso2022_jp"), (0.9, "iso2022_jp_ext"), (0.9, "iso2022_jp_2004")]
    if b"\x1b$)C" in plain:
        return [(0.95, "iso2022_kr")]
    signed = b"\n".join(_HZ_RUN.findall(plain))
    return [(0.9, "hz")] if signed and _plausibility(signed, "hz", _COMMON_HAN) >= _ENOUGH / 2 else []


def rank_wide(samples: list[tuple[int, bytes]]) -> list[tuple[float, str]]:
    """Return (confidence, codec) of UTF-16 or UTF-32 without a mark, when most of the samples make sense in one.

    The first piece that does decides: behind a lost byte a text is out of step, or the byte orders look exchanged.
    """
    size = min(_WIDE_BYTES, max(_LEAST_BYTES, len(samples[0][1]) // 32 * 4))
    pieces = [
        data[at : at + size]
        for _, data in samples
        for at in range(0, min(len(data), 65_536), max(size, len(data) // 128 * 4))
    ]
    found: list[tuple[float, str]] = []
    for left, piece in zip(range(len(pieces), 0, -1), pieces, strict=True):
        if 2 * (len(found) + left) < len(pieces):
            return []
        if (decided := _rank_piece(piece) or _rank_piece(piece[1:])) is not None:
            found.append(decided)
    if 2 * len(found) < len(pieces):
        return []
    beginning = samples[0][1]
    sizes = (_LEAST_BYTES // 2, _LEAST_BYTES, _WIDE_BYTES, 4 * _WIDE_BYTES)
    return [next(filter(None, (_rank_piece(beginning[:size]) for size in sizes)), found[0])]


def _rank_piece(data: bytes) -> tuple[float, str] | None:
    scores = sorted(((_sense(data[: len(data) // unit * unit], name), name) for name, unit in _WIDE), reverse=True)
    (best, name), (second, _) = scores[0], scores[1]
    return (min(0.97, 0.6 + best), name) if best >= _WIDE_SENSE and best > 2 * second else None


def _sense(data: bytes, name: str) -> float:
    """Return the share of characters that many texts have, less a penalty for those that none has."""
    if len(data) > 3 and name in _FOUR_BYTES and b"\0" not in data:
        return -5.0  # every character is damaged
    text = data.decode(name, "replace")
    counts = Counter(text)
    common = sum(count for character, count in counts.items() if character in _WRITTEN)
    strange = sum(
        count
        for character, count in counts.items()
        if character == "\ufffd" or not (character.isprintable() or character.isspace())
    )
    return (common - 5 * strange) / max(1, len(text))


def damaged_utf8(foreign: bytes, size: int) -> float:
    """Return how sure a sample is UTF-8 whose damaged places are few beside its intact characters, 0 if it is not."""
    text = foreign.decode("utf-8", "replace")
    intact = len(text) - len(text.encode("ascii", "ignore")) - text.count("\ufffd")
    runs = [len(run) for run in _REPLACED.findall(text)]
    damaged = sum(1 if length <= _ONE_CHARACTER else length for length in runs)
    if not intact or intact < damaged - foreign.count(b"\xff"):
        return 0.7 if not intact and _is_stray_damage(foreign, size) else 0.0
    return 0.95 if intact > 100 * damaged else 0.85


def _is_stray_damage(foreign: bytes, size: int) -> bool:
    """Tell whether a few high bytes in a long ASCII text are damage: none is a letter or sign of a Western text."""
    high = foreign.translate(None, _ASCII)
    if not high.strip(b"\xff"):
        return True
    return len(high) <= 3 and size >= _LONG and not any(byte in _WESTERN for byte in high)


def rank_double_byte(sample: bytes) -> list[tuple[float, str]]:
    """Return (confidence, codec), best first, of the East Asian encodings that fit the sample well."""
    scores = [
        (max(_plausibility(sample, codec, common) for codec in _FALLBACKS.get(name, (name,))), name)
        for name, common in _CANDIDATES
    ]
    good = sorted((scored for scored in scores if scored[0] >= _ENOUGH), key=lambda scored: -scored[0])
    ranked: list[tuple[float, str]] = []
    for score, name in good:
        if score < 0.7 * good[0][0]:
            break
        confidence = min(0.99, 0.45 + score)
        ranked += [
            (confidence, other) for other in _FALLBACKS.get(name, (name,)) if other not in {n for _, n in ranked}
        ]
    return ranked


def _plausibility(sample: bytes, name: str, common: frozenset[str]) -> float:
    """Return the share of common characters among the non-ASCII ones, less a penalty for damage.

    No encoding has the byte FF, but many a damaged file: with or without the byte behind it, it is passed over.
    """
    if b"\xff" not in sample:
        return _share(sample.decode(name, "replace"), name, common)
    mended = (sample.replace(b"\xff", b""), _FF_AND_NEXT.sub(b"", sample))
    return max(_share(data.decode(name, "replace"), name, common) for data in mended)


def makes_more_sense(data: bytes, other: bytes, name: str) -> bool:
    """Tell whether bytes clearly make more sense than others, in an encoding of East Asia or UTF-16."""
    common = dict(_CANDIDATES).get(_FIRST_OF.get(name, name))
    if name in ("utf-16-le", "utf-16-be"):
        return _sense(data[: len(data) & ~1], name) > _sense(other, name) + _CLEARLY
    if common is None:
        return False
    one, two = (_share(part.decode(name, "replace"), name, common) for part in (data, other))
    return one > two + _CLEARLY


def _share(text: str, name: str, common: frozenset[str]) -> float:
    counts = Counter(_NON_ASCII.findall(text))
    foreign = sum(counts.values())
    letters = foreign - sum(counts[character] for character in _HAN_PUNCTUATION)
    if not letters:
        return 0.0
    good: float = sum(count for character, count in counts.items() if character in common)
    if name in _JAPANESE:
        good += len(_KANA.findall(text))
    elif common is _COMMON_HANGUL and len(_HANGUL.findall(text)) >= max(_NOTHING_ELSE * letters, len(text) // 2):
        good = max(good, _RARE_HANGUL * letters)
    elif name in _FIRST_LEVELS and _first_level(counts, name) >= max(_NOTHING_ELSE * letters, len(text) // 2):
        good = max(good, _RARE_HAN * letters)
    return good / (letters + _DOUBT) - 20 * counts["\ufffd"] / foreign


def _first_level(counts: Counter[str], name: str) -> int:
    """Count the characters of the part of a Chinese encoding where its designers put the common ones."""
    codec, first, last = _FIRST_LEVELS[name]
    return sum(count for character, count in counts.items() if first <= character.encode(codec, "ignore")[:1] <= last)
