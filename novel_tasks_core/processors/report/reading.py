"""How the text was read: its encoding and language, how sure its chapters are and why, and warnings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from novel_tasks_core.processors.report.markup import plain, text
from novel_tasks_core.processors.report.numbers import counted, exact, share
from novel_tasks_core.processors.report.words import Words

_SURE, _RATHER_SURE, _UNSURE = 0.9, 0.75, 0.5
_SURE_ENCODING = 0.8
_LONGEST_REASON = 400
_ENCODINGS = {
    "utf-8": "UTF-8", "utf-8-sig": "UTF-8 (BOM)", "utf-16": "UTF-16 (BOM)", "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE", "gb18030": "GB 18030", "gbk": "GBK", "big5": "Big5", "big5hkscs": "Big5-HKSCS",
    "shift_jis": "Shift JIS", "cp932": "Windows-31J", "euc_jp": "EUC-JP", "cp949": "CP949", "euc_kr": "EUC-KR",
    "koi8-r": "KOI8-R", "ascii": "ASCII", "iso8859-1": "ISO 8859-1", "latin-1": "ISO 8859-1",
}  # fmt: skip


def how_it_was_read(facts: Mapping[str, Any], words: Words) -> str:
    """Return what was found out about the file, in words."""
    language = str(facts["language"])
    rows = (
        (words.language, text(words.languages.get(language, language), 40)),
        (words.encoding, escape(_encoding_words(facts, words))),
        (words.damage, escape(_damage(facts, words))),
        (words.headings, _headings(facts, words)),
    )
    return '<dl class="read">' + "".join(f"<div><dt>{escape(n)}</dt><dd>{v}</dd></div>" for n, v in rows) + "</dl>"


def _damage(facts: Mapping[str, Any], words: Words) -> str:
    count = facts["repaired_bytes"]
    if not count:
        return words.no_damage
    told = counted(words.count_bytes, count, exact(count))
    places = facts.get("damage")
    return words.damage_at.format(bytes=told, offset=exact(places[0][0])) if places else told


def encoding_name(codec: str) -> str:
    """Return the name that people know an encoding by."""
    known = _ENCODINGS.get(codec.lower().replace("_", "-")) or _ENCODINGS.get(codec.lower())
    page = re.fullmatch(r"cp(125\d)", codec.lower())
    return known or (f"Windows-{page[1]}" if page else plain(codec, 40))


def _encoding_words(facts: Mapping[str, Any], words: Words) -> str:
    sure = words.encoding_sure[0 if facts["encoding_confidence"] >= _SURE_ENCODING else 1]
    return sure.format(name=encoding_name(str(facts["encoding"])), share=share(facts["encoding_confidence"]))


def _headings(facts: Mapping[str, Any], words: Words) -> str:
    confidence = float(facts["confidence"])
    level = sum(confidence < bound for bound in (_SURE, _RATHER_SURE, _UNSURE))
    sure = words.sure[level].format(share=share(confidence))
    return f"{escape(sure)}{words.because}{reason_words(str(facts['reason']), words)}"


def reason_words(reason: str, words: Words) -> str:
    """Return the reason of the chapters' confidence in the page's language, or as it is, marked as English."""
    said = reason
    for pattern, replacement in words.reasons:
        said = re.sub(pattern, replacement, said)
    if words.lang != "en" and re.search("[A-Za-z]{3}", re.sub("“[^”]*”|Markdown", "", said)):
        return f'<span lang="en">{text(reason, _LONGEST_REASON)}</span>'
    return text(said, _LONGEST_REASON)


def warnings(facts: Mapping[str, Any], words: Words) -> str:
    """Return a modest box for what may be wrong, "" when nothing is."""
    found = []
    if facts["confidence"] < _RATHER_SURE:
        found.append(words.warn_chapters)
    damage = facts["repaired_bytes"]
    if damage:
        found.append(words.warn_damage.format(bytes=counted(words.count_bytes, damage, exact(damage))))
    if facts["encoding_confidence"] < _SURE_ENCODING:
        found.append(words.warn_encoding)
    if not found:
        return ""
    items = "".join(f"<li>{escape(item)}</li>" for item in found)
    name = escape(words.warning)
    return f'<aside class="warning" aria-label="{name}"><p>{name}</p><ul>{items}</ul></aside>'
