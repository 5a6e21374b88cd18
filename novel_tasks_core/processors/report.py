"""The report of an analysis: one HTML page that needs nothing else, with charts in SVG and no script."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from novel_tasks_core.processors.report_words import CHINESE, ENGLISH, Words
from novel_tasks_core.text.appearances import Appearances, Person
from novel_tasks_core.text.measures import BookMeasures, ChapterMeasures

_STYLE = """
:root{color-scheme:light dark;--paper:#fbfaf7;--ink:#24211c;--soft:#6f695f;--line:#e3ded3;
--bar:#8a5a44;--talk:#d9a679;--card:#fff}
@media(prefers-color-scheme:dark){:root{--paper:#17161a;--ink:#e9e5dc;--soft:#9d968a;--line:#35323a;
--bar:#d19a7b;--talk:#7b4f3a;--card:#1f1d23}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:17px/1.6 Georgia,"Noto Serif","Songti SC","Noto Serif CJK SC",serif}
main{max-width:60rem;margin:0 auto;padding:3rem 1.25rem 4rem}
h1{font-weight:500;font-size:2.1rem;line-height:1.2;margin:0 0 .4rem;overflow-wrap:anywhere}
h2{font-weight:500;font-size:1.3rem;margin:3rem 0 .8rem}
p{margin:.4rem 0}.soft{color:var(--soft);font-size:.9rem}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.8rem;margin:2rem 0 0;padding:0}
.facts div{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.8rem 1rem}
.facts dt{color:var(--soft);font-size:.8rem}
.facts dd{margin:0;font-size:1.35rem;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{padding:.42rem .6rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{font-weight:500;color:var(--soft);font-size:.8rem}
td:nth-child(1),th:nth-child(1){text-align:left;white-space:normal;min-width:12rem;overflow-wrap:anywhere}
tr.part td{font-weight:600}tr.section td:first-child{padding-left:2rem}
svg{display:block;width:100%;height:auto}.bar{fill:var(--bar)}.talk{fill:var(--talk)}.axis{stroke:var(--line)}
svg text{fill:var(--soft);font:11px Georgia,serif}.mark{fill:var(--bar)}
@media print{body{background:#fff;color:#000;font-size:11pt}main{max-width:none;padding:0}
h2{break-after:avoid}tr{break-inside:avoid}}
"""
_CHART_WIDTH, _CHART_HEIGHT, _CHART_LEFT = 960, 240, 56
_STRIP_WIDTH = 360
_PEOPLE_SHOWN = 20
_MEETINGS_SHOWN = 12


def render_report(book: BookMeasures, facts: Mapping[str, Any], *, title: str) -> str:
    """Return the page: in Chinese for a Chinese novel, else in English. The same analysis gives the same bytes."""
    words = CHINESE if str(facts["language"]).startswith("zh") else ENGLISH
    shown = escape(title) or words["untitled"]
    body = "".join(
        (
            f"<h1>{shown}</h1>",
            f'<p class="soft">{escape(_source_line(facts, words))}</p>',
            _facts(book, facts, words),
            f"<h2>{words['lengths']}</h2>{_length_chart(book, words)}",
            f"<h2>{words['chapters']}</h2>{_chapter_table(book, words)}",
            _people(book, words),
            f'<p class="soft">{escape(words["note"])}</p>',
        )
    )
    return (
        f'<!doctype html>\n<html lang="{words["lang"]}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{shown}</title><style>{_STYLE}</style></head><body><main>{body}</main></body></html>\n"
    )


def _source_line(facts: Mapping[str, Any], words: Words) -> str:
    repaired = facts["repaired_bytes"]
    damage = f" · {words['repaired']}: {repaired:,}" if repaired else ""
    return (
        f"{words['encoding']}: {facts['encoding']} · {words['language']}: {facts['language']}"
        f" · {words['confidence']}: {facts['confidence']:.0%}{damage}"
    )


def _facts(book: BookMeasures, facts: Mapping[str, Any], words: Words) -> str:
    cards = (
        (words["chapters"], _number(facts["chapters"], words)),
        (words["words"], _number(book.words, words)),
        (words["characters"], _number(book.characters, words)),
        (words["sentences"], _number(book.sentences, words)),
        (words["reading"], _time(book.reading_minutes, words)),
        (words["dialogue"], _share(book.dialogue_share, words)),
        (words["readability"], words["none"] if book.readability is None else f"{book.readability.score:.0f}"),
        (words["richness"], words["none"] if book.richness is None else f"{book.richness:.2f}"),
    )
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in cards)
    formula = f'<p class="soft">{words["formula"]}: {escape(book.readability.formula)}</p>' if book.readability else ""
    return f'<dl class="facts">{items}</dl>{formula}'


def _number(value: int | None, words: Words) -> str:
    return words["none"] if value is None else f"{value:,}"


def _share(value: float | None, words: Words) -> str:
    return words["none"] if value is None else f"{value:.0%}"


def _time(minutes: float | None, words: Words) -> str:
    if minutes is None:
        return words["none"]
    hours, rest = divmod(round(minutes), 60)
    return words["hours"].format(hours=hours, minutes=rest) if hours else words["minutes"].format(minutes=rest)


def _length_chart(book: BookMeasures, words: Words) -> str:
    """Draw a bar for every section, its spoken share below; many sections share a bar's place as thin lines."""
    chapters = [chapter for chapter in book.chapters if chapter.kind != "part" or chapter.characters > 500] or list(
        book.chapters
    )
    highest = max((chapter.characters for chapter in chapters), default=0) or 1
    step = (_CHART_WIDTH - _CHART_LEFT) / max(1, len(chapters))
    bars = "".join(_bar(index, chapter, step, highest) for index, chapter in enumerate(chapters))
    lines = "".join(
        f'<line class="axis" x1="{_CHART_LEFT}" x2="{_CHART_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_CHART_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{round(highest * part):,}</text>'
        for part, y in ((part, 8 + _CHART_HEIGHT * (1 - part)) for part in (0, 0.5, 1))
    )
    note = words["chart_note_plain" if book.dialogue_share is None else "chart_note"]
    legend = f'<p class="soft">{escape(note)}</p>'
    return (
        f'<svg viewBox="0 0 {_CHART_WIDTH} {_CHART_HEIGHT + 16}" role="img" aria-label="{escape(words["lengths"])}">'
        f"{lines}{bars}</svg>{legend}"
    )


def _bar(index: int, chapter: ChapterMeasures, step: float, highest: int) -> str:
    width = max(0.4, step * 0.78)
    x = _CHART_LEFT + index * step + (step - width) / 2
    height = _CHART_HEIGHT * chapter.characters / highest
    spoken = height * (chapter.dialogue_share or 0.0)
    name = escape(f"{chapter.title or '-'}: {chapter.characters:,}")
    talk = _column("talk", x, width, spoken) if spoken else ""
    return f"<g><title>{name}</title>{_column('bar', x, width, height)}{talk}</g>"


def _column(kind: str, x: float, width: float, height: float) -> str:
    top = 8 + _CHART_HEIGHT - height
    return f'<rect class="{kind}" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _chapter_table(book: BookMeasures, words: Words) -> str:
    heads = (
        "title",
        "words" if book.words is not None else "characters",
        "sentences",
        "reading",
        "dialogue",
        "readability",
    )
    head = "".join(f'<th scope="col">{escape(words[name])}</th>' for name in heads)
    rows = "".join(_chapter_row(chapter, words) for chapter in book.chapters)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _chapter_row(chapter: ChapterMeasures, words: Words) -> str:
    cells = (
        chapter.title or words["untitled"],
        f"{chapter.characters if chapter.words is None else chapter.words:,}",
        _number(chapter.sentences, words),
        _time(chapter.reading_minutes, words),
        _share(chapter.dialogue_share, words),
        words["none"] if chapter.readability is None else f"{chapter.readability.score:.0f}",
    )
    return f'<tr class="{escape(chapter.kind)}">' + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _people(book: BookMeasures, words: Words) -> str:
    heading = f"<h2>{words['people']}</h2>"
    if book.people is None:
        return f'{heading}<p class="soft">{words["none"]}</p>'
    if not book.people:
        return ""
    rows = "".join(_person_row(person, len(book.chapters)) for person in book.people[:_PEOPLE_SHOWN])
    head = "".join(f'<th scope="col">{words[name]}</th>' for name in ("name", "mentions", "where"))
    table = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    return heading + table + _meetings(book, words)


def _person_row(person: Person, chapters: int) -> str:
    aliases = f' <span class="soft">{escape(", ".join(person.aliases[:4]))}</span>' if person.aliases else ""
    cells = (f"{escape(person.name)}{aliases}", f"{person.mentions:,}", _strip(person.by_chapter, chapters))
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _strip(by_chapter: Appearances, chapters: int) -> str:
    """Draw where in the book somebody is named: a mark for each chapter, darker the more often."""
    highest = max((count for _, count in by_chapter), default=1)
    step = _STRIP_WIDTH / max(1, chapters)
    width = max(0.6, step * 0.9)
    marks = "".join(
        f'<rect class="mark" x="{index * step:.1f}" y="1" width="{width:.1f}" height="14"'
        f' opacity="{0.15 + 0.85 * count / highest:.2f}"/>'
        for index, count in by_chapter
    )
    return f'<svg viewBox="0 0 {_STRIP_WIDTH} 16" style="width:{_STRIP_WIDTH}px;max-width:100%">{marks}</svg>'


def _meetings(book: BookMeasures, words: Words) -> str:
    if not book.meetings:
        return ""
    rows = "".join(
        f"<tr><td>{escape(meeting.first)} – {escape(meeting.second)}</td><td>{meeting.chapters:,}</td></tr>"
        for meeting in book.meetings[:_MEETINGS_SHOWN]
    )
    head = f'<th scope="col">{words["meeting"]}</th><th scope="col">{words["chapters"]}</th>'
    return f"<h2>{words['meetings']}</h2><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
