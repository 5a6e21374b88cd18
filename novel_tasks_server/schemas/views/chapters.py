"""What a look at the beginning of a novel finds, as clients get to see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen


@frozen(kw_only=True, slots=False)
class HeadingView:
    """A heading: `offset` and `characters`, those up to the next one, count in the decoded text, `line` from 1.

    `level` is 1 (parts, volumes) to 3 (sections of a chapter).
    """

    title: str
    line: int
    level: int
    offset: int
    characters: int


@frozen(kw_only=True, slots=False)
class PreviewView:
    """What `split` finds: the first 200 `headings` of `headings_total`, how sure it is (0..1), and for which `reason`.

    `repaired_bytes` counts what is no text in the `encoding`; a character cut off at the end does so too.
    """

    encoding: str
    encoding_confidence: float
    repaired_bytes: int
    language: str
    confidence: float
    reason: str
    chapters: int
    characters: int
    sections: int
    headings_total: int
    headings: list[HeadingView]

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> PreviewView:
        """Show what `split` returned."""
        told = {name: result[name] for name in cls.__annotations__ if name != "headings"}
        return cls(**told, headings=[HeadingView(**heading) for heading in result["headings"]])
