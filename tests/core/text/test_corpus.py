"""Real novels with known chapters: how often the reader is right."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchmarks.harness.restyle import restyled, sources
from benchmarks.harness.scoring import right_when_sure, score
from benchmarks.harness.styles import layouts_of, styles, titles_of
from novel_tasks_core import read_novel
from novel_tasks_core.text.chapters import find_outline
from novel_tasks_core.text.novel import Novel

ROOT = Path(__file__).resolve().parents[3]
CORPUS = (ROOT / os.environ.get("NOVEL_TASKS_CORPUS", "../shared/corpus")).resolve()
FLOORS = {"zh-Hans": 0.98, "zh-Hant": 0.98, "ja": 0.95, "en": 0.97, "fr": 0.97, "de": 0.97, "es": 0.97, "ru": 0.97}

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not (CORPUS / "manifest.json").is_file(), reason=f"no corpus of novels in {CORPUS}"),
]


@cache
def entries() -> list[dict[str, Any]]:
    """Read what is known about each file."""
    files: list[dict[str, Any]] = json.loads((CORPUS / "manifest.json").read_text("utf-8"))["files"]
    return files


@cache
def novels() -> dict[str, Novel]:
    """Read every novel once."""
    return {
        entry["name"]: read_novel((CORPUS / entry["name"]).read_bytes(), file_name=entry["name"]) for entry in entries()
    }


@cache
def scorer() -> ModuleType:
    """Load the corpus's own scoring rules; no byte code is left beside them, since the corpus is not ours."""
    path = CORPUS / "score.py"
    module = ModuleType("corpus_score")
    exec(compile(path.read_text(encoding="utf-8"), path, "exec"), vars(module))
    return module


def f1(entry: dict[str, Any], novel: Novel) -> float:
    """Return the F1 of a novel's headings."""
    lines = [chapter.line for chapter in novel.chapters if chapter.line is not None]
    scored = scorer().score(entry, lines)
    precision, recall = scored["precision"], scored["recall"]
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def test_chapters_reach_the_floor_in_every_language() -> None:
    """The mean F1 of each language is at least what we promise."""
    by_language: dict[str, list[float]] = defaultdict(list)
    for entry in entries():
        by_language[entry["language"]].append(f1(entry, novels()[entry["name"]]))

    means = {language: sum(values) / len(values) for language, values in by_language.items()}

    assert {language: mean for language, mean in means.items() if mean < FLOORS[language]} == {}


def test_no_book_is_confidently_wrong() -> None:
    """Where the confidence is .9 or more, F1 is at least .95."""
    wrong = {
        entry["name"]: (novel.confidence, f1(entry, novel))
        for entry in entries()
        if (novel := novels()[entry["name"]]).confidence >= 0.9 and f1(entry, novel) < 0.95
    }

    assert wrong == {}


def test_every_encoding_is_right() -> None:
    """The codec told is one of those that give exactly the true text."""
    told = {
        entry["name"]: novels()[entry["name"]].encoding
        for entry in entries()
        if novels()[entry["name"]].text != (CORPUS / entry["name"]).read_bytes().decode(entry["encoding"])
    }

    assert told == {}
    for entry in entries():
        data = (CORPUS / entry["name"]).read_bytes()
        assert data.decode(novels()[entry["name"]].encoding) == novels()[entry["name"]].text


def test_every_language_is_right() -> None:
    """All books are told to be in their language."""
    assert {entry["name"]: novels()[entry["name"]].language for entry in entries()} == {
        entry["name"]: entry["language"] for entry in entries()
    }


def test_nothing_is_lost() -> None:
    """The sections of every novel join to its text."""
    for novel in novels().values():
        assert "".join(chapter.text for chapter in novel.chapters) == novel.text


def test_restyled_novels_are_read_rightly() -> None:
    """The chapters of real novels are found under other headings too, and no confidence is mistaken."""
    kept = [(source, style) for source in sources(CORPUS) for style in styles() if style.families == source.family]
    books = [
        restyled(source, style, titles_of(source.family), layouts_of(source.family)) for source, style in kept[::41]
    ]
    outlines = [find_outline(book.text, markdown=book.style.suffix == "md") for book in books]
    scores = [
        score(book.truth, [heading.line for heading in outline.headings]).f1
        for book, outline in zip(books, outlines, strict=True)
    ]

    assert len(books) >= 40
    assert sum(scores) / len(scores) >= 0.97
    assert right_when_sure([(one.confidence, f1) for one, f1 in zip(outlines, scores, strict=True)]) >= 0.95
