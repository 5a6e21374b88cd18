"""Why the chapters are where they are, in the language of the report."""

from __future__ import annotations

import re

import pytest

from novel_tasks_core.processors.report.chinese import CHINESE
from novel_tasks_core.processors.report.english import ENGLISH
from novel_tasks_core.processors.report.reading import reason_words

from .reasons import every_reason

REASONS = sorted(set(every_reason()))


def test_every_reason_of_the_splitter_is_said_in_chinese() -> None:
    """Whatever it says, in all its parts: nothing stays English, no comma stands alone."""
    said = {reason: reason_words(reason, CHINESE) for reason in REASONS}

    assert len(said) > 100
    assert [reason for reason, words in said.items() if "lang=" in words or re.search("[,;]|，，|个个", words)] == []


def test_no_words_are_kept_for_what_is_never_said() -> None:
    """Each pattern changes some reason; one that does not is of a sentence that the splitter no longer has."""
    unused = {pattern for pattern, _ in CHINESE.reasons}
    for reason in REASONS:
        said = reason
        for pattern, replacement in CHINESE.reasons:
            changed = re.sub(pattern, replacement, said)
            if changed != said:
                unused.discard(pattern)
            said = changed

    assert unused == set()


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "12 headings of the form “chapter N” in 3 parts, counting without a gap",
            "12个标题，形式为“chapter N”，分3部，编号连续",
        ),
        (
            "4 headings of the form a bare number (roman), the count breaks once; only 4 of them",
            "4个标题，形式为单独的数字，编号中断一次，标题仅有4个",
        ),
        ("12 lines that say a date, as in a diary or in letters, in 2 parts", "12行写明日期，如同日记或书信，分2部"),
        (
            "more than 100000 lines look like headings: the text is left in one piece",
            "形似标题的行超过100000行，全文为一体",
        ),
    ],
)
def test_reasons_read_like_chinese(reason: str, said: str) -> None:
    """Their parts stand in order, with commas of their own."""
    assert reason_words(reason, CHINESE) == said
    assert reason_words(reason, ENGLISH) == reason
