"""Any bytes become a whole novel or a known error, in time that grows with their number only."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novel_tasks_core import InvalidInputError, NovelTasksError, read_novel

FRAGMENTS = st.sampled_from(
    [
        *(
            "\n",
            "\n\n",
            "\r\n",
            " ",
            "CHAPTER ",
            "I",
            "II",
            "X",
            "1",
            "第",
            "一",
            "回",
            "章",
            "Contents",
            "# ",
            "```\n",
        ),
        *("---\n", "［＃「一」は中見出し］", "PROLOGUE", "“No,” he said. ", "text ", "\x00", "\u2028", "\ud7ff", "．"),
        *("Part One", "*** END OF THE PROJECT GUTENBERG", "底本："),
    ]
)
HOSTILE = {
    "romans": "I\n\n",
    "chapters": "CHAPTER I\n",
    "numbers": "1. A\n",
    "same title": "\n\n\nA Title\n",
    "restarts": "I\n\ntext text text\n\nII\n\nmore\n\n",
    "han": "第一回 一 二\n",
    "brackets": "([{<【〔「『",
    "quotes": "\"'“‘«„",
    "spaces": " \t\u3000",
    "blank lines": "\n",
    "words": "Twenty-one ",
    "long roman": "MMMMDCCCLXXXVIII",
    "hashes": "# ",
    "stars": "*_*_",
    "ruby": "《《｜［＃",
    "dashes": "-- -- ",
    "contents": "Contents\nA\nB\nC\n",
    "names": "Mr. De La Mr. Von ",
}


@given(st.lists(FRAGMENTS, max_size=80).map("".join), st.sampled_from(["a.txt", "a.md", "", "\x00.MD"]))
def test_sections_always_join_to_the_text(text: str, name: str) -> None:
    """Whatever a text holds, nothing of it is lost, and sections follow each other."""
    try:
        novel = read_novel(text.encode("utf-8", "surrogatepass"), file_name=name)
    except NovelTasksError:
        return
    assert "".join(chapter.text for chapter in novel.chapters) == novel.text
    assert [chapter.start for chapter in novel.chapters[1:]] == [chapter.end for chapter in novel.chapters[:-1]]
    assert all(chapter.title.isprintable() for chapter in novel.chapters)
    assert 0 <= novel.confidence <= 1


@given(st.binary(max_size=400), st.sampled_from([None, "utf-8", "gbk", "utf-16", "nonsense"]))
def test_only_known_errors_leave_the_reader(data: bytes, encoding: str | None) -> None:
    """Arbitrary bytes are read or refused with one of the library's own errors."""
    try:
        read_novel(data, encoding=encoding)
    except NovelTasksError:
        return


def test_a_wrong_encoding_name_is_told() -> None:
    """An unknown encoding is a fault of the caller."""
    with pytest.raises(InvalidInputError):
        read_novel(b"text", encoding="klingon")


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_time_grows_no_faster_than_the_text(kind: str, name: str) -> None:
    """Eight times the hostile text takes about eight times as long, not sixty-four."""
    unit = HOSTILE[kind]

    def seconds(size: int) -> float:
        data = (unit * (size // len(unit))).encode()
        started = time.process_time()
        with suppress(NovelTasksError):
            read_novel(data, file_name=name)
        return time.process_time() - started

    seconds(1000)
    small = min(seconds(8_000) for _ in range(2))
    large = seconds(64_000)

    assert large < 30 * small + 0.2
