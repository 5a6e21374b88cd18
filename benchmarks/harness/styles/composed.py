"""Books that are set as the editions of famous novels are."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.harness.ordinals import TITLES, cardinal, ordinal
from benchmarks.harness.restyle import HeadingLines, Layout, Style, han, roman
from benchmarks.harness.styles.pages import AIRY, HAN_LAYOUTS, JAPANESE_LAYOUTS, insert
from benchmarks.harness.styles.western import (
    in_words,
    part_in_words,
    western,
)
from benchmarks.harness.styles.words import (
    BOOK,
    CHAPTER,
    CONTENTS,
    EPIGRAPHS,
    GUTENBERG_BOTTOM,
    GUTENBERG_TOP,
    LATIN,
    LETTERS,
    TOPS,
    formal,
)


def spaced(text: str) -> str:
    """Set letters apart."""
    return " ".join(text)


def _parts_and_epilogue(family: str) -> HeadingLines:
    epilogue = {"en": "EPILOGUE", "fr": "ÉPILOGUE", "de": "Epilog", "es": "EPÍLOGO", "ru": "ЭПИЛОГ"}[family]
    part = part_in_words(family)
    return lambda n, t: part(n, t) if n < 4 else epilogue


def composed() -> Iterator[Style]:
    """Yield what the editions of famous novels have put together."""
    parts = {f: part_in_words(f) for f in LATIN.split()}
    group = "composed"
    yield from western("letterspaced", group, lambda f: lambda n, t: f"{spaced(CHAPTER[f].upper())}  {roman(n)}.")
    yield from western("letterspaced-chap", group, lambda f: lambda n, t: f"C H A P. {roman(n)}.", "en fr")
    yield from western(
        "dashed-parts", group, lambda f: lambda n, t: f"[ {n} ]", part=lambda n, t: f"— {roman(n)} —", layouts=AIRY
    )
    yield from western(
        "roman-upper-no-stop",
        group,
        lambda f: lambda n, t: f"{roman(n)} {t.upper()}",
        part=parts,
        restarts=True,
        layouts=AIRY,
    )
    yield from western(
        "roman-title-no-stop", group, lambda f: lambda n, t: f"{roman(n)} {t}", part=parts, restarts=True, layouts=AIRY
    )
    yield from western("roman-title-no-stop-flat", group, lambda f: lambda n, t: f"{roman(n)} {t}", layouts=AIRY)
    yield from western(
        "emdash-title",
        group,
        lambda f: lambda n, t: f"{CHAPTER[f].upper()} {roman(n)}—{t.upper()}",
        part={f: (lambda w: lambda n, t: f"{w.upper()} {roman(n)}—{t.upper()}")(BOOK[f]) for f in LATIN.split()},
        restarts=True,
    )
    yield from western("no-stop-title", group, lambda f: lambda n, t: f"{CHAPTER[f]} {n} {t.upper()}")
    yield from western("no-stop-mixed-title", group, lambda f: lambda n, t: f"{CHAPTER[f]} {roman(n)} {t}")
    yield from western(
        "tratado", group, lambda f: lambda n, t: f"Tratado {ordinal(n, 'es')}: {t}", "es", most=9, layouts=AIRY
    )
    yield from western(
        "letters-chapters",
        group,
        lambda f: lambda n, t: f"{LETTERS[f]} {n}" if n < 4 else f"{CHAPTER[f]} {n - 3}",
        contents="front",
        contents_title=CONTENTS,
    )
    yield from western(
        "parts-title-below",
        group,
        lambda f: lambda n, t: f"{n}\n\n{t}",
        part={f: (lambda p: lambda n, t: f"{p(n, t)}--{t}")(part_in_words(f)) for f in LATIN.split()},
        contents="front",
        contents_title=CONTENTS,
        layouts=AIRY,
    )
    yield from western(
        "inner-roman",
        group,
        lambda f: lambda n, t: f"{in_words(f)(n, t)}\n\n{t}",
        inner=lambda n, t: roman(n),
        layouts=AIRY,
    )
    yield from western(
        "inner-arabic",
        group,
        lambda f: lambda n, t: f"{CHAPTER[f].upper()} {roman(n)}. {t}",
        inner=lambda n, t: str(n),
        layouts=AIRY,
    )
    yield from western(
        "roman-inner-arabic",
        group,
        lambda f: lambda n, t: f"{roman(n)}. {t.upper()}",
        inner=lambda n, t: f"{n}.",
        layouts=AIRY,
    )
    yield from western(
        "arguments",
        group,
        lambda f: lambda n, t: f"{CHAPTER[f].upper()} {roman(n)}.",
        epigraph={f: "--".join(TITLES[f].split("|")[:7]) + "." for f in LATIN.split()},
    )
    yield from western("underlined", group, lambda f: lambda n, t: f"_{CHAPTER[f]} {roman(n)}_")
    yield from western("equals", group, lambda f: lambda n, t: f"={roman(n)}=", layouts=AIRY)
    yield from western("noted", group, lambda f: lambda n, t: f"{CHAPTER[f].upper()} {roman(n)}.[{n}]")
    yield from western("boxed-stars", group, lambda f: lambda n, t: f"*****\n\n{CHAPTER[f]} {n}\n\n*****")
    yield from western("titles-stopped", group, lambda f: lambda n, t: f"{t.upper().rstrip('?')}.", layouts=AIRY)
    yield from western(
        "titles-mixed-listed-indented",
        group,
        lambda f: lambda n, t: f"    {t}",
        contents="front",
        contents_title=CONTENTS,
        layouts=AIRY,
    )
    yield from western(
        "listed-title-below",
        group,
        lambda f: lambda n, t: f"{CHAPTER[f].upper()} {roman(n)}\n\n{t.upper()}",
        contents="pages",
        contents_title=CONTENTS,
        top=GUTENBERG_TOP,
        bottom=GUTENBERG_BOTTOM,
        newline="\r\n",
        layouts=AIRY,
    )
    yield from western(
        "epilogue-in-sections",
        group,
        lambda f: lambda n, t: roman(n),
        part={family: _parts_and_epilogue(family) for family in LATIN.split()},
        restarts=True,
        layouts=AIRY,
    )
    yield from western(
        "chapters-then-chap",
        group,
        lambda f: lambda n, t: f"CHAPTER {roman(n)}." if n == 1 else f"CHAP. {roman(n)}.",
        "en",
    )
    yield from western(
        "titles-listed-any", group, lambda f: lambda n, t: t, contents="front", contents_title=CONTENTS, top=TOPS
    )
    yield from western("titles-listed-untitled", group, lambda f: lambda n, t: t, contents="front", layouts=AIRY)
    yield from western(
        "titles-upper-narrow",
        group,
        lambda f: lambda n, t: t.upper(),
        layouts=(Layout(gap=1, width=72, before=1, after=1),),
    )
    yield from western("titles-epigraph", group, lambda f: lambda n, t: t.upper(), epigraph=EPIGRAPHS, layouts=AIRY)
    yield from western(
        "stories-in-sections",
        group,
        lambda f: lambda n, t: t.upper(),
        inner=lambda n, t: roman(n),
        contents="front",
        contents_title=CONTENTS,
        layouts=AIRY,
        most=9,
    )
    yield from western(
        "stories-in-sections-alone",
        group,
        lambda f: lambda n, t: t.upper(),
        inner=lambda n, t: roman(n),
        layouts=AIRY,
        most=9,
    )
    yield from western(
        "one-blank-words",
        group,
        lambda f: lambda n, t: cardinal(n, f).upper(),
        layouts=(Layout(gap=1, width=72, before=1, after=1),),
    )
    yield from western(
        "bare-roman-narrow",
        group,
        lambda f: lambda n, t: roman(n),
        layouts=(Layout(gap=1, width=72, before=1, after=1), Layout(gap=0, width=72, before=1, after=1)),
    )
    yield from western(
        "bare-roman-crowded",
        group,
        lambda f: lambda n, t: f"{roman(n)}.",
        layouts=(Layout(gap=0, before=0, after=0), Layout(gap=0, width=72, before=0, after=0)),
    )
    yield from western(
        "few-lines-between", group, lambda f: lambda n, t: f"{CHAPTER[f]} {n}", change=insert(9, "...", "---", "~")
    )
    yield Style(
        name="zh-titles-alone",
        group=group,
        families="zh",
        heading=lambda n, t: t,
        layouts=(Layout(gap=0, indent="　　", before=2, after=1), Layout(gap=1, before=3, after=1)),
    )
    yield Style(
        name="hui-zero",
        group=group,
        families="zh",
        heading=lambda n, t: (
            f"第{'〇' if n < 10 else ''}{''.join('〇一二三四五六七八九'[int(d)] for d in str(n))}回　{t}　{t}"
        ),
    )
    yield Style(name="hui-padded", group=group, families="zh", heading=lambda n, t: f"第{n:03}回　{t}　{t}")
    yield Style(name="juan-hui", group=group, families="zh", heading=lambda n, t: f"卷{han(n)}　{t}")
    yield Style(
        name="book-marks",
        group=group,
        families="zh",
        heading=lambda n, t: f"《{t}》第{han(n)}章",
        layouts=HAN_LAYOUTS[2:],
    )
    yield Style(
        name="zh-inner",
        group=group,
        families="zh",
        heading=lambda n, t: f"第{han(n)}章　{t}",
        inner=lambda n, t: han(n),
    )
    yield Style(
        name="zh-inner-arabic",
        group=group,
        families="zh",
        heading=lambda n, t: f"第{han(n)}章　{t}",
        inner=lambda n, t: str(n),
    )
    yield Style(
        name="ja-hakai",
        group=group,
        families="ja",
        heading=lambda n, t: f"第{formal(n).replace('贰', '弐').replace('叁', '参').replace('壹', '壱')}章",
        inner=lambda n, t: f"　　　　　（{han(n)}）",
    )
    yield Style(
        name="ja-hakai-marked",
        group=group,
        families="ja",
        heading=lambda n, t: f"［＃５字下げ］第{han(n)}章［＃「第{han(n)}章」は大見出し］",
        inner=lambda n, t: f"［＃８字下げ］（{han(n)}）［＃「（{han(n)}）」は中見出し］",
    )
    yield Style(
        name="ja-ruby-title",
        group=group,
        families="ja",
        heading=lambda n, t: f"　　　{han(n)}　{t}《かな》",
        layouts=JAPANESE_LAYOUTS[:3],
    )
    yield Style(
        name="ja-han-after-blank",
        group=group,
        families="ja",
        heading=lambda n, t: f"　　　　　　{han(n)}",
        layouts=(Layout(gap=0, indent="　", before=1, after=1),),
        change=insert(20, "", "　　　＊"),
    )
