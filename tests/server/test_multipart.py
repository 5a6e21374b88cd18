"""The multipart parser, fed in every way a network can cut a body."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.routes.multipart import (
    MAX_PARTS,
    MultipartParser,
    PartData,
    PartEnded,
    PartStarted,
    boundary_of,
)
from novel_tasks_server.schemas.decoding import MalformedBodyError

BOUNDARY = b"frontier"


def part(name: str, body: bytes, *, more: str = "") -> bytes:
    """Write one part, without its delimiter."""
    return f'Content-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + body


def body_of(*parts: bytes) -> bytes:
    """Write a whole body."""
    return b"".join(b"--" + BOUNDARY + b"\r\n" + p + b"\r\n" for p in parts) + b"--" + BOUNDARY + b"--\r\n"


def parse(*chunks: bytes) -> list[tuple[PartStarted, bytes]]:
    """Feed the chunks and collect the parts with their whole bodies."""
    parser = MultipartParser(BOUNDARY)
    found: list[tuple[PartStarted, bytes]] = []
    open_part: tuple[PartStarted, bytes] | None = None
    for chunk in chunks:
        for event in parser.feed(chunk):
            match event:
                case PartStarted():
                    assert open_part is None
                    open_part = (event, b"")
                case PartData():
                    assert open_part is not None
                    assert event.data
                    open_part = (open_part[0], open_part[1] + event.data)
                case PartEnded():
                    assert open_part is not None
                    found.append(open_part)
                    open_part = None
    parser.finish()
    return found


@given(
    bodies=st.lists(
        st.lists(st.sampled_from([b"\r\n", b"--", b"\r", b"-", b"\r\n--front", b"\r\n-" + BOUNDARY, b"text", b"\x00"]))
        .map(b"".join)
        .filter(lambda body: b"--" + BOUNDARY not in body),
        max_size=4,
    ),
    cuts=st.lists(st.integers(min_value=0, max_value=400), max_size=12),
)
def test_any_cut_gives_the_same_parts(bodies: list[bytes], cuts: list[int]) -> None:
    """However a body is cut, its parts come out whole, also when they look almost like a boundary."""
    whole = body_of(*(part(f"f{i}", b) for i, b in enumerate(bodies)))
    edges = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    chunks = [whole[a:b] for a, b in pairwise(edges)]
    if not bodies:
        assert parse(*chunks) == []
        return
    assert [(p.name, data) for p, data in parse(*chunks)] == [(f"f{i}", b) for i, b in enumerate(bodies)]


def test_byte_by_byte() -> None:
    """A body that comes one byte at a time is read all the same."""
    whole = body_of(part("file", b"one\r\ntwo", more='; filename="a.txt"'), part("priority", b"5"))
    assert parse(*(whole[i : i + 1] for i in range(len(whole)))) == [
        (PartStarted("file", "a.txt"), b"one\r\ntwo"),
        (PartStarted("priority", None), b"5"),
    ]


def test_bytes_of_a_part_are_passed_on_without_a_copy() -> None:
    """A piece that lies within a part comes out as the object that went in, whatever lines it is cut at."""
    parser = MultipartParser(BOUNDARY)
    begin = b"--" + BOUNDARY + b"\r\n" + part("file", b"begin")
    pieces = [b"a line\r\n" * 9000 + b"another", b"x" * 100, b"\r" * 500 + b"-", b"\r\n--fronts"]
    assert [type(event) for event in parser.feed(begin)] == [PartStarted, PartData]
    for piece in pieces:
        [event] = parser.feed(piece)
        assert isinstance(event, PartData)
        assert event.data is piece


def test_only_what_may_be_a_boundary_is_held_back() -> None:
    """The end of a piece waits for the next one as long as it looks like the boundary."""
    parser = MultipartParser(BOUNDARY)
    list(parser.feed(b"--" + BOUNDARY + b"\r\n" + part("file", b"begin")))
    assert list(parser.feed(b"line\r\n--fron")) == [PartData(b"line")]
    assert list(parser.feed(b"tie")) == []
    assert list(parser.feed(b"d\r")) == [PartData(b"\r\n--frontied")]
    assert list(parser.feed(b"\n--" + BOUNDARY + b"--")) == [PartEnded()]
    parser.finish()


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ('; filename="plain.txt"', "plain.txt"),
        ("; filename=bare.txt", "bare.txt"),
        ('; filename="C:\\\\dir\\\\a.txt"', "C:\\dir\\a.txt"),
        ('; filename="C:\\dir\\a.txt"', "C:\\dir\\a.txt"),
        ('; filename="say \\"hi\\".txt"', 'say "hi".txt'),
        ('; filename="say %22hi%22.txt"', 'say "hi".txt'),
        ('; filename="semi;colon.txt"', "semi;colon.txt"),
        ('; filename="渡口的灯.txt"', "渡口的灯.txt"),
        ("; filename*=UTF-8''%E7%81%AF.txt", "灯.txt"),
        ("; filename=\"x.txt\"; filename*=utf-8'zh'%E7%81%AF.txt", "灯.txt"),
        ("; filename*=iso-8859-1''caf%E9.txt", "café.txt"),
        ('; filename*0="long-"; filename*1="name.txt"', "long-name.txt"),
        ("; filename*0*=UTF-8''%E7%81; filename*1*=%AF.txt", "灯.txt"),
        ('; FileName="case.txt" ;', "case.txt"),
        ('; filename=""', ""),
    ],
)
def test_file_names_of_every_spelling(parameters: str, name: str) -> None:
    """Browsers, curl, RFC 8187 and RFC 2231 each write file names their own way."""
    assert parse(body_of(part("file", b"x", more=parameters)))[0][0].file_name == name


def test_bytes_that_are_not_text_in_a_name_are_kept_apart() -> None:
    """A name that is not UTF-8 comes out with lone surrogates, which the edge refuses later."""
    raw = b'Content-Disposition: form-data; name="file"; filename="\xff.txt"\r\n\r\nx'
    assert parse(body_of(raw))[0][0].file_name == "\udcff.txt"


@pytest.mark.parametrize(
    "whole",
    [
        b"",
        b"--frontier",
        b"no boundary at all",
        b"--frontier\r\n",
        b"--frontier\r\nContent-Disposition: form-data; name=a\r\n\r\nbreaks off",
        b"--frontier\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--frontier\r\n",
        b"--frontierlonger\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--frontier--",
        b"--frontier\r\n\r\nno headers\r\n--frontier--",
        b"--frontier\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--frontier--",
        b"--frontier\r\nContent-Disposition: form-data\r\n\r\nx\r\n--frontier--",
        b"--frontier\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\nx\r\n--frontier--",
        b'--frontier\r\nContent-Disposition: form-data; name="a\r\n\r\nx\r\n--frontier--',
        b"--frontier\r\nContent-Disposition form-data; name=a\r\n\r\nx\r\n--frontier--",
        b"--frontier\r\nX: 1\r\nX: 2\r\n\r\nx\r\n--frontier--",
        b"--frontier\r\nX: 1\r\n folded\r\n\r\nx\r\n--frontier--",
        b"--frontier\r\nX: a\nb\r\n\r\nx\r\n--frontier--",
        b"--frontier\r\n" + b"".join(b"X%d: 1\r\n" % i for i in range(20)) + b"\r\nx\r\n--frontier--",
        b"--frontier\r\nX: " + b"a" * 9000,
        b"--frontier" + b" " * 100 + b"\r\n",
        b"\r\n" * 1000,
        body_of(part("file", b"x", more="; filename*=utf-8''%FF.txt")),
        body_of(part("file", b"x", more="; filename*=klingon''x.txt")),
        body_of(part("file", b"x", more="; filename*=plain.txt")),
    ],
)
def test_what_is_not_multipart_is_refused(whole: bytes) -> None:
    """Whatever breaks the format raises one error of ours, at the latest at the end."""
    with pytest.raises(MalformedBodyError):
        parse(whole)


@pytest.mark.parametrize(
    ("header", "status"),
    [("Content-Transfer-Encoding: base64", 415), ("Content-Encoding: gzip", 415)],
)
def test_encoded_parts_are_refused(header: str, status: int) -> None:
    """A part in another encoding would be stored as something that nobody wrote."""
    with pytest.raises(RequestRefusedError) as caught:
        parse(body_of(header.encode() + b"\r\n" + part("file", b"x")))
    assert caught.value.status == status


def test_too_many_parts_are_refused_early() -> None:
    """The part after the last allowed one ends the reading."""
    events = MultipartParser(BOUNDARY).feed(body_of(*(part(f"f{i}", b"") for i in range(1000))))
    assert sum(1 for _ in islice(events, 2 * MAX_PARTS)) == 2 * MAX_PARTS
    with pytest.raises(RequestRefusedError) as caught:
        next(events)
    assert caught.value.status == 413


def test_preamble_does_not_grow() -> None:
    """A body that never begins is refused after about a kilobyte."""
    parser = MultipartParser(BOUNDARY)
    for _ in range(15):
        assert list(parser.feed(b"x" * 64)) == []
    with pytest.raises(MalformedBodyError):
        list(parser.feed(b"x" * 128))


def test_epilogue_is_thrown_away() -> None:
    """What follows the last boundary is neither read as parts nor kept."""
    assert len(parse(body_of(part("a", b"x")), b"anything " * 1000, b"--frontier\r\n")) == 1


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('Multipart/Form-Data; charset=utf-8; boundary="a b:c"', b"a b:c"),
    ],
)
def test_boundary_is_found(content_type: str, boundary: bytes) -> None:
    """The boundary is read from the Content-Type, quoted or not."""
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "a" * 71,
        'multipart/form-data; boundary="a\u00e9"',
        "multipart/form-data; boundary",
        "multipart/form-data; boundary=a; boundary=b",
    ],
)
def test_unusable_boundaries_are_refused(content_type: str) -> None:
    """Without a boundary nothing can be read."""
    with pytest.raises(MalformedBodyError):
        boundary_of(content_type)


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/mixed; boundary=a", "text/plain"])
def test_other_media_types_are_refused(content_type: str) -> None:
    """What is not a form is refused for being something else."""
    with pytest.raises(RequestRefusedError) as caught:
        boundary_of(content_type)
    assert caught.value.status == 415
