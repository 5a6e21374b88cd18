"""Suggest from samples how bytes may encode a text.

The order: byte order marks, escape sequences, strict UTF-8, UTF-16 and UTF-32 by where their zero bytes
lie, UTF-8 with a few damaged bytes, then trial decodes of the double-byte encodings of East Asia scored by
how common the characters that come out are, then single-byte ones.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from attrs import evolve, frozen

from novel_tasks_core.text import charsets
from novel_tasks_core.text.formats import refuse_binary
from novel_tasks_core.text.sampling import foreign_sample, plain_samples
from novel_tasks_core.text.singlebyte import rank_single_byte
from novel_tasks_core.text.transcoding import ByteSource

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16-be"),
)
_SOME_DAMAGE = 16
_LINE_DAMAGE = 500
_UNSURE = 0.55
_SHORT = 2048


@frozen(kw_only=True)
class Plan:
    """A way to decode a file: in `codec` from byte `start`, as long as no more than `most_damage` bytes are damaged.

    `encoding` and `confidence` are what to tell if it holds. `exact` promises that the bytes from `start`
    are valid UTF-8, with nothing to repair.
    """

    encoding: str
    codec: str
    confidence: float
    start: int = 0
    most_damage: int = 0
    free_tail: int = 0
    exact: bool = False


def plan_by_mark(beginning: bytes) -> Plan | None:
    """Return the plan that a byte order mark asks for."""
    for bom, name, codec in _BOMS:
        if beginning.startswith(bom):
            return Plan(encoding=name, codec=codec, confidence=1.0, start=len(bom))
    return None


def plans_for(source: ByteSource) -> Iterator[list[Plan]]:
    """Yield plans to try together; the next group only counts when all of the one before were refused.

    Raises: DecodingError, when a binary file is all that is left.
    """
    marked = plan_by_mark(source.read_at(0, 4))
    if marked is not None:
        exact = marked.codec == "utf-8"
        yield [evolve(marked, exact=exact), evolve(marked, most_damage=source.size)]
    samples = plain_samples(source)
    plain = b"".join(data for _, data in samples)
    yield _escaped(plain)
    if b"\0" not in plain:
        yield [Plan(encoding="utf-8", codec="utf-8", confidence=1.0, exact=True)]
    yield _wide(source, samples)
    refuse_binary(samples)
    foreign = foreign_sample(source)
    some = max(_SOME_DAMAGE, source.size // 200)
    yield _zeroed_or_damaged_utf8(plain, foreign, some)
    yield _plans(charsets.rank_double_byte(foreign), most_damage=some)
    ranked = rank_single_byte(foreign, plain)
    if ranked[0][0] < _UNSURE and source.size <= _SHORT:
        ranked = [*_detected(plain), *ranked]
    for plan in _plans(ranked, most_damage=some):
        yield [plan]
    yield [Plan(encoding="cp1252", codec="cp1252", confidence=0.3, most_damage=source.size)]


def _detected(data: bytes) -> list[tuple[float, str]]:
    """Return what the extra `detect` takes a short text for, as (confidence, codec); nothing without it.

    Only where most letters are beyond ASCII: of a few accents it makes any encoding whatever.
    """
    if 3 * len(data.translate(None, bytes(range(128)))) < len(data):
        return []
    try:
        from charset_normalizer import from_bytes
    except ImportError:
        return []
    best = from_bytes(data).best()
    return [] if best is None else [(_UNSURE, codecs.lookup(best.encoding).name)]


def _escaped(plain: bytes) -> list[Plan]:
    """Recognise the encodings of seven bits, which say by signs where Chinese, Japanese or Korean begins."""
    return _plans(charsets.rank_escaped(plain), most_damage=8)


def _wide(source: ByteSource, samples: list[tuple[int, bytes]]) -> list[Plan]:
    """Recognise UTF-16 and UTF-32 without a mark. The line of a lost byte may be damaged throughout."""
    return _plans(charsets.rank_wide(samples), most_damage=max(_LINE_DAMAGE, source.size // 200))


def _plans(ranked: list[tuple[float, str]], *, most_damage: int) -> list[Plan]:
    return [
        Plan(encoding=name, codec=name, confidence=confidence, most_damage=most_damage) for confidence, name in ranked
    ]


def _zeroed_or_damaged_utf8(plain: bytes, foreign: bytes, some: int) -> list[Plan]:
    """Accept UTF-8 with a few zero bytes, or whose damaged places are few beside its intact other characters."""
    zeroed = [Plan(encoding="utf-8", codec="utf-8", confidence=0.8, exact=True)] if b"\0" in plain else []
    confidence = charsets.damaged_utf8(foreign, len(plain))
    if not confidence:
        return zeroed
    return [*zeroed, Plan(encoding="utf-8", codec="utf-8", confidence=confidence, most_damage=10 * some)]
