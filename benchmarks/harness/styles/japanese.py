"""Books in Japanese, many as the Aozora library sets them."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.harness.restyle import HeadingLines, Style, han, roman
from benchmarks.harness.styles.pages import JAPANESE_LAYOUTS, insert
from benchmarks.harness.styles.words import full_width


def japanese() -> Iterator[Style]:
    """Yield books in Japanese."""
    shapes: dict[str, HeadingLines] = {
        "sho": lambda n, t: f"第{han(n)}章　{t}",
        "sho-bare": lambda n, t: f"第{han(n)}章",
        "sho-arabic": lambda n, t: f"第{full_width(n)}章　{t}",
        "wa": lambda n, t: f"第{han(n)}話　{t}",
        "wa-arabic": lambda n, t: f"第{n}話 {t}",
        "kai": lambda n, t: f"第{han(n)}回",
        "sono": lambda n, t: f"その{han(n)}",
        "sho-boxed": lambda n, t: f"【第{n}話】{t}",
    }
    for name, shape in shapes.items():
        yield Style(name=f"ja-{name}", group="named and numbered", families="ja", heading=shape)
    bare: dict[str, HeadingLines] = {
        "han": lambda n, t: han(n),
        "han-indented": lambda n, t: f"　　　　　　　　{han(n)}",
        "han-title": lambda n, t: f"{han(n)}　{t}",
        "han-bracket": lambda n, t: f"（{han(n)}）",
        "han-title-indented": lambda n, t: f"　　　{han(n)}　{t}",
        "full-width": lambda n, t: full_width(n),
        "full-width-indented": lambda n, t: f"　　　{full_width(n)}",
        "roman-sign": lambda n, t: chr(0x2160 + (n - 1) % 12) if n <= 12 else roman(n),
        "kangxi": lambda n, t: han(n).translate(str.maketrans("一二八十", "⼀⼆⼋⼗")),
        "circle": lambda n, t: f"◇{han(n)}",
        "star-title": lambda n, t: f"◆ {n} {t}",
        "han-stop": lambda n, t: f"{han(n)}、{t}",
    }
    spaced = tuple(layout for layout in JAPANESE_LAYOUTS if layout.before)
    for name, shape in bare.items():
        yield Style(name=f"ja-{name}", group="bare numbers", families="ja", heading=shape, layouts=spaced)
    for size, style in (("大", ""), ("中", ""), ("小", ""), ("中", "窓"), ("小", "同行")):
        yield Style(
            name=f"aozora-{style}{size}",
            group="aozora",
            families="ja",
            heading=(lambda s, k: lambda n, t: f"［＃８字下げ］{han(n)}　{t}［＃「{han(n)}　{t}」は{k}{s}見出し］")(
                size, style
            ),
            layouts=spaced,
        )
    yield Style(
        name="aozora-around",
        group="aozora",
        families="ja",
        heading=lambda n, t: f"［＃８字下げ］［＃中見出し］{han(n)}［＃中見出し終わり］",
        layouts=spaced,
    )
    yield Style(
        name="aozora-parts",
        group="aozora",
        families="ja",
        heading=lambda n, t: f"［＃８字下げ］{han(n)}［＃「{han(n)}」は中見出し］",
        part=lambda n, t: f"［＃３字下げ］第{han(n)}部［＃「第{han(n)}部」は大見出し］",
        restarts=True,
        layouts=spaced,
    )
    yield Style(
        name="aozora-mixed",
        group="aozora",
        families="ja",
        heading=lambda n, t: f"［＃８字下げ］{han(n)}",
        part=lambda n, t: f"［＃３字下げ］第{han(n)}部［＃「第{han(n)}部」は大見出し］",
        restarts=True,
        layouts=spaced,
    )
    legend = (
        "川の家\n某作家\n\n"
        + "-" * 55
        + "\n【テキスト中に現れる記号について】\n\n《》：ルビ\n（例）水車《すいしゃ》\n\n"
        + "-" * 55
    )
    colophon = "\n底本：「川の家」某文庫\n　　　1990（平成2）年1月10日第1刷発行\n入力：某\n校正：某\n2001年1月1日公開"
    yield Style(
        name="aozora-plain",
        group="aozora",
        families="ja",
        heading=lambda n, t: f"　　　　　　　　{han(n)}",
        top=legend,
        bottom=colophon,
        newline="\r\n",
        layouts=spaced,
    )
    yield Style(
        name="aozora-plain-note",
        group="aozora",
        families="ja",
        heading=lambda n, t: f"［＃７字下げ］{han(n)}",
        top=legend,
        bottom=colophon,
        newline="\r\n",
        layouts=spaced,
    )
    yield Style(
        name="aozora-plain-title",
        group="aozora",
        families="ja",
        heading=lambda n, t: f"　　　　{han(n)}　{t}",
        top=legend,
        bottom=colophon,
        newline="\r\n",
        layouts=spaced,
    )
    yield Style(
        name="ja-part",
        group="in parts",
        families="ja",
        heading=lambda n, t: han(n),
        part=lambda n, t: ("上", "中", "下")[(n - 1) % 3],
        part_size=8,
        restarts=True,
        layouts=spaced,
    )
    yield Style(
        name="ja-bu",
        group="in parts",
        families="ja",
        heading=shapes["sho"],
        part=lambda n, t: f"第{han(n)}部　{t}",
        restarts=True,
    )
    yield Style(
        name="ja-ends",
        group="front and back",
        families="ja",
        heading=shapes["sho"],
        before=("プロローグ",),
        after=("エピローグ",),
        required_ends=True,
    )
    yield Style(
        name="ja-jo-shu",
        group="front and back",
        families="ja",
        heading=shapes["sho-bare"],
        before=("序章",),
        after=("終章",),
        required_ends=True,
    )
    yield Style(
        name="ja-bare-ends",
        group="front and back",
        families="ja",
        heading=lambda n, t: han(n),
        before=("はしがき",),
        after=("あとがき",),
        required_ends=True,
        layouts=spaced,
    )
    yield Style(
        name="ja-shuki", group="named and numbered", families="ja", heading=lambda n, t: f"第{han(n)}の手記", most=4
    )
    yield Style(
        name="ja-diary",
        group="letters and diaries",
        families="ja",
        heading=lambda n, t: f"{han(n // 3 + 3)}月{han(n * 11 % 28 + 1)}日",
        layouts=spaced,
    )
    yield Style(
        name="ja-diary-indented",
        group="letters and diaries",
        families="ja",
        heading=lambda n, t: f"　　　五月{han(n)}日　晴",
        layouts=spaced,
    )
    yield Style(
        name="ja-titles-listed",
        group="titles without numbers",
        families="ja",
        heading=lambda n, t: t,
        contents="front",
        contents_title="目次",
        layouts=tuple(layout for layout in spaced if layout.before > 1),
    )
    yield Style(
        name="ja-sho-listed",
        group="contents lists",
        families="ja",
        heading=shapes["sho"],
        contents="front",
        contents_title="目次",
        layouts=spaced,
    )
    yield Style(
        name="ja-han-listed",
        group="contents lists",
        families="ja",
        heading=lambda n, t: f"{han(n)}　{t}",
        contents="front",
        contents_title="目次",
        layouts=spaced,
    )
    yield Style(
        name="ja-breaks",
        group="traps",
        families="ja",
        heading=lambda n, t: han(n),
        change=insert(14, "＊　＊　＊", "　　　×　　　×　　　×"),
        layouts=spaced,
    )
    yield Style(
        name="ja-verse",
        group="traps",
        families="ja",
        heading=lambda n, t: han(n),
        change=insert(25, "一、米\n二、塩\n三、酒", "　　一つ\n　　二つ"),
        layouts=spaced,
    )
