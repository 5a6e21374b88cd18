"""The notation of the Aozora library in XHTML: readings as ruby, notes of the typist as what they ask for.

Consumed are the marks of readings (《》, ｜), of headings, indents, page breaks, emphasis and characters
outside the font; any other note ［＃…］ stays to be read, in small type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LEGEND = "【テキスト中に現れる記号について】"
_KANJI = "々〆〇ヶ仝\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff※"
_MARKED_READING = re.compile(r"《([^《》\n]{1,60})》")
_RUN_BACKWARDS = re.compile(rf"[{_KANJI}]+|[ァ-ヴー]+|[A-Za-zÀ-ɏＡ-Ｚａ-ｚ]+")
_NOT_IN_BASE = re.compile("[｜《》\n<]")
_LONGEST_BASE = 60
_READING = re.compile(r"[々-〇㐀-鿿]《[ぁ-ゖァ-ヺー・]{1,20}》")
_OUTSIDE = re.compile(r"※［＃([^［］\n]{1,120})］")
_CODE_POINT = re.compile(r"U\+([0-9A-Fa-f]{4,6})")
_JIS = re.compile(r"第[34]水準([12])-(\d{1,2})-(\d{1,2})")
_EMPHASIS = re.compile(r"［＃「([^「」\n]{1,60})」に(?:白|黒|丸|二重)*(?:ゴマ|丸|三角|ばつ|蛇の目)?(傍点|傍線)］")
_SILENT = re.compile(
    r"［＃(?:(?:ここから)?[^［］\n]{0,12}字下げ[^［］\n]{0,20}|ここで[^［］\n]{1,16}終わり|改(?:ページ|丁|段|見開き)"
    r"|「[^\n］]{1,200}」は(?:同行|窓)?[大中小]見出し|(?:ここから)?(?:同行|窓)?[大中小]見出し(?:終わり)?"
    r"|地付き|地から[^［］\n]{1,4}字上げ|本文終わり|(?:傍点|太字|傍線)(?:終わり)?)］"
)
_INDENT = re.compile(r"<p( class=\"gap\")?>(?:［＃([０-９]{1,2})字下げ］)")
_AT_END = re.compile(r"<p( class=\"gap\")?>［＃地(?:付き|から[^［］\n]{1,4}字上げ)］")
_OTHER = re.compile(r"［＃([^［］\n]{1,200})］")
_EMPTY = re.compile(r"<p(?: class=\"[a-z ]+\")?></p>\n")
_LEAST_READINGS = 20


def uses_notation(head: str, sample: str) -> bool:
    """Tell a text in the notation: it explains it at its head, or has many readings in kana after kanji."""
    return _LEGEND in head[:3000] or len(_READING.findall(sample)) >= _LEAST_READINGS


def with_ruby(markup: str) -> str:
    """Turn the notation in finished paragraphs, one a line, into markup."""
    if "［＃" in markup:
        markup = _notes(markup)
    if "《" in markup:
        markup = "".join(_with_readings(markup))
    return markup


def _with_readings(markup: str) -> Iterator[str]:
    """Yield the markup with every reading over its base: what follows a ｜, else a run of one script before it."""
    done = 0
    for match in _MARKED_READING.finditer(markup):
        start = match.start()
        lowest = max(done, start - _LONGEST_BASE - 1)
        bar = markup.rfind("｜", lowest, start)
        base = bar + 1
        if bar < 0 or base == start or _NOT_IN_BASE.search(markup, base, start):
            run = _RUN_BACKWARDS.match(markup[lowest:start][::-1])
            if run is None:
                continue
            bar = base = start - run.end()
        yield markup[done:bar]
        yield f"<ruby>{markup[base:start]}<rp>（</rp><rt>{match[1]}</rt><rp>）</rp></ruby>"
        done = match.end()
    yield markup[done:]


def _notes(markup: str) -> str:
    markup = _OUTSIDE.sub(_character, markup)
    markup = _INDENT.sub(_indented, markup)
    markup = _AT_END.sub('<p class="end">', markup)
    if "に" in markup:
        markup = "\n".join(_emphasized(line) if "［＃「" in line else line for line in markup.split("\n"))
    markup = _SILENT.sub("", markup)
    markup = _OTHER.sub(r'<small class="note">［＃\1］</small>', markup)
    return _EMPTY.sub("", markup)


def _character(match: re.Match[str]) -> str:
    """Return the character that a note describes by its code, the note itself without one."""
    point = _CODE_POINT.search(match[1])
    if point and 0xA0 <= int(point[1], 16) <= 0x3FFFF and int(point[1], 16) & 0xFFFE != 0xFFFE:
        return chr(int(point[1], 16))
    jis = _JIS.search(match[1]) or re.search(r"、([12])-(\d{1,2})-(\d{1,2})$", match[1])
    if jis:
        plane, row, cell = int(jis[1]), int(jis[2]), int(jis[3])
        prefix = b"\x8f" if plane == 2 else b""
        try:
            return (prefix + bytes((row + 0xA0, cell + 0xA0))).decode("euc_jis_2004")
        except ValueError:
            pass
    return match[0].replace("［", "〔").replace("］", "〕")


def _indented(match: re.Match[str]) -> str:
    depth = min(int(match[2]), 12)
    return f'<p{match[1] or ""} style="margin-inline-start:{depth}em">'


def _emphasized(line: str) -> str:
    """Set the words that a note names, just before it, in emphasis; leave a note whose words stand elsewhere."""
    start = 0
    while match := _EMPHASIS.search(line, start):
        word, name = match[1], "dots" if match[2] == "傍点" else "rule"
        before = line[: match.start()]
        if before.endswith(word) and "<" not in word:
            kept = f'{before[: len(before) - len(word)]}<em class="{name}">{word}</em>'
        else:
            kept = before
        start = len(kept)
        line = kept + line[match.end() :]
    return line
