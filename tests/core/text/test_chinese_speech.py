"""What is spoken in Chinese and Japanese: quotations, told from quoted words."""

from __future__ import annotations

import pytest

from novel_tasks_core.text.hanspeech import han_speech

STYLES = {
    ("zh-Hans", "“”"): ("老人说：“请进来。”少年走了进去。\n", "请进来。"),
    ("zh-Hant", "「」"): ("老人說：「請進來。」少年走了進去。\n", "請進來。"),
    ("zh-Hant", "『』"): ("老人說：『請進來。』少年走了進去。\n", "請進來。"),
    ("zh-Hans", '""'): ('老人说："请进来。"少年走了进去。\n', "请进来。"),
    ("ja", "「」"): ("「お入り」と老人は言った。少年は中へ入った。\n", "お入り"),
}


def spoken(text: str, language: str = "zh-Hans", *, times: int = 5) -> list[str]:
    """Return what is spoken in a text, found by the marks that it and its repetitions use."""
    speech = han_speech(text * times, language)
    assert speech is not None
    return [text[start:end] for start, end in speech.spans(text)]


@pytest.mark.parametrize("style", STYLES)
def test_the_marks_of_a_book_are_found(style: tuple[str, str]) -> None:
    """Every usual pair is known, and what lies between is speech."""
    text, words = STYLES[style]
    speech = han_speech(text * 5, style[0])

    assert speech is not None
    assert speech.marks == style[1]
    assert spoken(text, style[0]) == [words]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("所谓“江湖”就是这样，叫做“快活林”。他说：“走罢。”\n", ["走罢。"], id="quoted words"),
        pytest.param("“黑旋风”李逵道：“俺来也！”\n", ["俺来也！"], id="nicknames"),
        pytest.param("他读《论语》，心想（奇怪。），说：“好！”\n", ["好！"], id="titles and thoughts"),
        pytest.param("“好”他说。她道：“嗯”。\n", ["好", "嗯"], id="a word with a verb of speech"),
        pytest.param("他说：“她问‘谁？’我没答。”\n", ["她问‘谁？’我没答。"], id="nested"),
        pytest.param("“学“太上诀”的时候。”他说。\n", ["学“太上诀”的时候。"], id="nested in the same marks"),
        pytest.param(
            '他说：“你瞧。"一面走，一面笑。她道：“是。”\n', ["你瞧。", "是。"], id="closed by a straight mark"
        ),
        pytest.param("他说：“走了，不回来\n她没有答话。她说：“好。”\n", ["走了，不回来", "好。"], id="not closed"),
        pytest.param("他说：“第一段。\n“第二段。”\n然后走了。\n", ["第一段。", "第二段。"], id="several paragraphs"),
    ],
)
def test_speech_is_told_from_the_rest(text: str, expected: list[str]) -> None:
    """Only what somebody says counts, up to the end of its paragraph."""
    assert spoken(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("この「すれば」は、いつまでも「すれば」であった。\n「そうか」と男は云った。\n", ["そうか"]),
        ("「こころ」という本を「見るな」と私は答えた。\n", ["見るな"]),
    ],
)
def test_japanese_speech_is_told_from_quoted_words(text: str, expected: list[str]) -> None:
    """A word in marks is no speech; と behind it is, unless it only says what something is called."""
    assert spoken(text, "ja") == expected


def test_a_quotation_goes_on_in_the_next_line_of_a_wrapped_book() -> None:
    """A broken line ends no paragraph there; an indented one begins the next."""
    text = "　　老人慢慢地走进院子，说\n道：“你们都在这里等着，不\n要出去。”少年看着他，没有\n说话，老人又笑了一笑。\n"

    assert spoken(text, times=20) == ["你们都在这里等着，不\n要出去。"]


@pytest.mark.parametrize("text", ["玄德曰：吾志已決。孔明曰：主公勿憂。\n" * 50, "", "他来了。她走了。\n" * 50])
def test_speech_without_marks_is_not_available(text: str) -> None:
    """Where 曰 opens a speech and nothing closes it, nobody can say how much is spoken."""
    assert han_speech(text, "zh-Hant") is None


def test_hostile_marks_take_linear_time() -> None:
    """A million opening marks, or one that is never closed, are read once."""
    speech = han_speech("他说：“好。”\n" * 5, "zh-Hans")

    assert speech is not None
    assert speech.spans("“" * 1_000_000) == []
    assert len(speech.spans("“" + "好，" * 500_000)) == 1
