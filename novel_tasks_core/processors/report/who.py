"""The people of the book: where each is, and who meets whom."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from novel_tasks_core.processors.report.contents import Contents, label_of, link
from novel_tasks_core.processors.report.markup import foreign, inline, plain, text, tongue
from novel_tasks_core.processors.report.meetings import drawn_meetings, meeting_graph
from novel_tasks_core.processors.report.numbers import counted, exact
from novel_tasks_core.processors.report.over import details, figure
from novel_tasks_core.processors.report.presence import Presence, presence_of, ruler, strip
from novel_tasks_core.processors.report.words import Words
from novel_tasks_core.text.appearances import Meeting, Person
from novel_tasks_core.text.measures import BookMeasures

_MOST_PEOPLE = 20
_MOST_ALIASES = 3
_ALIASES = 48
_FEWEST_CHAPTERS = 3
_PAIRS_LISTED = 40
_NAME = 60


def people_section(book: BookMeasures, contents: Contents, language: str, words: Words) -> str:
    """Return who is where and who meets whom; why there is nobody, or "" for a language without names."""
    if book.people is None:
        return ""
    if not book.people:
        return f'<p class="soft">{escape(words.nobody)}</p>'
    left = len(book.people) - _MOST_PEOPLE
    more = words.more_people.format(n=counted(words.count_people, left, exact(left))) if left > 0 else ""
    return _presence(book.people[:_MOST_PEOPLE], more, contents, language, words) + _meetings(book, language, words)


def _presence(people: Sequence[Person], more: str, contents: Contents, language: str, words: Words) -> str:
    shape = contents.shape
    drawn = len(shape) >= _FEWEST_CHAPTERS
    rows = []
    for number, person in enumerate(people, start=1):
        found = presence_of(person, shape)
        if found is not None:
            rows.append(_row(number, person, found, drawn, contents, language, words))
    where = f'<th scope="col" class="w">{escape(words.where)}{ruler(shape)}</th>' if drawn else ""
    head = f'<th scope="col">{escape(words.name)}</th>{where}<th scope="col">{escape(words.mentions)}</th>'
    if drawn:
        head += "".join(f'<th scope="col" class="o">{escape(name)}</th>' for name in (words.first, words.last))
    table = f'<table class="presence"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    notes = f"{escape(words.presence_note) if drawn else ''} {escape(more)}".strip()
    return table + (f'<p class="soft">{notes}</p>' if notes else "")


def _row(
    number: int, person: Person, found: Presence, drawn: bool, contents: Contents, language: str, words: Words
) -> str:
    shape = contents.shape
    others = plain(words.comma.join(person.aliases[:_MOST_ALIASES]), _ALIASES)
    aliases = f"<small>{escape(others)}</small>" if others else ""
    name = f'<th scope="row"{foreign(language, words)}>{text(person.name, _NAME)}{aliases}</th>'
    mentions = f"<td>{exact(person.mentions)}</td>"
    if not drawn:
        return f"<tr>{name}{mentions}</tr>"
    told = words.present.format(
        name=plain(person.name, _NAME),
        mentions=exact(person.mentions),
        chapters=counted(words.count_chapters, found.chapters, exact(found.chapters)),
        most=shape.full_title(found.most) or label_of(shape, found.most),
    )
    ends = "".join(f'<td class="o">{link(contents, at, label_of(shape, at))}</td>' for at in (found.first, found.last))
    return f'<tr>{name}<td class="w">{strip(number, found, shape, told)}</td>{mentions}{ends}</tr>'


def _meetings(book: BookMeasures, language: str, words: Words) -> str:
    people, meetings = book.people or (), book.meetings or ()
    drawn = drawn_meetings(people, meetings)
    if len(drawn) < 2:
        return ""
    most = _most_together(drawn[0], language, words)
    note = words.meetings_note
    chart = meeting_graph(people, drawn, words.meetings, note, tongue(language, words))
    rows = [
        (f"{plain(m.first, _NAME)} – {plain(m.second, _NAME)}", exact(m.scenes), exact(m.chapters))
        for m in meetings[:_PAIRS_LISTED]
    ]
    data = details(words.data, (words.pair, words.scenes, words.chapters), rows)
    return figure(words.meetings, chart, [escape(note), most], data)


def _most_together(meeting: Meeting, language: str, words: Words) -> str:
    scenes = counted(words.count_scenes, meeting.scenes, exact(meeting.scenes))
    said = escape(words.most_together.replace("{scenes}", scenes))
    first, second = inline(meeting.first, language, words, _NAME), inline(meeting.second, language, words, _NAME)
    return said.replace("{first}", first).replace("{second}", second)
