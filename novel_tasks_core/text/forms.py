"""What a line says if it is a heading: its form, its division, its number and its title."""

from __future__ import annotations

from enum import IntEnum

from attrs import frozen

from novel_tasks_core.text.numerals import NumeralSystem


class Form(IntEnum):
    """How a heading shows itself, surest last."""

    PLAIN = 0
    TITLED = 1
    BARE = 2
    NAMED = 3
    DIVISION = 4


@frozen
class Heading:
    """What a line says if it is a heading.

    `word` is the division (chapter, 回) or the lower-case name (prologue), "" for a bare numeral; `number`
    is None where it cannot be read; `title` is the rest. `neat` is False where the line reads more
    like the beginning of a sentence. `style` tells brackets and letter case apart.
    """

    form: Form
    word: str
    rank: int
    number: int | None
    system: NumeralSystem | None
    title: str
    neat: bool = True
    style: str = ""
