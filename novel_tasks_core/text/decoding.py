"""Find out how bytes encode a text, and decode them, with every doubt counted.

The order: byte order marks, escape sequences, strict UTF-8, UTF-16 and UTF-32 by where their zero bytes
lie, UTF-8 with a few damaged bytes, then trial decodes of the double-byte encodings of East Asia scored by
how common the characters that come out are, then single-byte ones. Samples suggest, a decode of the whole
file decides: what does not hold is not chosen.
"""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from attrs import define, evolve, field, frozen

from novel_tasks_core.errors import DecodingError, InvalidInputError
from novel_tasks_core.text import charsets
from novel_tasks_core.text.damage import Damage, DamageLog, TooMuchDamage
from novel_tasks_core.text.formats import refuse_binary, refuse_other_formats
from novel_tasks_core.text.sampling import foreign_sample, plain_samples
from novel_tasks_core.text.singlebyte import rank_single_byte
from novel_tasks_core.text.transcoding import (
    ByteSource,
    Held,
    Sink,
    transcode,
)

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16-be"),
)
_NOT_FOR_FILES = frozenset(
    {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem", "utf_7"}
)
_TRUNCATED_TAIL = 4
_SAME_DAMAGE = 4
_SOME_DAMAGE = 16
_UNSURE = 0.55
_SHORT = 2048
_BEGINNING = 4096

S = TypeVar("S", bound=Sink)


@frozen(kw_only=True)
class Verdict:
    """What was found out about a file.

    `encoding` is the Python codec that decodes the whole of it; `confidence` 0..1 says how sure that
    choice is. `repaired_bytes` are those that were not valid in it: U+FFFD stands in their place, and
    `damage` says where, for the first hundred places.
    """

    encoding: str
    confidence: float
    repaired_bytes: int = 0
    damage: tuple[Damage, ...] = ()


@frozen(kw_only=True)
class Decoded(Verdict):
    """A decoded file: what was found out about it, and its text. Newlines are as in the file."""

    text: str


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


def decode(data: bytes, *, encoding: str | None = None) -> Decoded:
    """Decode a whole file, in the named encoding or, without one, in the most plausible.

    A character cut off at the very end is repaired even in a named encoding.

    Raises: DecodingError for an empty or blank file, for one that is not text (its kind is named), and
    for bytes that the named encoding cannot hold (with the byte offset); InvalidInputError for an
    unknown encoding name.
    """
    verdict, joined = decode_into(Held(data), lambda plan: _Joined(), encoding=encoding)
    return Decoded(
        text="".join(joined.parts),
        encoding=verdict.encoding,
        confidence=verdict.confidence,
        repaired_bytes=verdict.repaired_bytes,
        damage=verdict.damage,
    )


@define
class _Joined:
    parts: list[str] = field(factory=list)

    def take(self, text: str, end: int) -> None:
        self.parts.append(text)

    def discard(self) -> None:
        self.parts.clear()


def decode_into(
    source: ByteSource, open_sink: Callable[[Plan], S], *, encoding: str | None = None
) -> tuple[Verdict, S]:
    """Decode a file of any size into a sink, which is opened for every plan that is tried; see `decode`.

    Every sink but the one that is returned has been discarded.
    """
    if not source.size:
        raise DecodingError("the file is empty")
    refuse_other_formats(source.read_at(0, _BEGINNING))
    tried = _named(source, open_sink, encoding) if encoding else _likeliest(source, open_sink)
    if tried.blank:
        tried.sink.discard()
        raise DecodingError("the file holds nothing but blank space", encoding=encoding)
    return tried.verdict, tried.sink


def _likeliest(source: ByteSource, open_sink: Callable[[Plan], S]) -> _Tried[S]:
    for plans in _groups(source):
        tried = _best(source, plans, open_sink)
        if tried is not None:
            return tried
    raise AssertionError("the last plan takes anything")


def _best(source: ByteSource, plans: list[Plan], open_sink: Callable[[Plan], S]) -> _Tried[S] | None:
    """Try plans, best first: the first without damage is taken, else the first of those with the least."""
    best: _Tried[S] | None = None
    for plan in plans:
        try:
            tried = _try(source, plan, open_sink)
        except TooMuchDamage:
            continue
        if best is None:
            best = tried
        elif tried.log.bytes + _SAME_DAMAGE < best.log.bytes or not tried.log.bytes:
            best.sink.discard()
            best = tried
        else:
            tried.sink.discard()
        if not best.log.bytes:
            break
    return best


@frozen
class _Tried(Generic[S]):
    plan: Plan
    log: DamageLog
    sink: S
    blank: bool

    @property
    def verdict(self) -> Verdict:
        return Verdict(
            encoding=self.plan.encoding,
            confidence=self.plan.confidence * (0.95 if self.log.bytes else 1.0),
            repaired_bytes=self.log.bytes,
            damage=tuple(self.log.places),
        )


@define
class _Watching:
    """Passes text on, and notes whether any of it is visible."""

    sink: Sink
    blank: bool = True

    def take(self, text: str, end: int) -> None:
        self.blank = self.blank and not text.strip()
        self.sink.take(text, end)

    def discard(self) -> None:
        self.sink.discard()


def _try(source: ByteSource, plan: Plan, open_sink: Callable[[Plan], S]) -> _Tried[S]:
    log = DamageLog(most=plan.most_damage, size=source.size, free_tail=plan.free_tail)
    sink = open_sink(plan)
    watching = _Watching(sink)
    try:
        transcode(source, plan.codec, log, watching, start=plan.start)
    except BaseException:
        sink.discard()
        raise
    return _Tried(plan, log, sink, watching.blank)


def _named(source: ByteSource, open_sink: Callable[[Plan], S], encoding: str) -> _Tried[S]:
    name = _known_codec(encoding)
    beginning = source.read_at(0, 4)
    plan = Plan(encoding=name, codec=name, confidence=1.0, free_tail=_TRUNCATED_TAIL)
    marked = _by_mark(beginning)
    if marked is not None and (marked.encoding == name or (marked.encoding, name) == ("utf-8-sig", "utf-8")):
        plan = evolve(marked, confidence=1.0, most_damage=0, free_tail=_TRUNCATED_TAIL)
    elif name in ("utf-16", "utf-32"):
        plan = evolve(plan, codec=f"{name}-{sys.byteorder[0]}e")
    elif name == "utf-8-sig":
        plan = evolve(plan, codec="utf-8")
    try:
        if plan.codec == "utf-8":
            exact = _best(source, [evolve(plan, exact=True, free_tail=0)], open_sink)
            if exact is not None:
                return exact
        return _try(source, plan, open_sink)
    except TooMuchDamage as exc:
        raise DecodingError(
            f"not {encoding}: {exc.reason} at byte {exc.offset}", encoding=encoding, offset=exc.offset
        ) from exc
    except UnicodeError as exc:
        raise DecodingError(f"not {encoding}: {exc}", encoding=encoding, offset=0) from exc


def _known_codec(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        b"novel".decode(name)
    except UnicodeError:
        pass
    except (LookupError, ValueError, TypeError) as exc:
        raise InvalidInputError("encoding", f"unknown encoding {encoding[:100]!r}") from exc
    if name.replace("-", "_") in _NOT_FOR_FILES:
        raise InvalidInputError("encoding", f"{encoding[:100]!r} is not an encoding of files")
    return name


def _by_mark(beginning: bytes) -> Plan | None:
    """Return the plan that a byte order mark asks for."""
    for bom, name, codec in _BOMS:
        if beginning.startswith(bom):
            return Plan(encoding=name, codec=codec, confidence=1.0, start=len(bom))
    return None


def _groups(source: ByteSource) -> Iterator[list[Plan]]:
    """Yield plans to try together; the next group only counts when all of the one before were refused."""
    marked = _by_mark(source.read_at(0, 4))
    if marked is not None:
        exact = marked.codec == "utf-8"
        yield [evolve(marked, exact=exact), evolve(marked, most_damage=source.size)]
    samples = plain_samples(source)
    plain = b"".join(data for _, data in samples)
    yield _escaped(plain)
    yield _exact_utf8(samples, plain)
    yield _wide(source, samples)
    refuse_binary(samples)
    foreign = foreign_sample(source)
    some = max(_SOME_DAMAGE, source.size // 200)
    yield _zeroed_or_damaged_utf8(plain, foreign, some)
    yield [
        Plan(encoding=name, codec=name, confidence=confidence, most_damage=some)
        for confidence, name in charsets.rank_double_byte(foreign)
    ]
    ranked = rank_single_byte(foreign, plain)
    if ranked[0][0] < _UNSURE and source.size <= _SHORT:
        ranked = [*_detected(plain), *ranked]
    for confidence, name in ranked:
        yield [Plan(encoding=name, codec=name, confidence=confidence, most_damage=some)]
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
    return [Plan(encoding=name, codec=name, confidence=confidence) for confidence, name in charsets.rank_escaped(plain)]


def _exact_utf8(samples: list[tuple[int, bytes]], plain: bytes) -> list[Plan]:
    if b"\0" in plain:
        return []
    return [Plan(encoding="utf-8", codec="utf-8", confidence=1.0, exact=True)]


def _wide(source: ByteSource, samples: list[tuple[int, bytes]]) -> list[Plan]:
    """Recognise UTF-16 and UTF-32 without a mark. The line of a lost byte may be damaged throughout."""
    return [
        Plan(
            encoding=name,
            codec=name,
            confidence=confidence,
            most_damage=max(500, source.size // 200),
        )
        for confidence, name in charsets.rank_wide(samples)
    ]


def _zeroed_or_damaged_utf8(plain: bytes, foreign: bytes, some: int) -> list[Plan]:
    """Accept UTF-8 with a few zero bytes, or whose damaged places are few beside its intact other characters."""
    zeroed = [Plan(encoding="utf-8", codec="utf-8", confidence=0.8, exact=True)] if b"\0" in plain else []
    confidence = charsets.damaged_utf8(foreign, len(plain))
    if not confidence:
        return zeroed
    return [*zeroed, Plan(encoding="utf-8", codec="utf-8", confidence=confidence, most_damage=10 * some)]
