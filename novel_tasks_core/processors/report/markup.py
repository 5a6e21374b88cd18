"""Text for the page: nothing that an author, a file name or a damaged byte holds can become markup or break a line."""

from __future__ import annotations

import re
from html import escape

from novel_tasks_core.processors.report.words import Words

LONGEST_TITLE = 160
"""How many characters of a title or a name are shown."""
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]+")
_LONE = re.compile("[\ud800-\udfff]")


def plain(value: str, limit: int = LONGEST_TITLE) -> str:
    """Return a title without control characters and half characters, and of bearable length; not yet escaped."""
    cut = value[: limit + 1]
    shown = _LONE.sub("\ufffd", _UNSEEN.sub(" ", cut)).strip()
    return shown if len(cut) <= limit else shown[: limit - 1].rstrip() + "…"


def text(value: str, limit: int = LONGEST_TITLE) -> str:
    """Return a title as text of the page."""
    return escape(plain(value, limit))


def foreign(language: str, words: Words) -> str:
    """Return the attributes of text in the novel's language: its tag where the page has another, any direction."""
    return f'{tongue(language, words)} dir="auto"'


def tongue(language: str, words: Words) -> str:
    """Return the attribute that names the novel's language where the page has another."""
    tag = "" if language == "und" else escape(language)
    return "" if language == words.lang else f' lang="{tag}"'


def inline(value: str, language: str, words: Words, limit: int = LONGEST_TITLE) -> str:
    """Return a title inside a sentence, whose direction it cannot turn."""
    return f"<bdi{tongue(language, words)}>{text(value, limit)}</bdi>"


def named(identifier: str, title: str, description: str) -> tuple[str, str]:
    """Return (attributes, elements) that give an SVG its name and its description."""
    label = f"{identifier}-t {identifier}-d" if description else f"{identifier}-t"
    more = f'<desc id="{identifier}-d">{escape(description)}</desc>' if description else ""
    return (
        f'role="img" aria-labelledby="{label}"',
        f'<title id="{identifier}-t">{escape(title)}</title>{more}',
    )
