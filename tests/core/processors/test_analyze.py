"""`analyze` goes on where it was killed, stops when told to, and writes what its schema says."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest

from novel_tasks_core.processors import analyze as analyzing
from novel_tasks_core.processors.analyze import SCHEMA, analyze
from novel_tasks_core.processors.decoding import ReadingOptions
from novel_tasks_core.processors.split import SplitOptions, split
from novel_tasks_core.text.measures import Measuring

from .recorder import Recorder
from .schema_check import faults, schema

SCENE = (
    'Mr. Holt came to the mill. "Good evening," said Holt. Anna looked up. "You are late," said Anna. She had waited'
    " since noon, and the rain had not stopped.\n\n"
)
NUMERALS = ("I", "II", "III", "IV", "V", "VI")
ENGLISH = "".join(
    f"\n\nCHAPTER {numeral}\n\n" + SCENE * (10 + 3 * place) + f'"{numeral}," said Miss Reed.\n\n'
    for place, numeral in enumerate(NUMERALS)
)
CHINESE = "".join(f"\n\n第{number}回　山中来客\n\n" + "老人说：“请进来。”少年走了进去。\n" * 40 for number in "一二三")
TEXTS = {
    "english": ENGLISH,
    "chinese": CHINESE,
    "french": "« Entrez », dit Jean. Il entra dans la maison de Marie.\n\n" * 60,
    "one line": "word " * 50_000,
    "one letter": "a",
    "headings only": "CHAPTER I\n\nCHAPTER II\n",
    "no known marks": "ไม่มี " * 100,
    "odd characters": "CHAPTER I\n\n\ud800 said Holt. \x00\x0b\u2028 Holt.\n\nCHAPTER II\n\nHolt \ufffd.",
}


def run(folder: Path, text: str, *, stop: Callable[[], None] = lambda: None) -> tuple[Recorder, dict[str, Any]]:
    """Run `analyze` on a text in a folder that may have been used before."""
    recorder = Recorder(folder, text.encode("utf-8", "replace"), stop=stop)
    return recorder, analyze(recorder, ReadingOptions())


def cancelled_after(calls: int) -> Callable[[], None]:
    """Return what raises a cancellation at the word to the context after so many."""
    left = calls

    def stop() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise CancelledError

    return stop


@pytest.mark.parametrize("name", TEXTS)
def test_analysis_json_is_as_its_schema_says(name: str, tmp_path: Path) -> None:
    """Whatever the novel: every member is there, and null where nothing can be measured."""
    recorder, _ = run(tmp_path, TEXTS[name])
    rules = schema("analysis-2.json")

    assert list(faults(json.loads(recorder.artifacts["analysis.json"]), rules, rules)) == []
    assert rules["properties"]["schema"]["const"] == SCHEMA


def test_chapters_json_is_as_its_schema_says(tmp_path: Path) -> None:
    """The same for `split`."""
    recorder = Recorder(tmp_path, ENGLISH.encode())
    split(recorder, SplitOptions())
    rules = schema("chapters-2.json")

    assert list(faults(json.loads(recorder.artifacts["chapters.json"]), rules, rules)) == []


def test_the_schema_finds_faults() -> None:
    """The check is worth something: a member too few, one too many and a wrong value are told."""
    rules = schema("analysis-2.json")

    told = list(faults({"schema": "other", "chapters": -1, "more": None}, rules, rules))

    assert any("schema: not" in fault for fault in told)
    assert any("out of bounds" in fault for fault in told)
    assert any("more is unknown" in fault for fault in told)
    assert any("no book" in fault for fault in told)


@pytest.mark.parametrize("calls", [2, 3, 5, 8, 9, 10])
def test_a_killed_attempt_goes_on_with_the_same_bytes(calls: int, tmp_path: Path) -> None:
    """Wherever an attempt ended, the next one has the artifacts of an undisturbed one."""
    undisturbed, result = run(_folder(tmp_path / "undisturbed"), ENGLISH)
    folder = _folder(tmp_path / "disturbed")
    with pytest.raises(CancelledError):
        run(folder, ENGLISH, stop=cancelled_after(calls))

    again, second_result = run(folder, ENGLISH)

    assert again.artifacts == undisturbed.artifacts
    assert second_result == result


def test_finished_chapters_are_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt that follows one that was killed behind the fourth chapter begins with the fifth."""
    killed = Recorder(tmp_path, ENGLISH.encode())
    killed.stop = lambda: _stop_behind(killed, 3)
    with pytest.raises(CancelledError):
        analyze(killed, ReadingOptions())
    measured: list[str] = []
    section = Measuring.section

    def noting(self: Measuring, one: Any, pieces: Any, **more: Any) -> Any:
        measured.append(one.title)
        return section(self, one, pieces, **more)

    monkeypatch.setattr(Measuring, "section", noting)
    run(tmp_path, ENGLISH)

    assert measured == [f"CHAPTER {numeral}" for numeral in NUMERALS[4:]]


def _stop_behind(recorder: Recorder, chapters: int) -> None:
    """Cancel once so many chapters are finished."""
    if recorder.steps and recorder.steps[-1][0] == chapters:
        raise CancelledError


def test_another_version_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version of the processor left is not mixed with ours."""
    monkeypatch.setattr(analyzing, "_VERSION", "0")
    with pytest.raises(CancelledError):
        run(tmp_path, ENGLISH, stop=cancelled_after(6))
    monkeypatch.undo()

    again, _ = run(tmp_path, ENGLISH)

    assert again.steps[0] == (1, 7, "CHAPTER I")


def test_a_long_section_can_be_stopped_between_its_pieces(tmp_path: Path) -> None:
    """A novel without headings is one section: a cancellation does not wait for its end."""
    text = SCENE * 10_000
    recorder = Recorder(tmp_path, text.encode(), stop=cancelled_after(6))

    with pytest.raises(CancelledError):
        analyze(recorder, ReadingOptions())

    assert recorder.steps[-1][0] == 0


def test_progress_has_a_step_for_every_chapter(tmp_path: Path) -> None:
    """And one for the report."""
    recorder, _ = run(tmp_path, ENGLISH)
    done = [step[0] for step in recorder.steps]

    assert done == list(range(1, 8))
    assert {step[1] for step in recorder.steps} == {7}


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
