"""The charts over the book, each in a figure that says in words what it shows and gives its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from novel_tasks_core.processors.report.contents import Contents, chapter_link
from novel_tasks_core.processors.report.courses import Course, course_chart, dot_chart
from novel_tasks_core.processors.report.lengths import length_chart
from novel_tasks_core.processors.report.markup import inline
from novel_tasks_core.processors.report.numbers import counted, decimal, exact, share
from novel_tasks_core.processors.report.plots import MOST_PARTS
from novel_tasks_core.processors.report.shape import Shape, quartiles
from novel_tasks_core.processors.report.words import Words
from novel_tasks_core.text.measures import BookMeasures

_FEWEST_POINTS = 4
_PART_TITLE = 60


def charts(
    book: BookMeasures, contents: Contents, dots: Sequence[tuple[float, float]], language: str, words: Words
) -> str:
    """Return all charts that this book has numbers for; `dots` are the readability of its chapters."""
    found = [_lengths(book, contents, language, words)]
    found += [_course(course, contents, language, words) for course in _courses(book, words)]
    if book.readability is not None and len(dots) >= _FEWEST_POINTS:
        found.append(_readability(book, dots, contents, language, words))
    return "".join(found)


def figure(heading: str, chart: str, caption: Sequence[str], data: str = "") -> str:
    """Return a chart with its heading, its caption (markup, a sentence each) and its numbers."""
    said = " ".join(caption)
    return f"<figure><h3>{escape(heading)}</h3>{chart}<figcaption>{said}{data}</figcaption></figure>"


def details(summary: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table that opens on demand; the cells are text."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    )
    return (
        f"<details><summary>{escape(summary)}</summary><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></details>"
    )


def _lengths(book: BookMeasures, contents: Contents, language: str, words: Words) -> str:
    shape = contents.shape
    if len(shape) < 2:
        return ""
    forms = words.count_words if shape.by_words else words.count_characters
    typical = _typical(shape, forms, words)
    unit = words.words if shape.by_words else words.characters
    note = words.lengths_note.format(unit=unit.lower())
    dialogue = book.dialogue_share is not None
    chart = length_chart(shape, words, dialogue=dialogue, description=" ".join(filter(None, (note, typical))))
    caption = [_key("k1", words.narration), _key("k2", words.speech)] if dialogue else []
    caption += [_key("k3", words.median)] if len(shape) >= 5 else []
    caption = ["".join(f"<span>{item}</span> &#8194;" for item in caption), escape(note), escape(typical)]
    binned = escape(_binned(shape, words))
    link = f'<a href="#contents">{escape(words.see_contents)}</a>'
    return figure(words.lengths, chart, [*caption, binned, link], _parts(contents, language, words))


def _typical(shape: Shape, forms: tuple[str, str], words: Words) -> str:
    if len(shape) < 5:
        return ""
    low, middle, high = quartiles(shape.amounts)
    return words.typical_chapter.format(
        middle=counted(forms, round(middle), exact(middle)), low=exact(low), high=exact(high)
    )


def _binned(shape: Shape, words: Words) -> str:
    width = shape.width
    return words.lengths_binned.format(n=counted(words.count_chapters, width, exact(width))) if width > 1 else ""


def _parts(contents: Contents, language: str, words: Words) -> str:
    """Return the names of the parts whose numbers stand in the charts, linked to their rows."""
    parts = contents.shape.parts
    if not 1 < len(parts) <= MOST_PARTS:
        return ""
    told = words.part_lines.format(parts=counted(words.count_parts, len(parts), exact(len(parts))))
    names = (inline(part.title, language, words, _PART_TITLE) if part.title else words.untitled for part in parts)
    items = "".join(
        f'<li><a href="#s{part.section + 1}">{name}</a></li>' if part.section in contents.shown else f"<li>{name}</li>"
        for part, name in zip(parts, names, strict=True)
    )
    return f"<p>{escape(told)}</p><ol>{items}</ol>"


def _key(kind: str, name: str) -> str:
    return f'<i class="key {kind}"></i>{escape(name)}'


def _courses(book: BookMeasures, words: Words) -> list[Course]:
    spoken = [(p.position, p.dialogue_share) for p in book.pace if p.dialogue_share is not None]
    lengths = [(p.position, p.sentence_words) for p in book.pace if p.sentence_words is not None]
    found = []
    if len(spoken) >= _FEWEST_POINTS and book.dialogue_share is not None:
        found.append(
            Course(
                identifier="dialogue",
                title=words.dialogue_course,
                description=words.dialogue_note,
                points=spoken,
                whole=book.dialogue_share,
                label=share,
            )
        )
    if len(lengths) >= _FEWEST_POINTS:
        mean = book.words / book.sentences if book.words and book.sentences else None
        found.append(
            Course(
                identifier="pace",
                title=words.sentence_course,
                description=words.sentence_note,
                points=lengths,
                whole=mean,
                label=decimal,
            )
        )
    return found


def _course(course: Course, contents: Contents, language: str, words: Words) -> str:
    shape = contents.shape
    rows = [(share(at), course.label(value)) for at, value in course.points]
    data = details(words.data, (words.position, course.title), rows)
    return figure(course.title, course_chart(course, shape), _caption(course, contents, language, words), data)


def _caption(course: Course, contents: Contents, language: str, words: Words) -> list[str]:
    whole = []
    if course.whole is not None:
        whole = [_key("k3", words.whole_book.format(value=course.label(course.whole))) + " &#8194;"]
    return [*whole, escape(course.description), _span(course, contents, language, words)]


def _span(course: Course, contents: Contents, language: str, words: Words) -> str:
    """Tell where the figure is highest and where lowest: in which chapter or, without chapters, where in the text."""
    middles = course.middles()
    high = max(middles, key=lambda p: (p[1], -p[0]))
    low = min(middles, key=lambda p: (p[1], p[0]))
    said = words.highest_at.format(high=course.label(high[1]), low=course.label(low[1]), place="{0}", place2="{1}")
    return escape(said).format(*(_place(at, contents, language, words) for at in (high[0], low[0])))


def _place(at: float, contents: Contents, language: str, words: Words) -> str:
    if len(contents.shape) < 2:
        return share(at)
    return chapter_link(contents, contents.shape.chapter_at(at), language, words)


def _readability(
    book: BookMeasures, dots: Sequence[tuple[float, float]], contents: Contents, language: str, words: Words
) -> str:
    score = book.readability
    course = Course(
        identifier="easy",
        title=words.readability_course,
        description=words.readability_note.format(formula=score.formula if score else ""),
        points=dots,
        whole=score.score if score else None,
        label=lambda value: f"{value:.0f}",
        highest=100.0,
    )
    caption = [_key("k3", words.whole_book.format(value=course.label(score.score))) + " &#8194;"] if score else []
    return figure(
        course.title,
        dot_chart(course, contents.shape),
        [*caption, escape(course.description), f'<a href="#contents">{escape(words.see_contents)}</a>'],
    )
