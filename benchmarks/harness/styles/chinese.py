"""Books in Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.harness.restyle import HeadingLines, Layout, Style, han, roman
from benchmarks.harness.styles.pages import HAN_LAYOUTS, insert
from benchmarks.harness.styles.words import formal, full_width


def _volume(number: int, title: str) -> str:
    return f"第{han(number)}卷 {title}"


def chinese() -> Iterator[Style]:
    """Yield books in Chinese."""
    shapes: dict[str, HeadingLines] = {
        "zhang": lambda n, t: f"第{han(n)}章 {t}",
        "zhang-bare": lambda n, t: f"第{han(n)}章",
        "zhang-arabic": lambda n, t: f"第{n}章 {t}",
        "zhang-padded": lambda n, t: f"第{n:03}章 {t}",
        "zhang-joined": lambda n, t: f"第{han(n)}章{t}",
        "zhang-colon": lambda n, t: f"第{n}章：{t}",
        "zhang-indented": lambda n, t: f"　　第{han(n)}章　{t}",
        "zhang-title-below": lambda n, t: f"第{han(n)}章\n{t}",
        "zhengwen": lambda n, t: f"正文 第{han(n)}章 {t}",
        "zhang-boxed": lambda n, t: f"【第{han(n)}章】{t}",
        "zhang-box-all": lambda n, t: f"【第{han(n)}章 {t}】",
        "zhang-spaced": lambda n, t: f"第 {n} 章 {t}",
        "zhang-full-width": lambda n, t: f"第{full_width(n)}章　{t}",
        "zhang-formal": lambda n, t: f"第{formal(n)}章 {t}",
        "zhang-dashes": lambda n, t: f"======第{n}章 {t}======",
        "hui": lambda n, t: f"第{han(n)}回　{t}　{t[::-1]}",
        "hui-below": lambda n, t: f"第{han(n)}回\n\n{t} {t[::-1]}",
        "jie": lambda n, t: f"第{han(n)}节 {t}",
        "hua": lambda n, t: f"第{n}话 {t}",
        "chapter-english": lambda n, t: f"Chapter {n} {t}",
        "chapter-dot": lambda n, t: f"Chapter.{n:02} {t}",
        "juan-zhang": lambda n, t: f"卷{han((n - 1) // 6 + 1)} 第{han(n)}章 {t}",
        "volume-zhang": lambda n, t: f"第{han((n - 1) // 6 + 1)}卷 第{han((n - 1) % 6 + 1)}章 {t}",
        "volume-named-zhang": lambda n, t: f"第{han((n - 1) // 6 + 1)}卷 风起云涌 第{han(n)}章 {t}",
        "book-named-zhang": lambda n, t: f"河上的房子 第{n}章 {t}",
    }
    for name, shape in shapes.items():
        yield Style(name=name, group="named and numbered", families="zh", heading=shape)
    bare: dict[str, HeadingLines] = {
        "enumerated": lambda n, t: f"{n}、{t}",
        "han-enumerated": lambda n, t: f"{han(n)}、{t}",
        "padded-title": lambda n, t: f"{n:03} {t}",
        "number-dot": lambda n, t: f"{n}. {t}",
        "han-bracket": lambda n, t: f"（{han(n)}）",
        "han-bare": lambda n, t: han(n),
        "han-stop": lambda n, t: f"{han(n)}、",
        "han-space-title": lambda n, t: f"{han(n)}　{t}",
        "arabic-bare": lambda n, t: str(n),
        "han-indented": lambda n, t: f"　　　　{han(n)}",
        "bracket-arabic": lambda n, t: f"({n})",
        "roman-title": lambda n, t: f"{roman(n)}、{t}",
        "ri": lambda n, t: f"其{han(n)}",
    }
    for name, shape in bare.items():
        layouts = (
            HAN_LAYOUTS
            if "title" in name or "enumer" in name or "number" in name
            else tuple(layout for layout in HAN_LAYOUTS if layout.before)
        )
        yield Style(name=f"zh-{name}", group="bare numbers", families="zh", heading=shape, layouts=layouts)
    ends: dict[str, Any] = {"before": ("楔子",), "after": ("尾声", "番外"), "required_ends": True}
    for name in ("zhang", "zhang-arabic"):
        yield Style(name=f"{name}-ends", group="front and back", families="zh", heading=shapes[name], **ends)
    yield Style(
        name="xu-houji",
        group="front and back",
        families="zh",
        heading=shapes["zhang-bare"],
        before=("序章 旧事",),
        after=("后记",),
        required_ends=True,
    )
    for contents in ("front", "end"):
        for name in ("zhang", "hui", "zhang-arabic"):
            yield Style(
                name=f"{name}-listed-{contents}",
                group="contents lists",
                families="zh",
                heading=shapes[name],
                contents=contents,
                contents_title="目录",
            )
    yield Style(
        name="zh-titles-listed",
        group="titles without numbers",
        families="zh",
        heading=lambda n, t: t,
        contents="front",
        contents_title="目录",
        layouts=tuple(layout for layout in HAN_LAYOUTS if layout.before > 1),
    )
    yield Style(
        name="volumes-restart", group="in parts", families="zh", heading=shapes["zhang"], part=_volume, restarts=True
    )
    yield Style(name="volumes-through", group="in parts", families="zh", heading=shapes["zhang-arabic"], part=_volume)
    yield Style(
        name="juan-jie",
        group="in parts",
        families="zh",
        heading=shapes["jie"],
        part=lambda n, t: f"卷{han(n)} {t}",
        restarts=True,
    )
    yield Style(
        name="upper-lower",
        group="in parts",
        families="zh",
        heading=shapes["zhang"],
        part=lambda n, t: ("上卷", "中卷", "下卷")[(n - 1) % 3],
        part_size=8,
    )
    prose = "　　第一回见到他时，天正下着雨。\n　　第二天一早，他就走了。\n　　第三章的内容他已经忘了，只记得开头。"
    for name in ("hui", "zhang", "zhang-joined"):
        yield Style(
            name=f"{name}-prose-like",
            group="traps",
            families="zh",
            heading=shapes[name],
            change=insert(12, *prose.split("\n")),
        )
    yield Style(
        name="zhang-ads",
        group="traps",
        families="zh",
        heading=shapes["zhang"],
        change=insert(10, "　　本书首发于某某网，请支持正版", "　　(本章完)", "　　求推荐票，求收藏！"),
    )
    yield Style(name="zhang-lost", group="misprints", families="zh", heading=shapes["zhang"], lost=frozenset({3, 8}))
    yield Style(
        name="zhang-doubled",
        group="misprints",
        families="zh",
        heading=lambda n, t: shapes["zhang"](n - 1 if n == 6 else n, t),
    )
    yield Style(
        name="zhang-mixed",
        group="misprints",
        families="zh",
        heading=lambda n, t: shapes["zhang" if n % 3 else "zhang-arabic"](n, t),
    )
    yield Style(
        name="zhang-wrong-unit",
        group="misprints",
        families="zh",
        heading=lambda n, t: shapes["zhang" if n != 4 else "jie"](n, t),
    )
    yield Style(
        name="zhang-repeated",
        group="traps",
        families="zh",
        heading=lambda n, t: f"第{han(n)}章 {t}\n\n　　第{han(n)}章 {t}",
    )
    yield Style(
        name="zh-diary",
        group="letters and diaries",
        families="zh",
        heading=lambda n, t: f"{han(n // 3 + 3)}月{han(n * 11 % 28 + 1)}日",
        layouts=tuple(layout for layout in HAN_LAYOUTS if layout.before),
    )
    yield Style(
        name="md-zhang",
        group="markdown",
        families="zh",
        heading=lambda n, t: f"## 第{han(n)}章 {t}",
        suffix="md",
        top="# 河上的房子",
        layouts=(Layout(gap=1),),
    )
    yield Style(
        name="md-zhang-bold",
        group="markdown",
        families="zh",
        heading=lambda n, t: f"**第{han(n)}章 {t}**",
        suffix="md",
        layouts=(Layout(gap=1),),
    )
