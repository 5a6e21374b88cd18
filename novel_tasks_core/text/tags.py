"""Language tags."""

from __future__ import annotations


def base_language(tag: str) -> str:
    """Return the language of a BCP 47 tag: zh for zh-Hant."""
    return tag.partition("-")[0]
