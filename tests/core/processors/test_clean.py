"""`clean` takes out what is not the novel, tells what it took, and leaves everything else as it was."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from novel_tasks_core import InvalidOptionsError, Processors, TaskTimeoutError, process_file
from novel_tasks_core.processors.clean.changes import MOST_EXAMPLES, ChangeLog
from novel_tasks_core.processors.clean.options import Chinese, CleanOptions, Unwrap
from novel_tasks_core.processors.clean.processor import clean

from .recorder import Recorder, ran

CHAPTERS = 12
WRAPPED = (
    "The ferry came late that evening, and nobody on the landing stage said\n"
    "what everybody thought, which was that it had not been late for twenty\n"
    "years, not since the winter of the great flood, when half the town went\n"
    "over to the other bank in it and never came back.\n"
)
PROSE = " ".join(["He rowed. She waited on the bank until it was dark, and then went home to the others."] * 3)
CHINESE = "他划着船，她在岸边一直等到天黑，然后回家去了。" * 9
LONG = f"{PROSE}\n\n" * 40
VERSE = "  The tide goes out,\n  the tide comes in,\n  and what it takes\n  it does not win.\n"


def tale(*, ad: str = "", body: str = "", numeral: str = "Chapter {}", first: int = 1) -> str:
    """Write a tale of some chapters; `ad` stands at the end of each."""
    chapter = body or f"{PROSE}\n\nIt rained.\n"
    if len(chapter) < 200:
        chapter = f"{PROSE if chapter.isascii() else CHINESE}\n\n{chapter}"
    numbers = range(first, first + CHAPTERS)
    return "\n".join(f"{numeral.format(n)}\n\n{chapter}{ad and chr(10) + ad + chr(10)}" for n in numbers)


def cleaned(text: str | bytes, **options: Any) -> tuple[str, dict[str, Any]]:
    """Clean a text; return it and changes.json."""
    name = options.pop("file_name", "The Ferry.txt")
    recorder, _ = ran(clean, text, CleanOptions(**options), file_name=name)
    return recorder.artifacts["novel.txt"].decode(), json.loads(recorder.artifacts["changes.json"])


def counts(document: dict[str, Any]) -> dict[str, int]:
    """Return how many changes of each kind there were."""
    return {one["kind"]: one["count"] for one in document["changes"] if one["count"]}


def examples(document: dict[str, Any], kind: str) -> list[tuple[int, str, str | None]]:
    """Return the examples of a kind: line, before, after."""
    [found] = [one for one in document["changes"] if one["kind"] == kind]
    return [(one["line"], one["before"], one["after"]) for one in found["examples"]]


def test_a_clean_novel_stays_as_it_is() -> None:
    """Nothing is changed for the sake of change."""
    text, document = cleaned(tale())

    assert text == tale()
    assert counts(document) == {}
    assert document["schema"] == "novel-tasks/changes/1"


def test_the_result_is_utf_8_with_line_feeds() -> None:
    """Whatever the file was written in."""
    text, document = cleaned(tale().replace("He ", "Él ").replace("\n", "\r\n").encode("utf-16"))

    assert text == tale().replace("He ", "Él ")
    assert (document["encoding"], counts(document)) == ("utf-16", {"newlines": tale().count("\n")})


def test_odd_characters_go_and_are_told_by_line() -> None:
    """Controls, characters without width, and unusual spaces: before and after, with the line of the source."""
    text, document = cleaned(tale() + "\nA\x07 b\u200bc\u00a0d  \nend\n")

    assert text == tale() + "\nA bc d\nend\n"
    assert counts(document) == {"controls": 1, "invisible": 1, "spaces": 1, "trailing": 1}
    line = tale().count("\n") + 2
    assert examples(document, "controls") == [(line, "A\x07 b\u200bc\u00a0d  ", "A b\u200bc\u00a0d  ")]
    assert examples(document, "spaces") == [(line, "A bc\u00a0d  ", "A bc d  ")]


@pytest.mark.parametrize(
    ("line", "narrow"),
    [("Ｈｅ ｃａｍｅ，　ｌａｔｅ！", "He came, late!"), ("他有１２本ＡＢＣ书，　真的！", "他有12本ABC书，　真的！")],
)
def test_full_width_becomes_half_width_as_the_language_wants(line: str, narrow: str) -> None:
    """In Chinese letters and digits only: its own marks are wide."""
    body = "他走了很久，天黑了才到。老人说：“请进来。”\n" if "他" in line else ""
    numeral = "第{}章" if body else "Chapter {}"
    source = tale(body=body, numeral=numeral) + line + "\n"

    assert cleaned(source)[0].endswith(f"\n{narrow}\n")
    assert cleaned(source, widths=False)[0] == source


def test_japanese_keeps_its_full_width_digits() -> None:
    """They are set so on purpose, and the notes of the Aozora library are written with them."""
    source = tale(body="船は夜おそく着いた。" * 12 + "\n", numeral="［＃５字下げ］第{}章") + "Ｋは１２時に来た。\n"

    assert cleaned(source) == (source, cleaned(source)[1])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("&#8220;Yes,&#8221; he said&hellip; &mdash; and &Eacute;mile?", "“Yes,” he said… — and Émile?"),
        ("a&nbsp;b&amp;nbsp;c&#x3000;", "a b c"),
        ("Holt &amp;amp; Son &#38;#38;lt; 5", "Holt & Son < 5"),
        ("&lt;br&gt;Yes. <<br>br>", "Yes."),
        ("a&#10;b &#8203;c", "a b c"),
        ("R&D; A&B &unknown; quot;", "R&D; A&B &unknown; quot;"),
    ],
)
def test_what_a_web_page_wrote_by_name_becomes_the_character(written: str, meant: str) -> None:
    """However often it was escaped, and all at once; an ampersand of the author's stays."""
    text, document = cleaned(tale() + written + "\n")

    assert text == tale() + meant + "\n"
    assert cleaned(text)[0] == text
    assert ("entities" in counts(document)) == (written != meant)


def test_junk_goes_by_the_rules() -> None:
    """A line that is an advertisement goes whole; from a paragraph only the advertisement goes."""
    body = "他走了很久。{}老人说：“请进来。”\n\n{}雨停了。\n"
    junk = body.format("本书首发www.example.com。", "本章未完，请点击下一页继续阅读！\n\n")
    text, document = cleaned(tale(body=junk, numeral="第{}章"))

    assert text == tale(body=body.format("", ""), numeral="第{}章")
    assert document["rules"] == {"zh-site-span": CHAPTERS, "zh-unfinished-page": CHAPTERS}
    assert examples(document, "junk")[1] == (7, "本章未完，请点击下一页继续阅读！", None)


def test_users_bring_their_own_rules_and_switch_others_off() -> None:
    """Both by options that are checked before anything runs."""
    own = '[[rule]]\nid = "weather"\nkind = "line"\npattern = "it rained\\\\."\n'
    text, document = cleaned(tale() + "www.example.com\n", rules=own, without=("site-address",))

    assert "It rained" not in text
    assert "www.example.com" in text
    assert document["rules"] == {"weather": CHAPTERS}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rules": "[[rule]]"}, "rule 1 has no id"),
        ({"without": ["nonsense"]}, "no rule 'nonsense'; known: html-tag"),
        ({"chinese": "mongolian"}, "must be one of 'keep', 'simplified', 'traditional'"),
        ({"unwrap": True}, "must be one of 'auto', 'always', 'never'"),
    ],
)
def test_wrong_options_are_refused_when_submitted(options: dict[str, Any], said: str) -> None:
    """Each with a clear word."""
    with pytest.raises(InvalidOptionsError) as caught:
        Processors.builtin().validate("clean", options)
    assert said in str(caught.value)


async def test_a_catastrophic_rule_runs_into_the_timeout(tmp_path: Path) -> None:
    """It is killed with its child, and the caller hears of it."""
    path = tmp_path / "novel.txt"
    path.write_text(tale() + "a" * 5000 + "!\n")
    rule = '[[rule]]\nid = "slow"\nkind = "line"\npattern = "(a|aa|a*)+b"\n'
    with pytest.raises(TaskTimeoutError):
        await process_file(path, processor="clean", options={"rules": rule}, timeout_seconds=1.5)


def test_advertising_that_comes_again_in_every_chapter_goes() -> None:
    """Also what no rule knows: by the words of a site, or framed by ornaments at the ends of most chapters."""
    for ad in ("Come to our Discord and say hello", "※ 夜航船 手打 ※", "=== typed by the owls ==="):
        text, document = cleaned(tale(ad=ad))
        assert text.rstrip("\n") == tale().rstrip("\n"), ad
        assert counts(document) == {"repeated": CHAPTERS}
        assert document["dropped"] == [{"line": ad, "sections": CHAPTERS, "at_edge": CHAPTERS, "dropped": True}]


@pytest.mark.parametrize(
    "line", ["Yours for ever, Anna", "“Yes,” he said.", "* * *", "And the bells rang.", "Rocking, rocking, rocking."]
)
def test_refrains_farewells_and_pauses_stay(line: str) -> None:
    """What comes again on purpose is the author's; it is at most reported."""
    text, document = cleaned(tale(ad=line))

    assert text == tale(ad=line)
    assert document["dropped"] == []


def test_what_is_repeated_but_kept_is_reported() -> None:
    """As a suspect, for somebody to write a rule."""
    _, document = cleaned(tale(ad="Yours for ever, Anna"))

    assert [one["line"] for one in document["suspects"]] == ["It rained.", "Yours for ever, Anna"]


def test_wrapped_lines_are_joined_and_verse_is_kept() -> None:
    """Every paragraph becomes a line; headings, verse and pauses stay line by line."""
    text, document = cleaned(tale(body=f"{WRAPPED}\n{VERSE}\n* * *\n\n{WRAPPED}"))

    joined = " ".join(WRAPPED.split()) + "\n"
    assert text == tale(body=f"{joined}\n{VERSE}\n* * *\n\n{joined}")
    assert counts(document) == {"unwrapped": CHAPTERS * 2 * 3}
    assert cleaned(tale(body=WRAPPED), unwrap=Unwrap.NEVER)[0] == tale(body=WRAPPED)


def test_lines_are_joined_when_the_user_says_that_they_were_wrapped() -> None:
    """Though most of the book shows nothing of it."""
    source = tale(body=PROSE * 3 + "\n") + "\n" + WRAPPED
    assert cleaned(source)[0] == source
    assert (
        cleaned(source, unwrap=Unwrap.ALWAYS)[0]
        == tale(body=PROSE * 3 + "\n") + "\n" + " ".join(WRAPPED.split()) + "\n"
    )


def test_wrapped_chinese_is_joined_without_a_space() -> None:
    """And keeps the indentation of its paragraphs."""
    lines = [
        "　　渡船那天晚上来得很迟，码头上没有一个人说出大家心里想的那句话，",
        "就是二十年来它从没有迟过，自从那个发大水的冬天，半个城的人坐着",
        "它到了对岸，再也没有回来。",
    ]
    text, _ = cleaned(tale(body="\n".join(lines * 4) + "\n", numeral="第{}章"))

    assert text == tale(body="".join("".join(lines) + "\n" for _ in range(4)), numeral="第{}章")


def test_runs_of_blank_lines_are_shortened() -> None:
    """At most three stay, also where one piece of the text ends and the next begins."""
    text, document = cleaned("\n\n\n" + tale().replace("\n\n", "\n\n\n\n\n\n"))

    assert "\n" * 5 not in text
    assert not text.startswith("\n")
    assert [line for line in text.split("\n") if line] == [line for line in tale().split("\n") if line]
    assert set(counts(document)) == {"blank_lines"}


def test_a_licence_is_passed_on_whole() -> None:
    """What stands before the first heading and after the last loses no line, whatever address it has."""
    licence = "*** END OF THE PROJECT GUTENBERG EBOOK THE FERRY ***\n\nwww.gutenberg.org\n\nYou may copy it.\n"
    text, _ = cleaned(tale() + "\n" + licence)

    assert text.endswith(licence)


def test_a_licence_ends_where_the_next_book_begins() -> None:
    """In a file of several books each is cleaned."""
    start = "*** START OF THE PROJECT GUTENBERG EBOOK THE FERRY ***\n\n"
    end = "*** END OF THE PROJECT GUTENBERG EBOOK THE FERRY ***\n\nwww.gutenberg.org\n\n"
    books = [start + tale(body=LONG, ad="www.example.com", first=first) + end for first in (1, CHAPTERS + 1)]
    text, _ = cleaned("".join(books))

    assert "www.example.com" not in text.rpartition(start)[2]
    assert text.count("www.gutenberg.org") == 2


def test_a_line_is_judged_by_what_the_rules_leave_of_it() -> None:
    """What is told as dropped was dropped, and cleaning again finds nothing."""
    text, document = cleaned(tale(ad="<i>=== typed by the owls &amp; us ===</i>"))

    assert [one["line"] for one in document["dropped"]] == ["=== typed by the owls & us ==="]
    assert "owls" not in text


@pytest.mark.parametrize(
    ("chinese", "wanted"),
    [(Chinese.SIMPLIFIED, "老人说：“请进来，头发都湿了。”"), (Chinese.TRADITIONAL, "老人說：“請進來，頭髮都溼了。”")],
)
def test_characters_are_converted(chinese: Chinese, wanted: str) -> None:
    """By OpenCC, phrase by phrase: 头发 and 出发 differ in traditional characters."""
    pytest.importorskip("opencc", reason="the extra zh is not installed")
    body = "老人說：“請進來，頭髮都濕了。”\n" if chinese is Chinese.SIMPLIFIED else "老人说：“请进来，头发都湿了。”\n"
    text, document = cleaned(tale(body=body, numeral="第{}章"), chinese=chinese)

    assert wanted in text
    assert counts(document).keys() == {"script"}
    line = next(
        number for number, line in enumerate(tale(body=body, numeral="第{}章").split("\n"), 1) if "老人" in line
    )
    assert [before for number, before, _ in examples(document, "script") if number == line] == [body.strip()]


def test_characters_are_converted_once_and_after_all_else() -> None:
    """Where a line was wrapped in the middle of a word, it is whole then; what is converted already stays."""
    pytest.importorskip("opencc", reason="the extra zh is not installed")
    lines = [
        "渡船那天晚上来得很迟，码头上没有一个人说出大家心里想的那句话，头",
        "发都湿了，二十年来它从没有迟过，自从那个发大水的冬天，半个城的人坐",
        "着它到了对岸，数里之外，再也没有回来。",
    ]
    source = tale(body="\n".join(lines * 4) + "\n", numeral="第{}章", ad="※ 请到夜航船网址 ※")
    text, document = cleaned(source, chinese=Chinese.TRADITIONAL)

    assert "，頭髮都溼了，" in text
    assert "夜航船" not in text
    numbered = source.split("\n")
    assert all(numbered[number - 1][:4] == before[:4] for number, before, _ in examples(document, "script"))
    again, second = cleaned(text, chinese=Chinese.TRADITIONAL)
    assert (again, counts(second)) == (text, {})


def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of an ImportError."""
    monkeypatch.setitem(sys.modules, "opencc", None)
    with pytest.raises(InvalidOptionsError) as caught:
        cleaned(tale(), chinese=Chinese.SIMPLIFIED)
    assert "pip install novel-tasks[zh]" in str(caught.value)


def test_markdown_keeps_its_lines() -> None:
    """A line break may be part of the markup."""
    source = "# The Ferry\n\n" + "\n".join(f"## Chapter {n}\n\n{WRAPPED}\n- one\n- two\n" for n in range(1, 9))

    assert cleaned(source, file_name="ferry.md")[0] == source


def test_markdown_keeps_its_markup() -> None:
    """Two blanks break a line; tags and entities mean something there. The artifact says what it is."""
    chapter = "Roses are red,  \nviolets are <b>blue</b>.\n\n&lt;tag&gt; &amp;amp;\n"
    source = "# The Ferry\n\n" + "\n".join(f"## Chapter {n}\n\n{PROSE}\n\n{chapter}" for n in range(1, 9))
    recorder, _ = ran(clean, source, CleanOptions(), file_name="ferry.md")

    assert recorder.artifacts["novel.txt"].decode() == source


class Stopped(BaseException):
    """The attempt ends here."""


@pytest.mark.parametrize("words", [5, 8, 12, 20])
def test_an_attempt_goes_on_where_the_one_before_was_killed(tmp_path: Path, words: int) -> None:
    """The artifacts are the same bytes, and finished chapters are not cleaned again."""
    first = tale(body=f"{WRAPPED}\n本\u00a0章\n", ad="Come to our Discord")
    licence = "*** END OF THE PROJECT GUTENBERG EBOOK THE FERRY ***\n\nwww.gutenberg.org\n\n"
    source = f"{first}{licence}{tale(body=LONG, ad='www.example.com', first=CHAPTERS + 1)}".encode()
    whole = Recorder(tmp_path / "whole", source)
    killed = Recorder(tmp_path / "killed", source)
    for recorder in (whole, killed):
        recorder.folder.mkdir()
    clean(whole, CleanOptions())
    said = 0

    def stop() -> None:
        nonlocal said
        said += 1
        if said == 2 * CHAPTERS + words:
            raise Stopped

    killed.stop = stop
    with pytest.raises(Stopped):
        clean(killed, CleanOptions())
    with (killed.work_folder / "novel.txt").open("ab") as partial:
        partial.write(b"half a chap")
    killed.stop, killed.steps = (lambda: None), []
    clean(killed, CleanOptions())

    assert killed.artifacts == whole.artifacts
    assert any("were finished by an earlier attempt" in line for line in killed.lines)
    assert len(killed.steps) < len(whole.steps)


@pytest.mark.parametrize("damage", ["cut", "zeros"])
def test_a_partial_result_that_is_not_what_the_journal_says_is_not_taken_up(tmp_path: Path, damage: str) -> None:
    """After a copy made while a zombie wrote, or a power cut, all begins anew: the artifacts are the same bytes."""
    source = tale(body=f"{WRAPPED}\n", ad="Come to our Discord").encode()
    whole = Recorder(tmp_path / "whole", source)
    again = Recorder(tmp_path / "again", source)
    for recorder in (whole, again):
        recorder.folder.mkdir()
        clean(recorder, CleanOptions())
    again.artifacts.clear()
    partial = again.work_folder / "novel.txt"
    data = partial.read_bytes()
    partial.write_bytes(data[:500] + (b"" if damage == "cut" else bytes(len(data) - 500)))

    clean(again, CleanOptions())

    assert again.artifacts == whole.artifacts


def test_the_log_keeps_some_examples_and_counts_all() -> None:
    """However dirty the novel is."""
    text, document = cleaned(tale() + "a\u200bb\n" * 1000)

    assert text == tale() + "ab\n" * 1000
    assert counts(document)["invisible"] == 1000
    assert len(examples(document, "invisible")) == MOST_EXAMPLES


def test_merged_logs_say_the_same() -> None:
    """A log that was stored in parts keeps counts and the first examples."""
    whole, first, second = ChangeLog(), ChangeLog(), ChangeLog()
    for number in range(MOST_EXAMPLES + 5):
        for log in (whole, first if number < 150 else second):
            log.note("junk", number, "a", None, rule="r")
    merged = ChangeLog()
    for part in (first, second):
        merged.merge(json.loads(json.dumps(part.document())))

    assert merged == whole


LINES = st.sampled_from(
    [
        *("", "", "It rained.", "  verse of mine", "&nbsp;He came.", "www.example.com", "a\u200bb \t", "第1章"),
        *("&amp;lt;br&gt;", "R&D", "He came.&nbsp;", "<<br>br>x", "&#12288;"),
        *("Chapter 2", "１２", "\x07", WRAPPED, "“Yes.”", "他走了。", "\r", "* * *", "Q" * 90, "\u2028", "m. a"),
        "本章未完，请点击下一页继续阅读！",
    ]
)


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(LINES, min_size=1, max_size=40))
def test_cleaning_twice_changes_nothing_more(lines: list[str]) -> None:
    """And what is not told as changed is unchanged."""
    source = "\n".join([PROSE, *lines, PROSE])  # so much that its language is sure
    once, document = cleaned(source)
    again, second = cleaned(once)

    assume(document["chapters"] == second["chapters"])  # a line end that was mended may part other sections
    assert (again, counts(second)) == (once, {})
    if not counts(document):
        assert once == source


def letters(text: str) -> str:
    """Return the letters and digits of a text."""
    return "".join(filter(str.isalnum, text))


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(LINES, min_size=1, max_size=40))
def test_no_word_is_lost_that_the_log_does_not_name(lines: list[str]) -> None:
    """The letters of the source are those of the result and those of what the log says was taken out."""
    source = "x\n" + "\n".join(lines)
    text, document = cleaned(source, widths=False)

    left = Counter(letters(text))
    for kind in ("entities", "junk", "repeated"):
        for _, before, after in examples(document, kind):
            left.update(letters(before))
            left.subtract(letters(after or ""))
    assert Counter(letters(source)) == +left
