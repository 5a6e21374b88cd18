"""Inputs of any size, made of real novels: the corpus's own, whole, one after the other, again and again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from attrs import frozen

from benchmarks.harness.run import BenchmarkSkippedError

CORPUS_VARIABLE = "NOVEL_TASKS_CORPUS"
DEFAULT_CORPUS = "../shared/corpus"


@frozen(kw_only=True)
class KnownNovel:
    """A file of the corpus and what its manifest says about it."""

    path: Path
    language: str
    encoding: str
    facts: dict[str, Any]

    def text(self) -> str:
        """Return the whole text."""
        return self.path.read_bytes().decode(self.encoding)


def corpus_folder() -> Path:
    """Return the folder that the environment names. Raises: BenchmarkSkippedError when it has no manifest."""
    folder = Path(os.environ.get(CORPUS_VARIABLE, DEFAULT_CORPUS))
    if not (folder / "manifest.json").is_file():
        raise BenchmarkSkippedError(
            f"there is no corpus of novels in {folder}: name a folder of them by {CORPUS_VARIABLE}"
        )
    return folder


def known_novels() -> list[KnownNovel]:
    """Return all novels of the corpus. Raises: BenchmarkSkippedError without one."""
    folder = corpus_folder()
    files = json.loads((folder / "manifest.json").read_text("utf-8"))["files"]
    return [
        KnownNovel(path=folder / one["name"], language=one["language"], encoding=one["encoding"], facts=one)
        for one in files
    ]


def write_repeated(novels: list[KnownNovel], path: Path, *, size: int, encoding: str = "utf-8") -> int:
    """Write whole novels one after the other until the file has `size` bytes or a little more; returns how many."""
    written = 0
    with path.open("wb") as file:
        for part in _encoded(novels, encoding):
            written += file.write(part)
            if written >= size:
                return written
    raise BenchmarkSkippedError("the corpus has no such novel")


def _encoded(novels: list[KnownNovel], encoding: str) -> Iterator[bytes]:
    texts = [f"{novel.text()}\n\n".encode(encoding, "replace") for novel in novels]
    return cycle(texts) if any(texts) else iter(())
