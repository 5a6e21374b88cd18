"""File names from clients are data."""

from __future__ import annotations

import pytest

from novel_tasks_server.routes.names import base_name, content_disposition, download_name
from novel_tasks_server.schemas.decoding import InvalidRequestError


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("novel.txt", "novel.txt"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\novel.txt", "novel.txt"),
        ("..\\..\\novel.txt", "novel.txt"),
        ("/absolute/novel.txt", "novel.txt"),
        ("trailing/", "trailing"),
        ("  spaced name .txt ", "spaced name .txt"),
        ("line\r\nbreak\x1b[31m.txt", "linebreak[31m.txt"),
        ("del\x7f\x85.txt", "del.txt"),
        ("渡口的灯.txt", "渡口的灯.txt"),
        ("\u202egpj.txt", "\u202egpj.txt"),
        (".txt", ".txt"),
        ("a" * 300 + ".txt", "a" * 251 + ".txt"),
        ("b" * 4096, "b" * 255),
        ("c." + "d" * 400, ("c." + "d" * 400)[:255]),
    ],
)
def test_names_are_reduced(given: str, kept: str) -> None:
    """Only the last part of a path is kept, without control characters, and not at any length."""
    assert base_name(given) == kept


@pytest.mark.parametrize("given", ["", ".", "..", "/", "../..", " ", "\x01\x02", "a\x00.txt", "\ud800.txt"])
def test_names_of_which_nothing_is_left_are_refused(given: str) -> None:
    """A name must be storable and say something."""
    with pytest.raises(InvalidRequestError):
        base_name(given)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.txt", "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt"),
        ('q"\\%.txt', "attachment; filename=\"q___.txt\"; filename*=UTF-8''q%22%5C%25.txt"),
        ("灯.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%E7%81%AF.txt"),
        ("a;b\n.txt", "attachment; filename=\"a_b_.txt\"; filename*=UTF-8''a%3Bb%0A.txt"),
    ],
)
def test_any_name_can_be_sent_back(name: str, header: str) -> None:
    """The header is plain ASCII, whatever the name."""
    assert content_disposition("attachment", name) == header


@pytest.mark.parametrize(
    ("artifact", "source", "saved"),
    [
        ("novel.epub", "Moby-Dick.txt", "Moby-Dick.epub"),
        ("report.html", "三国演义.txt", "三国演义 report.html"),
        ("novel.txt", "no extension", "no extension.txt"),
        ("novel.epub", None, "novel.epub"),
        ("novel.epub", "x" * 300 + ".txt", "x" * 250 + ".epub"),
    ],
)
def test_an_artifact_is_saved_under_the_name_of_its_novel(artifact: str, source: str | None, saved: str) -> None:
    """Two downloads are to be told apart."""
    assert download_name(artifact, of=source) == saved
