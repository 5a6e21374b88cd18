"""How right the reader of novels is: chapters, encodings, languages, and how much its confidence is worth.

`quality.chapters_f1`: mean F1 of the headings of the corpus's novels, by its own rules of scoring (see
NOVEL_TASKS_CORPUS). The reference, on the same bytes in the same run, is one regular expression of all usual
headings. The table tells Pk (Beeferman et al., 1999) and WindowDiff (Pevzner and Hearst, 2002) of the cuts
too, in lines: the share of windows, half a mean chapter long, in which they are wrong.

`quality.restyled_f1`: the same of books that are made from the corpus: the chapters of its novels under
headings of over two hundred styles, with contents lists, running heads, misprints, lists, verses and notes
around them, each style with up to three novels of every language that has it. The shared novels are all read
rightly; these are harder. `quality.calibration`: of all these books that are told with a confidence of at
least 0.9, the share whose F1 is at least 0.95.

`quality.encoding`: the share of texts that come out exactly, of whole files as they are, and of a part of
each in every encoding of its language, whole and damaged (see `harness/damage.py`). The reference reads UTF-8
where it can, and else the usual Windows encoding of Western Europe.

`quality.language`: the share of whole novels, and of pieces of 300 characters of them, whose language is
told. The reference takes every Latin script for English, every Han script for simplified Chinese.

`--quick`: every fifth style, with one novel a language, and shorter texts for the encodings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean

from attrs import frozen

from benchmarks.harness.damage import variants
from benchmarks.harness.novels import KnownNovel, corpus_folder, known_novels
from benchmarks.harness.restyle import Restyled, Source, restyled, sources
from benchmarks.harness.results import Result, Table
from benchmarks.harness.run import Benchmark, Run
from benchmarks.harness.scoring import Cuts, right_when_sure, score, trust
from benchmarks.harness.styles import layouts_of, styles, titles_of
from benchmarks.harness.union_regex import regex_lines
from novel_tasks_core import NovelTasksError, read_novel
from novel_tasks_core.text.chapters import find_outline
from novel_tasks_core.text.decoding import decode
from novel_tasks_core.text.language import detect_language

ASKED = {"chapters_f1": 0.97, "restyled_f1": 0.97, "calibration": 0.95, "encoding": 0.99, "language": 0.98}

_PIECE = 300
_PIECES = 20
_SOURCES = 3


@frozen(kw_only=True)
class Judged:
    """A book whose headings were compared with the truth, ours and those of the expression."""

    name: str
    language: str
    group: str
    f1: float
    plain_f1: float
    confidence: float
    pk: float = 0.0
    window_diff: float = 0.0


async def measure(run: Run) -> list[Result | Table]:
    """Measure all. Raises: BenchmarkSkippedError without a corpus."""
    novels = known_novels()
    books = [_read(novel) for novel in novels]
    remade = [_judge_restyled(book) for book in _restyled(run)]
    judged = [(book.confidence, book.f1) for book in (*books, *remade)]
    return [
        _result("chapters_f1", _mean_of_languages(books), "union regex", fmean(book.plain_f1 for book in books)),
        _result("restyled_f1", fmean(book.f1 for book in remade), "union regex", fmean(b.plain_f1 for b in remade)),
        _result("calibration", right_when_sure(judged), "all right", 1.0),
        _encoding(novels, characters=run.sized(20_000, quick=3_000)),
        _language(novels),
        _books_table(books),
        _groups_table(remade),
        _trust_table(judged),
    ]


def _result(name: str, value: float, reference: str, reference_value: float) -> Result:
    """Make a result that meets its target where `value` is what is asked for, whatever the reference reaches."""
    result = Result(metric=f"quality.{name}", value=value, unit="share")
    return result.against(reference, reference_value, target=ASKED[name] / reference_value if reference_value else None)


def _mean_of_languages(books: Iterable[Judged]) -> float:
    by_language: dict[str, list[float]] = defaultdict(list)
    for book in books:
        by_language[book.language].append(book.f1)
    return fmean(fmean(values) for values in by_language.values())


def _read(known: KnownNovel) -> Judged:
    novel = read_novel(known.path.read_bytes(), file_name=known.path.name)
    lines = [chapter.line for chapter in novel.chapters if chapter.line is not None]
    cuts = Cuts.of(known.facts, lines, novel.text.count("\n") + 1)
    return Judged(
        name=known.path.name,
        language=known.language,
        group="as it is",
        f1=score(known.facts, lines).f1,
        plain_f1=score(known.facts, regex_lines(novel.text)).f1,
        confidence=novel.confidence,
        pk=cuts.pk,
        window_diff=cuts.window_diff,
    )


def _restyled(run: Run) -> Iterator[Restyled]:
    by_family: dict[str, list[Source]] = defaultdict(list)
    for source in sources(corpus_folder()):
        by_family[source.family].append(source)
    for number, style in enumerate(styles()):
        known = by_family[style.families]
        if known and number % run.sized(1, quick=5) == 0:
            for turn in range(min(len(known), run.sized(_SOURCES, quick=1))):
                source = known[(number + turn) % len(known)]
                yield restyled(source, style, titles_of(style.families), layouts_of(style.families))


def _judge_restyled(book: Restyled) -> Judged:
    outline = find_outline(book.text, markdown=book.style.suffix == "md")
    lines = [heading.line for heading in outline.headings]
    return Judged(
        name=book.name,
        language=book.language,
        group=book.style.group,
        f1=score(book.truth, lines).f1,
        plain_f1=score(book.truth, regex_lines(book.text)).f1,
        confidence=outline.confidence,
    )


def _encoding(novels: Sequence[KnownNovel], *, characters: int) -> Result:
    ours: list[bool] = []
    plain: list[bool] = []
    for novel in novels:
        data, text = novel.path.read_bytes(), novel.text()
        ours.append(_decoded(data) == text)
        plain.append(_plainly_decoded(data) == text)
        middle = text.find("\n", len(text) // 2) + 1
        for variant in variants(text[middle : middle + characters], novel.language, short=False):
            ours.append(variant.is_right(_decoded(variant.data)))
            plain.append(variant.is_right(_plainly_decoded(variant.data)))
    return _result("encoding", fmean(ours), "UTF-8, else cp1252", fmean(plain))


def _decoded(data: bytes) -> str:
    try:
        return decode(data).text
    except NovelTasksError:
        return ""


def _plainly_decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _language(novels: Sequence[KnownNovel]) -> Result:
    ours: list[bool] = []
    plain: list[bool] = []
    for novel in novels:
        text = novel.text()
        for piece in (text, *_pieces(text)):
            ours.append(detect_language(piece) == novel.language)
            plain.append(_by_script(piece) == novel.language)
    return _result("language", fmean(ours), "script alone", fmean(plain))


def _pieces(text: str) -> Iterator[str]:
    for number in range(1, _PIECES + 1):
        start = len(text) * number // (_PIECES + 1)
        yield text[start : start + _PIECE]


def _by_script(text: str) -> str:
    if any("\u3040" <= character <= "\u30ff" for character in text):
        return "ja"
    if any("\u4e00" <= character <= "\u9fff" for character in text):
        return "zh-Hans"
    return "ru" if any("\u0400" <= character <= "\u04ff" for character in text) else "en"


def _books_table(books: Sequence[Judged]) -> Table:
    rows = [
        (
            *(book.name, book.language, f"{book.f1:.3f}", f"{book.plain_f1:.3f}"),
            *(f"{book.pk:.4f}", f"{book.window_diff:.4f}", f"{book.confidence:.2f}"),
        )
        for book in books
    ]
    return Table(
        title="quality: the novels as they are",
        headings=("novel", "language", "F1", "union regex", "Pk", "WindowDiff", "confidence"),
        rows=tuple(rows),
    )


def _groups_table(books: Sequence[Judged]) -> Table:
    groups: dict[str, list[Judged]] = defaultdict(list)
    for book in books:
        groups[book.group].append(book)
        groups[f"all in {book.language}"].append(book)
    rows = [
        (
            *(name, str(len(inside)), f"{fmean(book.f1 for book in inside):.3f}"),
            *(f"{fmean(book.plain_f1 for book in inside):.3f}", f"{sum(book.confidence >= 0.9 for book in inside)}"),
            f"{right_when_sure([(book.confidence, book.f1) for book in inside]):.3f}",
        )
        for name, inside in sorted(groups.items())
    ]
    return Table(
        title="quality: the novels set anew",
        headings=("headings", "books", "F1", "union regex", "told with 0.9 or more", "of these right"),
        rows=tuple(rows),
    )


def _trust_table(judged: Sequence[tuple[float, float]]) -> Table:
    rows = [(one.name, str(one.books), f"{one.confidence:.2f}", f"{one.right:.3f}") for one in trust(judged)]
    return Table(
        title="quality: what the confidence is worth",
        headings=("confidence", "books", "mean confidence", "share right"),
        rows=tuple(rows),
        notes=("Right means an F1 of at least 0.95.",),
    )


BENCHMARK = Benchmark("quality", measure)
