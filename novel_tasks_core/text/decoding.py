"""Decode bytes in the encoding that a user names or that is found out, with every doubt counted.

Samples suggest encodings (`plans`); a decode of the whole file decides: what does not hold is not chosen.
"""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable
from typing import Generic, TypeVar

from attrs import define, evolve, field, frozen

from novel_tasks_core.complaints import Complaint, FaultCode
from novel_tasks_core.errors import DecodingError, DecodingProblem, InvalidInputError
from novel_tasks_core.text.damage import Damage, DamageLog, TooMuchDamage
from novel_tasks_core.text.formats import refuse_other_formats
from novel_tasks_core.text.plans import Plan, plan_by_mark, plans_for
from novel_tasks_core.text.transcoding import (
    ByteSource,
    Held,
    Sink,
    transcode,
)

_NOT_FOR_FILES = frozenset(
    {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem", "utf_7"}
)
_TRUNCATED_TAIL = 4
_SAME_DAMAGE = 4
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
        raise DecodingError("the file is empty", kind=DecodingProblem.EMPTY)
    refuse_other_formats(source.read_at(0, _BEGINNING))
    tried = _named(source, open_sink, encoding) if encoding else _likeliest(source, open_sink)
    if tried.blank:
        tried.sink.discard()
        reason = "the file holds nothing but blank space"
        raise DecodingError(reason, encoding=encoding, kind=DecodingProblem.BLANK)
    return tried.verdict, tried.sink


def _likeliest(source: ByteSource, open_sink: Callable[[Plan], S]) -> _Tried[S]:
    for plans in plans_for(source):
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
    name = known_codec(encoding)
    beginning = source.read_at(0, 4)
    plan = Plan(encoding=name, codec=name, confidence=1.0, free_tail=_TRUNCATED_TAIL)
    marked = plan_by_mark(beginning)
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
            f"the file is not {encoding}: {exc.reason} at byte {exc.offset}; name no encoding to have it found out",
            encoding=encoding,
            offset=exc.offset,
            kind=DecodingProblem.OTHER_ENCODING,
        ) from exc
    except UnicodeError as exc:
        reason = f"the file is not {encoding}: {exc}"
        raise DecodingError(reason, encoding=encoding, offset=0, kind=DecodingProblem.OTHER_ENCODING) from exc


def known_codec(encoding: str) -> str:
    """Return Python's name of an encoding that files can have. Raises: InvalidInputError."""
    try:
        name = codecs.lookup(encoding).name
        b"novel".decode(name)
    except UnicodeError:
        pass
    except (LookupError, ValueError, TypeError) as exc:
        said = f"unknown encoding {encoding[:100]!r}: name one such as utf-8, gb18030 or cp1252"
        raise InvalidInputError("encoding", Complaint(said, FaultCode.ENCODING, encoding=encoding[:100])) from exc
    if name.replace("-", "_") in _NOT_FOR_FILES:
        said = f"{encoding[:100]!r} is not an encoding of files"
        raise InvalidInputError("encoding", Complaint(said, FaultCode.ENCODING, encoding=encoding[:100]))
    return name
