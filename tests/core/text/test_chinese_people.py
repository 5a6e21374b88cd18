"""Who the people of a Chinese novel are, without a dictionary: in tales with a known cast, and in two real novels."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from itertools import cycle
from pathlib import Path

import pytest

from novel_tasks_core import read_novel
from novel_tasks_core.text.hancast import HanPerson, find_cast
from novel_tasks_core.text.hanlines import unwrapped
from novel_tasks_core.text.hannames import CastNames, han_names
from novel_tasks_core.text.hanopenings import Openings
from novel_tasks_core.text.measures import BookMeasures, measure
from novel_tasks_core.text.names import NameEvidence

CORPUS = (Path(__file__).resolve().parents[3] / os.environ.get("NOVEL_TASKS_CORPUS", "../shared/corpus")).resolve()

SAYS = (
    "{a}笑道：“今日天气甚好。”",
    "{b}见{a}来了，便问道：“你往何处去？”",
    "{a}对{b}说道：“我去青州城里走一遭。”",
    "“不可。”{b}摇了摇头，轻声道。",
    "{a}却不听，叫{b}牵过马来。",
    "众人都到青州城外，那老人缓缓说道：“路上小心。”",
    "{b}又与{a}饮了三杯，淡淡地道：“早去早回。”",
    "只见{a}也点头，忙忙地走出门去。",
)
"""Sentences in which two people act; a place, a group and somebody of no name act beside them."""
TRADITIONAL = str.maketrans(
    "说问见来气对听马缓轻声叫牵过众们与饮头张杨赵沈欧阳飞诸", "說問見來氣對聽馬緩輕聲叫牽過眾們與飲頭張楊趙瀋歐陽飛諸"
)


def tale(names: Iterable[str], *, rounds: int = 30) -> str:
    """Tell of people who meet in pairs."""
    people = list(names)
    others = cycle(people[1:] + people[:1])
    return "\n".join(
        sentence.format(a=one, b=other)
        for _ in range(rounds)
        for one, other in zip(people, others, strict=False)
        for sentence in SAYS
    )


def cast(text: str) -> dict[str, HanPerson]:
    """Find the people of a text that is read in one piece."""
    return {person.name: person for person in find_cast(lambda: iter([text]))}


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("沈青", "赵长林", "欧阳雪", "张飞燕"), id="surnames of one and two characters"),
        pytest.param(("孔阿福", "玄德", "智深"), id="names without a surname"),
        pytest.param(("周经理", "苏小姐", "方老太太"), id="surnames with a title"),
        pytest.param(("袭人", "匡超人", "沈青"), id="names that end like people of no name"),
        pytest.param(("多九公", "唐敖", "林之洋"), id="a name that begins like a word of every day"),
        pytest.param(("阿Q", "小D", "Tom", "赵长林"), id="names with Latin letters"),
    ],
)
def test_people_are_found_and_nothing_else(names: tuple[str, ...]) -> None:
    """Names end where a verb begins; a town, a crowd, an old man and an adverb are nobody."""
    assert set(cast(tale(names))) == set(names)


@pytest.mark.parametrize(
    ("role", "sentences"),
    [
        pytest.param("丞相", "丞相笑道：“请坐。”沈青对丞相说道：“不敢。”丞相也笑了。\n", id="an office"),
        pytest.param(
            "黑袍客", "黑袍客冷笑道：“休走！”沈青看那黑袍客时，黑袍客也笑了，欧阳雪对黑袍客笑。\n", id="pointed at"
        ),
        pytest.param(
            "高家镇",
            "沈青往高家镇去，又到高家镇来，高家镇却是空的，高家镇也冷清，高家镇便如此。欧阳雪见高家镇空了。\n",
            id="a place",
        ),
        pytest.param(
            "高家镇",
            "沈青往高家镇去，又到高家镇来，住在高家镇。高家镇也笑道：“不。”高家镇又说：“不。”欧阳雪见高家镇空了。\n",
            id="a place that speaks",
        ),
        pytest.param("金饰", "沈青买玉器、金饰，又拿金饰来看，金饰也旧，金饰却好，金饰都是假的。\n", id="a thing"),
    ],
)
def test_offices_strangers_and_places_are_nobody(role: str, sentences: str) -> None:
    """They speak, are spoken to and open clauses as people do."""
    found = cast(tale(("沈青", "欧阳雪")) + sentences * 20)

    assert role not in found
    assert set(found) == {"沈青", "欧阳雪"}


def test_who_speaks_under_a_shorter_name_is_somebody() -> None:
    """董卓 is found though it is 卓 who speaks, and under one character."""
    text = (
        "董卓自为相国，董卓又往长安。袁绍见董卓，又与董卓饮酒，董卓大怒。"
        "卓曰：“善。”卓大怒。卓笑曰：“可。”卓乃退。卓见之，卓问之。\n"
    )

    assert {"董卓"} <= cast(tale(("沈青", "欧阳雪")) + text * 20).keys()


def test_the_speaker_may_stand_before_what_is_done_in_between() -> None:
    """Web novels tell first what somebody does, and then that somebody speaks."""
    text = "“走罢。”楚云澜偏过头，望着沈青轻声道。楚云澜微微一笑，道：“好。”沈青看着楚云澜。\n"

    assert "楚云澜" in cast(tale(("沈青", "欧阳雪")) + text * 20)


def test_an_office_before_a_name_is_no_part_of_it() -> None:
    """军师沈青 is 沈青, who is counted wherever he is written."""
    text = tale(("沈青", "欧阳雪")) + "军师沈青笑道：“好。”欧阳雪见军师沈青也笑了，军师沈青便去。\n" * 20

    found = cast(text)

    assert set(found) == {"沈青", "欧阳雪"}
    assert found["沈青"].mentions == text.count("沈青")


def test_who_is_called_by_a_role_throughout_is_somebody() -> None:
    """A boy who speaks as much as anybody else is one of the people; an old man who speaks at times is not."""
    assert "少年" in cast(tale(("少年", "沈青", "欧阳雪")))
    assert "老者" not in cast(tale(("沈青", "欧阳雪")) + tale(("老者", "沈青"), rounds=4))


def test_names_may_begin_with_a_number() -> None:
    """八戒 is a name, 三位 is not, however often it opens a clause."""
    found = cast(tale(("八戒", "三藏", "沈青")) + "三位一齐笑道：“好！”三位大人也走了，三位又来了。\n" * 30)

    assert set(found) == {"八戒", "三藏", "沈青"}


def test_traditional_text_needs_no_conversion() -> None:
    """The words around names are known in both scripts."""
    names = [name.translate(TRADITIONAL) for name in ("张飞燕", "欧阳雪", "赵长林")]

    assert set(cast(tale(names).translate(TRADITIONAL))) == set(names)


def test_a_courtesy_name_is_joined_by_its_definition() -> None:
    """Who is introduced as 姓沈，名青，字子衡 is shown by the full name, however others call him."""
    text = "座上一人，姓沈，名青，字子衡。\n" + tale(("子衡", "赵长林")) + "沈青大怒。\n" * 3

    found = cast(text)

    assert set(found) == {"沈青", "赵长林"}
    assert found["沈青"].aliases == ("子衡",)


def test_names_that_no_text_joins_stay_apart() -> None:
    """Without a definition a courtesy name is somebody of its own."""
    assert set(cast(tale(("子衡", "赵长林", "沈青")))) == {"子衡", "赵长林", "沈青"}


def test_a_given_name_belongs_to_the_one_full_name_that_has_it() -> None:
    """智深 is 鲁智深; of two who share a given name neither has it alone."""
    one = cast(tale(("智深", "鲁智深", "沈青")))
    two = cast(tale(("智深", "鲁智深", "沈智深")))

    assert one["鲁智深"].aliases == ("智深",)
    assert two["鲁智深"].aliases == two["沈智深"].aliases == ()


def test_a_quoted_nickname_is_joined_to_the_name_behind_it() -> None:
    """An everyday word among nicknames is not counted as a mention."""
    text = tale(("沈青", "赵长林")) + "只见“黑旋风”沈青来了。“大刀”赵长林提着大刀。\n" * 5

    found = cast(text)

    assert found["沈青"].aliases == ("黑旋风",)
    assert found["沈青"].written == ("沈青", "黑旋风")
    assert found["赵长林"].aliases == ("大刀",)
    assert found["赵长林"].written == ("赵长林",)


def test_what_is_quoted_before_several_names_is_no_nickname() -> None:
    """A word of praise belongs to nobody."""
    found = cast(tale(("沈青", "赵长林")) + "那“真豪杰”沈青与“真豪杰”赵长林来了。\n" * 5)

    assert found["沈青"].aliases == found["赵长林"].aliases == ()


def test_a_title_is_joined_to_the_name_beside_which_it_stands() -> None:
    """沈太尉 is the 沈 who is called 太尉, though another 沈 is named more often."""
    text = tale(("沈青", "沈长林")) + tale(("沈太尉", "沈长林"), rounds=8) + "太尉沈青坐下。\n" * 3

    assert cast(text)["沈青"].aliases == ("沈太尉",)


def test_a_title_alone_is_joined_to_who_is_alone_in_a_family_and_named_far_more_often() -> None:
    """沈先生 is 沈青 where no other 沈 is, a boy is not; where he is named as often, nobody can say."""
    seldom = cast(tale(("沈青", "欧阳雪")) + tale(("沈先生", "欧阳雪"), rounds=4))
    often = cast(tale(("沈青", "欧阳雪", "沈先生")))

    another = cast(tale(("沈青", "欧阳雪")) + tale(("沈童子", "欧阳雪"), rounds=4))

    assert seldom["沈青"].aliases == ("沈先生",)
    assert another["沈青"].aliases == ()
    assert set(often) == {"沈青", "欧阳雪", "沈先生"}


def test_a_nickname_that_looks_like_a_title_goes_to_who_bears_it() -> None:
    """花和尚 is 鲁智深, whatever others are called 花; a brother is no nickname."""
    text = tale(("花长荣", "鲁智深")) + tale(("花和尚", "花长荣"), rounds=3)

    found = cast(text + "见“花和尚”鲁智深来了，“哥哥”鲁智深笑了。\n" * 5)

    assert found["鲁智深"].aliases == ("花和尚",)
    assert found["花长荣"].aliases == ()


def test_a_nickname_that_looks_like_a_full_name_bears_no_title() -> None:
    """“李天威”沈青 makes nobody of the family 李."""
    found = cast(tale(("沈青", "李先生")) + "见“李天威”沈青来了。\n" * 2)

    assert set(found) == {"沈青", "李先生"}
    assert found["沈青"].aliases == ("李天威",)


def test_names_are_found_across_the_ends_of_lines() -> None:
    """A book that breaks its lines within sentences counts a name that is broken in two."""
    whole = tale(("沈青", "欧阳雪")).replace("\n", "")
    width = 37
    text = "\n".join(whole[start : start + width] for start in range(0, len(whole), width))

    finder = han_names(text, lambda: iter([text]))
    found = finder.cast(finder.find(text, []), {})

    assert {member.name: member.mentions for member in found.members} == {
        "沈青": whole.count("沈青"),
        "欧阳雪": whole.count("欧阳雪"),
    }


def test_only_who_is_named_outside_of_speech_is_present() -> None:
    """Who is merely talked about counts as mentioned and meets nobody."""
    finder = CastNames([HanPerson(name, (), 1, (name,)) for name in ("沈青", "欧阳雪", "赵长林")])
    text = "沈青对欧阳雪说：“赵长林到了。”"

    evidence = finder.find(text, [(9, 15)])

    assert evidence.mentions == {"沈青": 1, "欧阳雪": 1, "赵长林": 1}
    assert [set(scene) for scene in evidence.scenes] == [{"沈青", "欧阳雪"}]


def test_the_cast_is_ordered_by_its_mentions_in_the_whole_book() -> None:
    """What was counted beforehand, of a part, does not matter then."""
    finder = CastNames([HanPerson("沈青", ("子衡",), 9, ("沈青", "子衡")), HanPerson("赵长林", (), 1, ("赵长林",))])
    total = NameEvidence()
    total.add(finder.find("赵长林" * 5 + "沈青子衡", []))

    found = finder.cast(total, {})

    assert [(member.name, member.mentions) for member in found.members] == [("赵长林", 5), ("沈青", 2)]
    assert found.who["子衡"] == found.who["沈青"] == 1


def test_a_book_without_people_has_none() -> None:
    """Nothing is found in nothing, and the finder copes with it."""
    finder = han_names("", lambda: iter(["", "。。。"]))

    assert finder.cast(finder.find("沈青来了。", []), {}).members == ()


def test_memory_is_bounded_by_forgetting_what_is_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many clauses differ, only so many beginnings are kept, and those of the people are among them."""
    monkeypatch.setattr("novel_tasks_core.text.hanopenings._MOST_OPENINGS", 500)
    openings = Openings()
    for number in range(40):
        strange = "。".join(chr(0x4E00 + (number * 977 + n * 13) % 20_000) * 2 + "之物也" for n in range(300))
        openings.read(tale(("沈青", "欧阳雪"), rounds=2) + strange)

    assert len(openings.clauses) <= 500
    assert {"沈青", "欧阳雪"} <= openings.candidates(openings.subjects()).keys()


def book(*chapters: str) -> BookMeasures:
    """Measure a novel of so many chapters."""
    text = "".join(
        f"第{number}章 风起\n\n{chapter}\n\n" for number, chapter in zip("一二三四五", chapters, strict=False)
    )
    return measure(read_novel(text.encode()))


def test_a_chinese_book_tells_who_is_where_and_who_meets_whom() -> None:
    """People and meetings come with their chapters."""
    found = book(tale(("沈青", "欧阳雪")), tale(("沈青", "赵长林")), tale(("沈青", "欧阳雪")))

    assert found.people is not None
    assert found.meetings is not None
    assert {person.name: [section for section, _ in person.by_chapter] for person in found.people} == {
        "沈青": [0, 1, 2],
        "欧阳雪": [0, 2],
        "赵长林": [1],
    }
    assert {frozenset((meeting.first, meeting.second)): meeting.chapters for meeting in found.meetings} == {
        frozenset(("沈青", "欧阳雪")): 2,
        frozenset(("沈青", "赵长林")): 1,
    }


def test_of_a_very_large_novel_only_beginnings_are_read_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many characters are enough to know the people; all are counted all the same."""
    read: list[int] = []
    find = Openings.read

    def counted(openings: Openings, text: str) -> None:
        read.append(len(text))
        find(openings, text)

    monkeypatch.setattr("novel_tasks_core.text.measures._ENOUGH", 12_000)
    monkeypatch.setattr(Openings, "read", counted)
    chapters = [tale(("沈青", "欧阳雪")), tale(("沈青", "赵长林"))] * 2

    found = book(*chapters)

    assert sum(map(len, chapters)) > 2 * sum(read) > 20_000
    assert found.people is not None
    assert {person.name: person.mentions for person in found.people} == {
        name: sum(chapter.count(name) for chapter in chapters) for name in ("沈青", "欧阳雪", "赵长林")
    }


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("道" * 400_000, id="no marks at all"),
        pytest.param("王道：“" * 100_000, id="speech that never ends"),
        pytest.param("”王王，王道，" * 60_000, id="nothing but speakers"),
        pytest.param("姓王，名王，字王王。" * 40_000, id="nothing but definitions"),
        pytest.param("「黑旋風」王王" * 60_000, id="nothing but nicknames"),
    ],
)
def test_hostile_texts_take_linear_time(text: str) -> None:
    """Every pattern looks only a few characters ahead."""
    started = time.process_time()

    han_names(text[:200_000], lambda: iter([text])).find(text, [])

    assert time.process_time() - started < 5


SANGUO = (
    "刘备/玄德 诸葛亮/孔明 曹操 关羽/云长/关公 张飞 赵云 吕布 孙权 周瑜 司马懿 姜维 魏延 黄忠 马超 袁绍 董卓"
    " 鲁肃 张辽 徐晃 曹仁 夏侯惇 庞统 陆逊 吕蒙 孟获 邓艾 张郃 刘表 袁术 孙策 司马昭 曹丕 许褚 甘宁 刘璋 庞德"
    " 马岱 孙坚 貂蝉 王允"
)
SHUIHU = (
    "宋江 李逵 武松/武行者 林沖 吳用/吳學究 魯智深/智深 盧俊義 戴宗 燕青 花榮 柴進 石秀 王慶 晁蓋 楊志"
    " 高俅/高太尉 呼延灼 秦明 史進 公孫勝 張順 關勝 張清 朱仝 李俊 楊雄 徐寧 時遷 雷橫 解珍 解寶 劉唐 西門慶"
    " 武大 孫立 董平 王婆 瓊英 喬道清 方臘"
)


@pytest.mark.corpus
@pytest.mark.skipif(not (CORPUS / "manifest.json").is_file(), reason=f"no corpus of novels in {CORPUS}")
@pytest.mark.parametrize(
    ("file", "expected"), [("zh-hans_sanguo-yanyi.txt", SANGUO), ("zh-hant_shuihu-zhuan.txt", SHUIHU)]
)
def test_the_people_of_real_novels(file: str, expected: str) -> None:
    """Nine of ten of the forty main people are found, and the first twenty are all among the known ones."""
    main = [set(names.split("/")) for names in expected.split()]
    text = unwrapped(read_novel((CORPUS / file).read_bytes()).text)
    pieces = [text[start : start + 100_000] for start in range(0, len(text), 100_000)]

    found = [{person.name, *person.aliases} for person in find_cast(lambda: iter(pieces))]

    assert sum(any(names & person for person in found) for names in main) >= 0.9 * len(main)
    assert all(any(names & person for names in main) for person in found[:20])
