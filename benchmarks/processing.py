"""How fast novels are processed, and in how much memory.

Megabytes (10^6 bytes of input) a second of CPU time, thus per core, of a child process that runs a built-in
processor on one large file, from the bytes on disk to the staged artifacts; its start and its imports are
left out by a short text that it processes before. The files are whole novels of the corpus (see
NOVEL_TASKS_CORPUS) one after the other, again and again, each with its own headings: English, Chinese,
Russian and Japanese as UTF-8, Chinese also as GB18030, English also as Markdown.

`processing.split_mb_s`, `processing.epub_mb_s`, `processing.analyze_en_mb_s` and `processing.analyze_zh_mb_s`
are the speeds on the largest file but one, against what is asked. `processing.peak_rss_mb` is the most
resident memory that any child had in the run, its interpreter and libraries included, against the limit of
150 MB, or of 270 MB where the dictionary of the extra `zh` is loaded, whichever is nearer. The tables give
every processor, language and size beside bounds of the same run: SHA-256 and decoding of the same bytes.

`--quick`: files of 1 and 10 MB, English and Chinese. In full 1, 10, 100 and, of these two, 500 MB, and beside `epub`
the package txt-to-epub-converter on the smallest file, installed into an environment of its own.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from benchmarks.harness.child_costs import Cost, cost_of
from benchmarks.harness.converter import converter_mb_s
from benchmarks.harness.novels import KnownNovel, known_novels, write_repeated
from benchmarks.harness.peers.environments import PeerMissingError
from benchmarks.harness.results import Result, Table, limited
from benchmarks.harness.run import Benchmark, Run
from novel_tasks_core import Processors

ASKED_MB_S = {"split": 100.0, "epub": 15.0, "analyze_en": 5.0, "analyze_zh": 3.5}
LIMIT_MB = 150.0
LIMIT_WITH_DICTIONARY_MB = 270.0

_MEGABYTE = 1_000_000
_BLOCK = 1 << 20
_LARGEST_OF_OTHERS_MB = 100


@frozen(kw_only=True)
class Input:
    """A kind of text: which novels of the corpus, written how."""

    name: str
    language: str
    suffix: str = ".txt"
    encoding: str = "utf-8"

    def novels(self, known: list[KnownNovel]) -> list[KnownNovel]:
        """Return the novels that it is made of."""
        return [
            novel for novel in known if novel.language.startswith(self.language) and novel.path.suffix == self.suffix
        ]


ENGLISH, CHINESE = Input(name="English", language="en"), Input(name="Chinese", language="zh")
OTHERS = (
    Input(name="Chinese, GB18030", language="zh-Hans", encoding="gb18030"),
    Input(name="Russian", language="ru"),
    Input(name="Japanese", language="ja"),
    Input(name="Markdown", language="en", suffix=".md"),
)


@frozen(kw_only=True)
class Measured:
    """One file through one processor."""

    processor: str
    input: Input
    size: int
    cost: Cost

    @property
    def mb_s(self) -> float:
        """Megabytes of input a second of CPU time."""
        return self.size / _MEGABYTE / self.cost.cpu_seconds

    @property
    def peak_mb(self) -> float:
        """The peak resident memory of the child, in megabytes."""
        return self.cost.peak_bytes / _MEGABYTE


async def measure(run: Run) -> list[Result | Table]:
    """Measure every processor."""
    known = known_novels()
    sizes = (1, 10) if run.quick else (1, 10, 100, 500)
    measured: list[Measured] = []
    bounds: list[tuple[str, ...]] = []
    for megabytes in sizes:
        for input_ in _inputs(run, megabytes):
            path = run.new_folder() / f"novel{input_.suffix}"
            size = write_repeated(input_.novels(known), path, size=megabytes * _MEGABYTE, encoding=input_.encoding)
            bounds.append((input_.name, f"{megabytes} MB", *_bounds(path, input_.encoding)))
            for processor in _processors():
                cost = await cost_of(processor, path, run.new_folder())
                measured.append(Measured(processor=processor, input=input_, size=size, cost=cost))
            path.unlink()
    return [*_speeds(measured), _memory(measured), *_tables(measured, bounds), *await _beside(run, known)]


def _inputs(run: Run, megabytes: int) -> tuple[Input, ...]:
    return (ENGLISH, CHINESE) if run.quick or megabytes > _LARGEST_OF_OTHERS_MB else (ENGLISH, CHINESE, *OTHERS)


def _processors() -> list[str]:
    """Return the built-in processors that do work here."""
    known = Processors.builtin()
    return [name for name in ("split", "clean", "epub", "analyze") if name in known.names()]


def _speeds(measured: list[Measured]) -> Iterator[Result]:
    for metric, processor, input_ in (
        ("split", "split", ENGLISH),
        ("epub", "epub", ENGLISH),
        ("analyze_en", "analyze", ENGLISH),
        ("analyze_zh", "analyze", CHINESE),
    ):
        found = [one for one in measured if one.processor == processor and one.input is input_]
        if found:
            steady = found[-2]
            result = Result(metric=f"processing.{metric}_mb_s", value=steady.mb_s, unit="MB/s")
            yield result.against("asked", ASKED_MB_S[metric], target=1.0)


def _memory(measured: list[Measured]) -> Result:
    worst = max(measured, key=lambda one: one.peak_mb / _limit_mb(one))
    return limited("processing.peak_rss_mb", worst.peak_mb, unit="MB", limit=_limit_mb(worst))


def _limit_mb(one: Measured) -> float:
    with_dictionary = one.processor == "analyze" and one.input.language.startswith("zh")
    return LIMIT_WITH_DICTIONARY_MB if with_dictionary else LIMIT_MB


def _bounds(path: Path, encoding: str) -> tuple[str, str]:
    """Return the speeds of hashing and of decoding the file, as text."""
    return _rate(path, lambda block: hashlib.sha256(block)), _rate(path, lambda block: block.decode(encoding, "ignore"))


def _rate(path: Path, work: object) -> str:
    assert callable(work)
    size = 0
    began = time.thread_time()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            work(block)
            size += len(block)
    return f"{size / _MEGABYTE / (time.thread_time() - began):,.0f}"


def _tables(measured: list[Measured], bounds: list[tuple[str, ...]]) -> Iterator[Table]:
    rows = tuple(
        (
            one.processor,
            one.input.name,
            f"{one.size / _MEGABYTE:,.0f} MB",
            f"{one.mb_s:,.1f}",
            f"{one.peak_mb:,.0f}",
            f"{one.cost.result.get('chapters', 0):,}",
        )
        for one in sorted(measured, key=lambda one: (one.processor, one.input.name, one.size))
    )
    yield Table(
        title="Processing, per core",
        headings=("processor", "text", "size", "MB/s", "peak RSS, MB", "chapters"),
        rows=rows,
        notes=("MB/s of CPU time of the child process; its peak resident memory includes Python and the libraries.",),
    )
    yield Table(title="Bounds", headings=("text", "size", "SHA-256, MB/s", "decoding, MB/s"), rows=tuple(bounds))


async def _beside(run: Run, known: list[KnownNovel]) -> list[Table]:
    """Return what the other converter does with the smallest English file, in full runs."""
    if run.quick:
        return []
    path = run.new_folder() / "novel.txt"
    size = write_repeated(ENGLISH.novels(known), path, size=_MEGABYTE)
    try:
        theirs = await converter_mb_s(path, size)
    except PeerMissingError as exc:
        return [Table(title="txt-to-epub-converter", headings=("skipped",), rows=((str(exc),),))]
    ours = await cost_of("epub", path, run.new_folder())
    return [
        Table(
            title="EPUB of 1 MB of English",
            headings=("program", "MB/s"),
            rows=(
                ("novel-tasks", f"{size / _MEGABYTE / ours.cpu_seconds:,.1f}"),
                ("txt-to-epub-converter", f"{theirs:,.2f}"),
            ),
        )
    ]


BENCHMARK = Benchmark("processing", measure)
