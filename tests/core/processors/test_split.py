"""`split` tells chapters, how sure they are and why; a rule can be tried out, and cannot do harm."""

from __future__ import annotations

import json
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from novel_tasks_core import InvalidOptionsError, Processors, TaskTimeoutError, process_file
from novel_tasks_core.config import EngineConfig
from novel_tasks_core.processors.split import SplitOptions, split

from .recorder import Recorder, ran

PROSE = "The road went on through the woods, and nobody spoke of what had been seen. " * 30
CHAPTERS = "".join(f"CHAPTER {n}\n\n{PROSE}\n\n\n" for n in (1, 2, 3, 5, 6))
BOOK = "CONTENTS\n\nCHAPTER 1\nCHAPTER 2\nCHAPTER 3\n\n\n" + CHAPTERS
CONFIG = EngineConfig(cancel_grace_seconds=0.3)


def test_the_evidence_is_told() -> None:
    """chapters.json says what was weighed: the gap in the numbers, and the contents list left out."""
    recorder, _ = ran(split, BOOK, SplitOptions())
    evidence = json.loads(recorder.artifacts["chapters.json"])["evidence"]
    assert (evidence["source"], evidence["chosen"]) == ("numbers", 5)
    assert evidence["gaps"] == [{"line": 23, "expected": 4, "found": 5}]
    assert evidence["contents_lists"] == [[3, 5]]


def test_damaged_places_are_told() -> None:
    """Every repaired place is listed."""
    recorder, result = ran(split, "É".encode() * 50 + b"\xff" + CHAPTERS.encode(), SplitOptions())
    damage = json.loads(recorder.artifacts["chapters.json"])["damage"]
    assert (result["repaired_bytes"], len(damage)) == (1, 1)


def test_a_preview_shows_the_first_headings() -> None:
    """The result lists two hundred headings at most, and how many there are."""
    text = "".join(f"@ {n}\ntext\n" for n in range(300))
    _, result = ran(split, text, SplitOptions(chapter_rule="@ (?P<title>.+)", preview=True))
    assert (len(result["headings"]), result["headings_total"]) == (200, 300)
    assert result["headings"][1] == {
        "title": "1",
        "line": 3,
        "level": 2,
        "offset": len("@ 0\ntext\n"),
        "characters": len("@ 1\ntext\n"),
    }
    assert "headings" not in ran(split, text, SplitOptions(chapter_rule="@"))[1]


def test_a_rule_without_a_match_is_warned_of() -> None:
    """The book stays whole, and the log says that the rule matched nothing."""
    recorder, result = ran(split, BOOK, SplitOptions(chapter_rule="Kapitel"))
    assert (result["sections"], result["chapters"]) == (1, 1)
    assert any("your rule matches no line" in line for line in recorder.lines)


def test_it_stops_between_sections(tmp_path: Path) -> None:
    """A cancellation ends it at the next section, with nothing stored."""
    recorder = Recorder(tmp_path, BOOK.encode())

    def stop() -> None:
        if len(recorder.steps) == 2:
            raise CancelledError

    recorder.stop = stop
    with pytest.raises(CancelledError):
        split(recorder, SplitOptions())
    assert recorder.artifacts == {}


@pytest.mark.parametrize("name", ["split", "epub", "analyze", "clean"])
@pytest.mark.parametrize("rule", ["(", ".*", "x" * 501])
def test_bad_rules_are_refused_where_they_are_submitted(name: str, rule: str) -> None:
    """Every processor that splits a novel checks the rule before anything is stored."""
    with pytest.raises(InvalidOptionsError) as caught:
        Processors.builtin().validate(name, {"chapter_rule": rule})
    assert caught.value.problems[0][0] == "/chapter_rule"


async def test_a_catastrophic_rule_is_killed(tmp_path: Path) -> None:
    """A rule that backtracks for ever ends with its attempt's time, and the next file is processed."""
    path = tmp_path / "book.txt"
    path.write_text("x" * 60 + "!\n" + BOOK)
    with pytest.raises(TaskTimeoutError):
        await process_file(
            path, processor="split", options={"chapter_rule": "(x+x+)+y"}, timeout_seconds=1.5, config=CONFIG
        )
    done = await process_file(path, processor="split", options={"chapter_rule": "CHAPTER"}, config=CONFIG)
    assert done.result["confidence"] == 1.0


@pytest.mark.parametrize("encoding", ["klingon", "rot13", "punycode"])
def test_a_name_that_no_file_can_have_is_refused_with_the_options(encoding: str) -> None:
    """What Python cannot read files with is told before anything runs, with names that would be right."""
    with pytest.raises(ValueError, match=r"unknown encoding.*such as utf-8|is not an encoding of files"):
        SplitOptions(encoding=encoding)
