"""Title, author and the like are found where a novel says them, the surest source first."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novel_tasks_core.text.bookinfo import BookInfo, file_name_facts, front_matter, front_matter_span, read_bookinfo


def info(head: str = "", file_name: str = "", markdown: bool = False, **given_facts: str | None) -> BookInfo:
    """Read what a text with a name says."""
    return read_bookinfo(head, file_name=file_name, given=given_facts, markdown=markdown)


@pytest.mark.parametrize(
    ("name", "title", "author"),
    [
        ("The Salt Ledger - Clara Wynne.txt", "The Salt Ledger", "Clara Wynne"),
        ("Clara Wynne - The Salt Ledger.md", "The Salt Ledger", "Clara Wynne"),
        ("C. R. Wynne - Ledger.txt", "Ledger", "C. R. Wynne"),
        ("Title - Author.txt", "Title", "Author"),
        ("The Salt Ledger by Clara Wynne.txt", "The Salt Ledger", "Clara Wynne"),
        ("The_Salt_Ledger_by_Clara_Wynne.txt", "The Salt Ledger", "Clara Wynne"),
        ("The Salt Ledger - Clara Wynne (unabridged).txt", "The Salt Ledger", "Clara Wynne"),
        ("《渡口的灯》作者：林小满.txt", "渡口的灯", "林小满"),
        ("《渡口的灯》（精校版全本）作者：林小满.txt", "渡口的灯", "林小满"),
        ("《渡口的灯》.txt", "渡口的灯", ""),
        ("渡口的灯 作者：林小满.txt", "渡口的灯", "林小满"),
        ("渡口的灯-作者：林小满【完结】.txt", "渡口的灯", "林小满"),
        ("渡口的灯 - 林小满.txt", "渡口的灯", "林小满"),
        ("[林小满] 渡口的灯.txt", "渡口的灯", "林小满"),
        ("【林小满】渡口的灯全集.txt", "渡口的灯", "林小满"),
        ("渡口的灯_林小满.txt", "渡口的灯", "林小满"),
        ("渡口的灯（完本）.txt", "渡口的灯", ""),
        ("渡口的灯.txt.md", "渡口的灯", ""),
        ("Stand by Me.txt", "Stand by Me", ""),
        ("Ledger - 2.txt", "Ledger - 2", ""),
        ("salt_ledger.txt", "salt ledger", ""),
        ("novel.txt", "", ""),
        ("download (3).txt", "", ""),
        ("新建文本文档.txt", "", ""),
        ("", "", ""),
    ],
)
def test_file_names_are_read(name: str, title: str, author: str) -> None:
    """In the forms that people give them, without what says nothing of the book."""
    found = info(file_name=name)

    assert (found.title, found.author) == (title, author)


@pytest.mark.parametrize(
    ("head", "facts"),
    [
        ("Title: The Ledger\n\nAuthor: Clara Wynne\n\nLanguage: English\n", ("The Ledger", "Clara Wynne", "en")),
        ("The Project Gutenberg EBook of The Ledger, by Clara Wynne\n\nThis", ("The Ledger", "Clara Wynne", "")),
        ("# Title: The Ledger\n\n## Author: Clara Wynne\n", ("The Ledger", "Clara Wynne", "")),
        ("书名：渡口的灯\r\n作者：林小满\r\n", ("渡口的灯", "林小满", "")),
        ("《渡口的灯》 作者：林小满\n", ("渡口的灯", "林小满", "")),
        ("渡口\n林小満\n\n------------------------\n《》：ルビ\n", ("渡口", "林小満", "")),
        ("Once upon a time: Author of nothing\n", ("", "", "")),
        ("Title: " + "x" * 400 + "\n", ("", "", "")),
    ],
)
def test_the_head_of_a_text_is_read(head: str, facts: tuple[str, str, str]) -> None:
    """As libraries and typists write it."""
    found = info(head)

    assert (found.title, found.author, found.language) == facts


@pytest.mark.parametrize(
    ("head", "name", "title", "author"),
    [
        ("Effi Briest\n\nTheodor Fontane\n\nErstes Kapitel", "de_effi-briest.txt", "Effi Briest", "Theodor Fontane"),
        ("# The Salt Ledger\n\n*A tale*\n", "the-salt-ledger.md", "The Salt Ledger", ""),
        ("The Ferry\n\nChapter One\n", "the_ferry.txt", "The Ferry", ""),
        ("Preface\n\nOnce", "the_ferry.txt", "the ferry", ""),
    ],
)
def test_a_line_that_spells_the_file_name_is_the_title(head: str, name: str, title: str, author: str) -> None:
    """With its capitals and accents, and with the name below it."""
    found = info(head, name)

    assert (found.title, found.author) == (title, author)


@pytest.mark.parametrize(
    ("block", "facts"),
    [
        ("title: The Ledger\nauthor: Clara Wynne", {"title": "The Ledger", "author": "Clara Wynne"}),
        ('title: "A \\"salt\\" ledger: 1"\nlang: zh-Hans', {"title": 'A "salt" ledger: 1', "language": "zh-Hans"}),
        ("title: 'It''s'\ndate: 2020-01-02", {"title": "It's", "date": "2020-01-02"}),
        ("title: T # a remark\nauthors: [A, B]", {"title": "T", "author": "A"}),
        ("authors:\n  - A\n  - B\ntitle: T", {"title": "T", "author": "A"}),
        ("title: |\n  deep\nauthor: A", {"author": "A"}),
        ("language: Klingonese of the north\ndate: soon", {}),
        ("title:\n  sub: deep", {}),
    ],
)
def test_front_matter_is_read_as_far_as_it_is_flat(block: str, facts: dict[str, str]) -> None:
    """Deeper structures are passed over, and nothing is made up."""
    found = front_matter(f"---\n{block}\n---\n\nText\n")

    assert {name: value for name, value in found.items() if name in ("title", "author", "language", "date")} == facts


@pytest.mark.parametrize(
    "head", ["---\n\nA scene.\n\n---\n", "--- title: x ---", "---\ntitle: open\n", "Text\n---\na: b\n---\n"]
)
def test_rules_are_no_front_matter(head: str) -> None:
    """Text between two scene breaks stays text."""
    assert front_matter_span(head) == (0, 0, 0)


def test_the_surest_source_wins() -> None:
    """Options, front matter, text, file name, in this order; each fact says where it is from."""
    head = "---\ntitle: Front\n---\nTitle: Head\nAuthor: Head\n"
    found = info(head, "File - Jo Holt.md", markdown=True, author="Given", title=None)

    assert (found.title, found.author) == ("Front", "Given")
    assert found.sources == {"title": "front matter", "author": "options"}
    assert info("Title: Head\n", "File - Jo Holt.txt").sources == {"title": "text", "author": "file name"}


@settings(max_examples=200, deadline=None)
@given(head=st.text(max_size=300), name=st.text(max_size=80), markdown=st.booleans())
def test_any_text_and_name_are_read(head: str, name: str, markdown: bool) -> None:
    """Without an error, and every fact is one line."""
    found = info(head, name, markdown=markdown)
    file_name_facts(name)

    assert all("\n" not in fact and len(fact) <= 300 for fact in (found.title, found.author, found.date))
