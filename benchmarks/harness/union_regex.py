"""What most converters do: one expression of all usual headings, every line that matches is one."""

from __future__ import annotations

import re

_HAN = "零〇一二三四五六七八九十百千两兩壹贰叁肆伍陆柒捌玖拾0-9０-９"
_WORDS = (
    "chapter|chap|part|book|volume|letter|stave|canto|chapitre|partie|livre|tome|lettre|kapitel|teil|buch|band|brief"
    "|capítulo|capitulo|parte|libro|tomo|carta|глава|часть|книга|том|письмо"
)
_NAMES = (
    "prologue|epilogue|preface|introduction|préface|épilogue|vorwort|prolog|epilog|prólogo|epílogo|пролог|эпилог"
    "|предисловие|楔子|序章|序|引子|尾声|尾聲|后记|後記|番外|プロローグ|エピローグ|終章|はしがき|あとがき"
)
_UNION = re.compile(
    rf"^[ \t\u3000#*_【\[(（]*(?:(?:{_WORDS})\b[ .:]*(?:[ivxlc]+|[0-9]+|\w+)\b.{{0,80}}"
    rf"|\w+\.?[ ](?:kapitel|teil|buch|partie|глава|часть)\b.{{0,80}}"
    rf"|第[ ]?[{_HAN}]+[ ]?[章回节節卷部話话集].{{0,40}}"
    rf"|[{_HAN}]{{1,4}}|[IVXLC]{{1,7}}\.?|[0-9]{{1,3}}\.?|(?:[IVXLC]{{1,7}}|[0-9]{{1,3}})[.、:][ ]?.{{1,70}}"
    rf"|(?:{_NAMES})\b.{{0,40}})[ \t】\])）*_]*\r?$",
    re.MULTILINE | re.IGNORECASE,
)


def regex_lines(text: str) -> list[int]:
    """Return the lines, from 1, that the expression takes for headings."""
    lines: list[int] = []
    number, at = 1, 0
    for match in _UNION.finditer(text):
        number += text.count("\n", at, match.start())
        at = match.start()
        lines.append(number)
    return lines
