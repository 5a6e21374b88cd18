"""`split` and `analyze` tell what they find, step by step, and leave artifacts that anyone can read."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from novel_tasks_core import DecodingError, InvalidOptionsError, Processors
from novel_tasks_core.processors.analyze import analyze
from novel_tasks_core.processors.decoding import ReadingOptions
from novel_tasks_core.processors.split import SplitOptions, split

from .recorder import Recorder
from .recorder import ran as recorded

ENGLISH = "".join(
    f'\n\nCHAPTER {numeral}. <b>The "Mill" & Co</b>\n\n'
    + 'Mr. Holt came to the mill. "Good evening," said Holt. Anna looked up. "You are late," said Anna.\n\n' * 30
    for numeral in ("I", "II", "III")
)
CHINESE = "".join(f"\n\n第{number}回　山中来客\n\n" + "老人说：“请进来。”少年走了进去。\n" * 40 for number in "一二三")


def ran(processor: Any, text: str | bytes, **more: Any) -> tuple[Recorder, dict[str, Any]]:
    """Run a processor on a text with ordinary options; return its context and its result."""
    return recorded(processor, text, SplitOptions() if processor is split else ReadingOptions(), **more)


def test_split_lists_every_section_with_offsets() -> None:
    """chapters.json holds facts and sections whose offsets cut the decoded text."""
    recorder, result = ran(split, ENGLISH)

    document = json.loads(recorder.artifacts["chapters.json"])
    assert document["schema"] == "novel-tasks/chapters/2"
    assert result["chapters"] == 3
    assert [section["line"] for section in document["sections"]] == [None, 3, 67, 131]
    joined = "".join(ENGLISH[section["start"] : section["end"]] for section in document["sections"])
    assert joined == ENGLISH
    assert recorder.steps[-1][0] == recorder.steps[-1][1] == result["sections"]
    assert any("encoding utf-8" in line for line in recorder.lines)


def test_analyze_reports_a_step_per_chapter() -> None:
    """Progress names each chapter and ends at the whole."""
    recorder, _ = ran(analyze, ENGLISH)

    assert [stage for _, _, stage in recorder.steps][-1] == "report"
    assert len(recorder.steps) == 4
    assert recorder.steps[-1][:2] == (4, 4)


def test_analyze_gives_a_compact_result_and_a_full_document() -> None:
    """The result is small; analysis.json carries chapters, people and meetings under a schema."""
    recorder, result = ran(analyze, ENGLISH)

    document = json.loads(recorder.artifacts["analysis.json"])
    assert document["schema"] == "novel-tasks/analysis/2"
    assert len(document["sections"]) == 3
    assert "sections" not in result
    assert result["words"] == document["book"]["words"] == sum(section["words"] for section in document["sections"])
    assert result["people"] == ["Anna", "Mr. Holt"]
    assert 0.2 < result["dialogue_share"] < 0.8


def test_analyze_says_null_for_what_chinese_does_not_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is invented for a language without the means: words need the extra."""
    monkeypatch.setitem(sys.modules, "rjieba", None)
    _, result = ran(analyze, CHINESE)

    assert (result["words"], result["readability"], result["people"]) == (None, None, [])
    assert result["characters"] > 1000
    assert result["language"] == "zh-Hans"


@pytest.mark.parametrize(("text", "words"), [(ENGLISH, ("Chapters", "not available")), (CHINESE, ("章节", "不可用"))])
def test_the_report_speaks_the_novel_s_language(text: str, words: tuple[str, str]) -> None:
    """A Chinese novel gets a Chinese page."""
    recorder, _ = ran(analyze, text)

    page = recorder.artifacts["report.html"].decode()
    assert words[0] in page


def test_artifacts_are_the_same_bytes_every_time() -> None:
    """Nothing of the clock or of chance is in them."""
    first, _ = ran(analyze, ENGLISH)
    second, _ = ran(analyze, ENGLISH)

    assert first.artifacts == second.artifacts


@pytest.mark.parametrize("text", ["a", "第一章", "CHAPTER I\n\nCHAPTER II\n", "word " * 50_000])
def test_odd_little_texts_are_analyzed(text: str) -> None:
    """A single letter, headings without text, one endless line."""
    recorder, result = ran(analyze, text)

    assert result["characters"] >= 1
    assert recorder.artifacts["report.html"].endswith(b"</html>\n")


def test_damage_is_logged() -> None:
    """Replaced bytes are told to people."""
    recorder, _ = ran(split, ENGLISH.encode().replace(b"evening", "évening".encode(), 40) + b"\xff")

    assert any("damaged" in line for line in recorder.lines)


def test_the_encoding_may_be_named() -> None:
    """The option reaches the decoder, and a wrong one is an error with the offset."""
    data = "naïve".encode("cp1252") * 5

    assert recorded(split, data, SplitOptions(encoding="cp1252"))[1]["encoding"] == "cp1252"
    with pytest.raises(DecodingError) as caught:
        recorded(split, data, SplitOptions(encoding="utf-8"))
    assert caught.value.offset == 2


@pytest.mark.parametrize(
    "options", [{"encoding": "klingon"}, {"encoding": 5}, {"encoding": "a\0"}, {"encodings": "utf-8"}]
)
@pytest.mark.parametrize("name", ["split", "analyze"])
def test_wrong_options_are_refused_before_anything_runs(name: str, options: dict[str, Any]) -> None:
    """Submitting is where a wrong option fails."""
    with pytest.raises(InvalidOptionsError):
        Processors.builtin().validate(name, options)


@pytest.mark.parametrize(
    ("named", "written", "warned"),
    [("utf-16", "utf-8", True), ("latin-1", "utf-8", True), ("utf-8", "utf-8-sig", False), ("gbk", "gb18030", False)],
)
def test_a_named_encoding_that_looks_wrong_is_warned_of(named: str, written: str, warned: bool) -> None:
    """It is obeyed, since the user may know better; where something else fits surely, the log says so."""
    text = "".join(f"第{n}章\n\n老人说：“请进来。”少年走了进去，外面的雨越下越大。\n\n" * 8 for n in range(1, 9))
    recorder, _ = recorded(split, text.encode(written), SplitOptions(encoding=named))

    assert any("as was asked, but it looks like" in line for line in recorder.lines) == warned
