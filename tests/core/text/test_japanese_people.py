"""Who is surely somebody in a Japanese novel, and who is not claimed to be."""

from __future__ import annotations

import pytest

from novel_tasks_core import read_novel
from novel_tasks_core.text.japanesenames import japanese_names, without_readings
from novel_tasks_core.text.measures import measure


def names(text: str) -> dict[str, int] | None:
    """Return the people of a text with their mentions, None where names cannot be told."""
    finder = japanese_names(lambda: iter([text]))
    if finder is None:
        return None
    return {member.name: member.mentions for member in finder.cast(finder.find(text, []), {}).members}


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("ジョバンニは窓の外を見て言いました。", "ジョバンニ"),
        ("田中さんは少し笑った。", "田中"),
        ("Ｋは黙っていた。", "Ｋ"),
    ],
)
def test_who_acts_and_is_called_so_is_somebody(sentence: str, name: str) -> None:
    """Names in katakana, before an honorific, or of one letter count if they speak and act."""
    assert names(sentence * 5) == {name: 5}


def test_readings_between_a_name_and_its_verb_do_not_matter() -> None:
    """Ruby is taken out before the text is looked at."""
    assert names("田中《たなか》さんは庭《にわ》を見て言《い》いました。" * 5) == {"田中": 5}


def test_things_in_katakana_are_nobody() -> None:
    """A table does not speak, though it is as often the subject."""
    assert names("テーブルは白い。ランプは明るい。ジョバンニは答えました。" * 5) == {"ジョバンニ": 5}


@pytest.mark.parametrize("text", ["下人は老婆を見て言った。" * 20, "お母さんは笑った。神さまは黙っていた。" * 20, ""])
def test_who_is_not_sure_is_not_claimed(text: str) -> None:
    """A servant and an old woman have no names that could be told from other words."""
    assert names(text) is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("天の川の河原《かわら》に｜立《た》って［＃「立って」に傍点］いた。", "天の川の河原に立っていた。"),
        ("彼は《こころ》を読んだ。", "彼は《こころ》を読んだ。"),
    ],
)
def test_readings_and_notes_are_no_text(text: str, plain: str) -> None:
    """Only what stands behind a character and is kana is a reading: a title in such marks stays."""
    assert without_readings(text) == plain


def test_a_book_is_counted_without_its_readings() -> None:
    """Neither the characters of a book nor its people take the readings for text."""
    line = "田中さんは庭を見て言いました。"
    plain = measure(read_novel((line * 60).encode()))
    marked = measure(read_novel((line.replace("庭", "庭《にわ》") * 60).encode()))

    assert marked.characters == plain.characters == 60 * len(line)
    assert marked.people is not None
    assert [(person.name, person.mentions) for person in marked.people] == [("田中", 60)]
