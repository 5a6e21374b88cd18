"""Bytes become the text that was meant, or a clear error."""

from __future__ import annotations

import codecs
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novel_tasks_core import DecodingError, InvalidInputError, NovelTasksError
from novel_tasks_core.text.decoding import decode

CHINESE = (
    "第一章　山中来客\n　　话说那一日天色已晚，山里的老人正坐在门前，忽然看见一个少年走来。老人问道：“你是什么人？”\n"
    * 20
)
TRADITIONAL = (
    "第一回　山中來客\n　　話說那一日天色已晚，山裡的老人正坐在門前，忽然看見一個少年走來。老人問道：「你是甚麼人？」\n"
    * 20
)
JAPANESE = (
    "一　山の客\n　その日はもう暮れかけていた。山の老人が家の前に坐っていると、遠くから少年が歩いて来るのが見えた。\n"
    * 20
)
KOREAN = (
    "제일장 산속의 손님\n그날은 이미 해가 지고 있었다. 산에 사는 노인은 문 앞에 앉아 있다가 멀리서 걸어오는 소년을 "
    "보았다.\n" * 20
)
RUSSIAN = (
    "Глава первая\n\nВ тот день уже стемнело. Старик сидел перед домом, когда увидел, что издалека идёт мальчик.\n" * 20
)
ENGLISH = (
    "Chapter I\n\nIt was growing dark — the old man’s “house” stood alone, and naïve travellers passed it by.\n" * 20
)
FRENCH = (
    "Chapitre premier\n\nLa nuit tombait déjà. Le vieil homme était assis devant sa maison quand un garçon "
    "s'approcha.\n" * 20
)

ENCODED = [
    (CHINESE, "utf-8", "utf-8"),
    (CHINESE, "utf-8-sig", "utf-8-sig"),
    (CHINESE, "utf-16", "utf-16"),
    (CHINESE, "utf-16-le", "utf-16-le"),
    (CHINESE, "utf-16-be", "utf-16-be"),
    (ENGLISH, "utf-16-le", "utf-16-le"),
    (CHINESE, "utf-32", "utf-32"),
    (CHINESE, "gbk", "gb18030"),
    (TRADITIONAL, "gb18030", "gb18030"),
    (TRADITIONAL, "big5", "big5hkscs"),
    (JAPANESE, "shift_jis", "shift_jis"),
    (JAPANESE, "euc_jp", "euc_jp"),
    (KOREAN, "cp949", "cp949"),
    (RUSSIAN, "cp1251", "cp1251"),
    (RUSSIAN, "koi8-r", "koi8-r"),
    (RUSSIAN, "cp866", "cp866"),
    (ENGLISH, "cp1252", "cp1252"),
    (FRENCH, "iso8859-1", "cp1252"),
]


@pytest.mark.parametrize(("text", "written", "told"), ENCODED)
def test_finds_the_encoding(text: str, written: str, told: str) -> None:
    """Every encoding of the list is found, and the codec told decodes the whole file to the same text."""
    data = text.encode(written)

    decoded = decode(data)

    assert (decoded.text, decoded.encoding, decoded.repaired_bytes) == (text, told, 0)
    assert data.decode(decoded.encoding) == text
    assert decoded.confidence > 0.6


@pytest.mark.parametrize(
    ("text", "written"), [(CHINESE, "utf-8"), (CHINESE, "gb18030"), (ENGLISH, "utf-8"), (JAPANESE, "euc_jp")]
)
def test_repairs_and_counts_a_damaged_byte(text: str, written: str) -> None:
    """One bad byte in the middle does not change the encoding: it is replaced and counted."""
    data = bytearray(text.encode(written))
    data[len(data) // 2] = 0xFF

    decoded = decode(bytes(data))

    assert decoded.encoding == written
    assert 1 <= decoded.repaired_bytes <= 3
    assert decoded.damage[0].offset == len(data) // 2
    assert decoded.text.count("\ufffd") == len(decoded.damage)


@pytest.mark.parametrize("written", ["utf-8", "gb18030", "utf-16-le"])
def test_tolerates_a_character_cut_off_at_the_end(written: str) -> None:
    """A file that ends inside a character is read up to there."""
    data = (CHINESE + "完").encode(written)[:-1]

    decoded = decode(data)

    assert decoded.encoding == written
    assert decoded.text.startswith(CHINESE)
    assert decoded.repaired_bytes > 0


def test_says_where_the_damage_is() -> None:
    """Every damaged place is told with its byte offset in the file, a byte order mark included."""
    data = bytearray(CHINESE.encode("utf-8-sig"))
    data[30] = data[900] = 0xFF

    decoded = decode(bytes(data))

    assert {place.offset for place in decoded.damage} >= {30, 900}
    assert decoded.repaired_bytes == sum(place.length for place in decoded.damage)
    assert decode(CHINESE.encode("utf-8-sig")).damage == ()


def test_characters_that_only_windows_has_make_it_windows() -> None:
    """Japanese is Shift JIS until a character is found that only cp932 has; damage does not change that."""
    text = JAPANESE + "①㈱Ⅳ\n" + JAPANESE
    damaged = bytearray(JAPANESE.encode("shift_jis"))
    damaged[500] = 0xFF

    assert (decode(text.encode("cp932")).text, decode(text.encode("cp932")).encoding) == (text, "cp932")
    assert decode(bytes(damaged)).encoding == "shift_jis"


def test_a_few_zero_bytes_are_no_binary_file() -> None:
    """A text with some zero bytes is read, with less confidence; the zeros stay."""
    text = ENGLISH.replace("\n", "\0\n", 3)
    decoded = decode(text.encode())

    assert (decoded.text, decoded.encoding, decoded.repaired_bytes) == (text, "utf-8", 0)
    assert decoded.confidence < 0.9


def test_binary_files_tell_their_first_control_byte() -> None:
    """Where the first byte is that no text has, is told."""
    with pytest.raises(DecodingError) as caught:
        decode(b"MThd" + bytes(range(20)) * 50)

    assert caught.value.offset == 4


@given(
    text=st.text(alphabet="aé¿中国文字あアБї한\r\n ~", min_size=1, max_size=80),
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-32", "utf-16-be", "gb18030", "cp932", "koi8-u", "hz"]),
)
def test_a_named_encoding_gives_what_the_codec_gives(text: str, encoding: str) -> None:
    """The text of an undamaged file is exactly what Python's codec of that name makes of it."""
    data = text.encode(encoding, "ignore")
    if not data.decode(encoding).strip():
        return
    assert decode(data, encoding=encoding).text == data.decode(encoding)


def test_a_short_text_is_asked_of_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where few rare characters leave it open, charset-normalizer decides, if it is installed."""
    data = "殘垣斷壁、荊棘叢生、蛛網塵封、霉斑點點。".encode("gb18030")
    with_it = decode(data)
    monkeypatch.setitem(sys.modules, "charset_normalizer", None)
    without = decode(data)

    assert with_it.encoding == "gb18030"
    assert without.encoding != "gb18030"
    assert without.confidence < 0.6


@pytest.mark.parametrize("text", ["蝴蝶、蜻蜓、螞蟻、蟋蟀。", "naïf", "é", "“", "ж"])
@pytest.mark.parametrize("encoding", ["big5", "cp1251", "cp1252", "mac-roman"])
def test_is_not_sure_of_a_few_characters(text: str, encoding: str) -> None:
    """What a handful of bytes may be is told with little confidence."""
    data = text.encode(encoding, "ignore")
    if data and not data.isascii():
        assert decode(data).confidence <= 0.9


def test_keeps_newlines_as_they_are() -> None:
    """CRLF, LF and CR stay, because offsets count them."""
    assert decode(b"a\r\nb\nc\rd").text == "a\r\nb\nc\rd"


def test_a_stray_byte_in_ascii_is_damage_not_a_letter() -> None:
    """An English text with one impossible byte is damaged UTF-8; one with an accented letter is windows-1252."""
    assert decode(b"It was late. " * 50 + b"\xff" + b" Nobody came. " * 50).encoding == "utf-8"
    assert decode(b"It was late. " * 50 + b"caf\xe9" + b" Nobody came. " * 50).encoding == "cp1252"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7\n" + b"x" * 100, "PDF"),
        (b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/epub+zip", "EPUB"),
        (b"PK\x03\x04" + b"\0" * 26 + b"word/document.xml", "Word"),
        (b"PK\x03\x04" + b"\0" * 100, "ZIP"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "PNG"),
        (b"{\\rtf1\\ansi hello}", "Rich Text"),
        (b"PK\x03\x04\x14\0\x01\0" + b"\0" * 100, "ZIP archive with a password"),
        (b"-----BEGIN PGP MESSAGE-----\n\nhQEMA", "encrypted"),
        (b"Salted__12345678", "encrypted"),
        (bytes(range(256)) * 20, "control bytes"),
        (b"\0" * 1000, "control bytes"),
    ],
)
def test_names_what_is_not_text(data: bytes, kind: str) -> None:
    """A file of another format is refused with the name of that format."""
    with pytest.raises(DecodingError, match=kind):
        decode(data)


@pytest.mark.parametrize("data", [b"", b" \r\n\t ", codecs.BOM_UTF8, "　\n".encode()])
def test_refuses_empty_and_blank_files(data: bytes) -> None:
    """A file without a visible character is an error, not an empty novel."""
    with pytest.raises(DecodingError):
        decode(data)


def test_a_named_encoding_is_obeyed() -> None:
    """The user's word goes before what looks likely."""
    assert decode("naïve".encode("cp1252"), encoding="latin-1").text == "naïve"
    assert decode(codecs.BOM_UTF8 + b"a", encoding="utf8").text == "a"


def test_a_wrong_named_encoding_tells_the_offset() -> None:
    """Bytes that the named encoding cannot hold are an error with their place."""
    with pytest.raises(DecodingError) as caught:
        decode(b"abc\xff" + b"d" * 20, encoding="utf-8")

    assert (caught.value.encoding, caught.value.offset) == ("utf-8", 3)


@pytest.mark.parametrize(
    "name", ["klingon", "rot13", "base64", "punycode", "idna", "unicode_escape", "utf-7", "a\0b", "é", "x" * 5000]
)
def test_an_unknown_encoding_name_is_told(name: str) -> None:
    """Names that are no encoding of files are refused, whatever Python's codec registry calls codecs."""
    with pytest.raises(InvalidInputError, match="encoding"):
        decode(b"abc", encoding=name)


@given(st.binary(max_size=600))
def test_any_bytes_are_text_or_a_known_error(data: bytes) -> None:
    """Nothing but the library's own errors leaves the decoder."""
    try:
        decoded = decode(data)
    except NovelTasksError:
        return
    assert decoded.text.strip()
    assert 0 <= decoded.confidence <= 1
    if not decoded.repaired_bytes:
        assert data.decode(decoded.encoding) == decoded.text
