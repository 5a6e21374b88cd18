"""Where the bytes of a file are damaged."""

from __future__ import annotations

from attrs import define, field, frozen

_NOTED = 100


@frozen
class Damage:
    """A place in a file whose bytes are no character: U+FFFD stands for its `length` bytes from byte `offset`."""

    offset: int
    length: int


@define
class DamageLog:
    """The damaged bytes of a file: how many, and the first hundred places."""

    most: int
    size: int
    free_tail: int = 0
    bytes: int = 0
    places: list[Damage] = field(factory=list)

    def add(self, offset: int, length: int, reason: str) -> None:
        """Note a place.

        Raises: TooMuchDamage beyond `most` bytes; the last `free_tail` bytes of the file do not count.
        """
        if offset < self.size - self.free_tail and self.bytes + length > self.most:
            raise TooMuchDamage(offset, reason)
        self.bytes += length
        if len(self.places) < _NOTED:
            self.places.append(Damage(offset, length))


class TooMuchDamage(Exception):
    """The bytes cannot be in this encoding: `reason` is the codec's, `offset` the place that was too much."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(offset, reason)
        self.offset = offset
        self.reason = reason
