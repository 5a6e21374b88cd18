"""The words of the report, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Words = Mapping[str, str]

ENGLISH: Words = MappingProxyType(
    {
        "lang": "en",
        "untitled": "Untitled",
        "encoding": "Encoding",
        "language": "Language",
        "confidence": "Confidence in the chapters",
        "repaired": "Damaged bytes replaced",
        "chapters": "Chapters",
        "words": "Words",
        "characters": "Characters",
        "sentences": "Sentences",
        "reading": "Reading time",
        "dialogue": "Dialogue",
        "readability": "Readability",
        "richness": "Lexical richness",
        "formula": "Readability formula",
        "lengths": "Chapter lengths",
        "chart_note": "Characters per chapter; the lighter foot of each bar is dialogue.",
        "chart_note_plain": "Characters per chapter.",
        "title": "Title",
        "people": "People",
        "name": "Name",
        "mentions": "Mentions",
        "where": "Where in the book",
        "meetings": "Who appears with whom",
        "meeting": "Together in a chapter",
        "none": "not available",
        "hours": "{hours} h {minutes:02} min",
        "minutes": "{minutes} min",
        "note": (
            "Characters are counted without blanks. Lexical richness is the share of different words in stretches of a"
            " thousand. What cannot be measured in this language is shown as not available."
        ),
    }
)

CHINESE: Words = MappingProxyType(
    {
        "lang": "zh",
        "untitled": "无题",
        "encoding": "编码",
        "language": "语言",
        "confidence": "分章可信度",
        "repaired": "已替换的损坏字节",
        "chapters": "章节",
        "words": "词数",
        "characters": "字数",
        "sentences": "句数",
        "reading": "阅读时间",
        "dialogue": "对话占比",
        "readability": "易读性",
        "richness": "词汇丰富度",
        "formula": "易读性公式",
        "lengths": "各章长度",
        "chart_note": "每章字数；柱形下部浅色为对话。",
        "chart_note_plain": "每章字数。",
        "title": "标题",
        "people": "人物",
        "name": "姓名",
        "mentions": "出现次数",
        "where": "出现位置",
        "meetings": "同场人物",
        "meeting": "同在一章",
        "none": "不可用",
        "hours": "{hours} 小时 {minutes} 分",
        "minutes": "{minutes} 分钟",
        "note": "字数不含空白。该语言无法可靠测量的项目显示为“不可用”。",
    }
)
