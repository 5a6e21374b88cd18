"""Bytes are decoded in pieces as they would be at once, and what is damaged is noted."""

from __future__ import annotations

import pytest
from attrs import define, field
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from novel_tasks_core.text import transcoding
from novel_tasks_core.text.damage import Damage, DamageLog, TooMuchDamage
from novel_tasks_core.text.transcoding import Held, transcode

CODECS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030", "shift_jis", "euc_jp", "big5hkscs", "cp949", "cp1252", "hz")
STATEFUL = ("iso2022_jp", "hz")


@define
class Collected:
    """A sink that keeps text, and where each piece ended."""

    parts: list[str] = field(factory=list)
    ends: list[int] = field(factory=list)

    def take(self, text: str, end: int) -> None:
        """Keep a piece."""
        self.parts.append(text)
        self.ends.append(end)

    def discard(self) -> None:
        """Forget all."""
        self.parts.clear()


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut after a few bytes, so that characters lie across the cuts."""
    monkeypatch.setattr(transcoding, "CHUNK_BYTES", 7)
    monkeypatch.setattr(transcoding, "_WINDOW", 5)


def pieces(data: bytes, codec: str, *, most: int = 10**6, free_tail: int = 0) -> tuple[str, DamageLog]:
    """Decode bytes piece by piece."""
    log = DamageLog(most=most, size=len(data), free_tail=free_tail)
    sink = Collected()
    transcode(Held(data), codec, log, sink)
    assert sink.ends[-1:] in ([len(data)], [])
    return "".join(sink.parts), log


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(alphabet="aé中国文字あアБ𠀀한\n~{", max_size=60),
    codec=st.sampled_from([*CODECS, *STATEFUL, "utf-32-be"]),
)
def test_pieces_joined_are_what_the_codec_gives(text: str, codec: str) -> None:
    """Wherever a file is cut, characters, shifts and escapes survive it."""
    data = text.encode(codec, "ignore")
    assert pieces(data, codec) == (data.decode(codec), DamageLog(most=10**6, size=len(data)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=80))
def test_utf8_is_repaired_as_the_codec_would(data: bytes) -> None:
    """Any bytes give what `replace` gives, with one noted place for every U+FFFD that is put in."""
    text, log = pieces(data, "utf-8")
    assert text == data.decode("utf-8", "replace")
    assert len(log.places) == text.count("\ufffd") - data.count("\ufffd".encode())


def test_notes_where_the_damage_is() -> None:
    """Every place is told with its offset in the file and its length, and all are counted."""
    text, log = pieces("天\n".encode() * 3 + b"\xff" + "地\n".encode() * 4 + b"\xe5\xa4", "utf-8")
    assert text == "天\n天\n天\n\ufffd地\n地\n地\n地\n\ufffd"
    assert (log.places, log.bytes) == ([Damage(12, 1), Damage(29, 2)], 3)


def test_notes_no_more_than_a_hundred_places() -> None:
    """A file that is damaged all over costs no memory for that."""
    _, log = pieces(b"a\xff" * 500, "utf-8")
    assert (len(log.places), log.bytes) == (100, 500)


def test_stops_when_there_is_too_much_damage() -> None:
    """The place that was too much is told; the tail of a file may be free."""
    with pytest.raises(TooMuchDamage) as caught:
        pieces(b"abc\xffdef\xffghijk", "utf-8", most=1)
    assert caught.value.offset == 7
    assert pieces(b"abcdefghijk\xe5\xa4", "utf-8", most=0, free_tail=4)[0] == "abcdefghijk\ufffd"
    with pytest.raises(TooMuchDamage):
        pieces(b"abcdefghijk\xe5\xa4", "utf-8", most=0)


def test_the_rest_of_a_damaged_character_is_not_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the first byte of two is overwritten, the second does not shift all that follows in its line."""
    monkeypatch.setattr(transcoding, "CHUNK_BYTES", 4096)
    data = bytearray("他说的是这个时候的人们都在那里".encode("gb18030"))
    data[4] = 0xFF
    assert pieces(bytes(data), "gb18030")[0] == "他说\ufffd是这个时候的人们都在那里"


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("change", ["lost", "inserted"])
def test_utf16_comes_back_into_step_at_the_next_newline(
    monkeypatch: pytest.MonkeyPatch, codec: str, change: str
) -> None:
    """A byte lost or too many garbles its line and no other."""
    monkeypatch.setattr(transcoding, "CHUNK_BYTES", 4096)
    data = bytearray("первая строка\nвторая строка\nтретья строка\n".encode(codec))
    data[40:40] = b"\x04" if change == "inserted" else b""
    if change == "lost":
        del data[40]
    text, log = pieces(bytes(data), codec)
    assert text.startswith("первая строка\nвтора")
    assert text.endswith("\nтретья строка\n")
    assert log.bytes


def test_cp932_has_no_characters_for_some_bytes() -> None:
    """Bytes that Windows maps to private characters are damage, not text."""
    text, log = pieces("山の".encode("cp932") + b"\xfd" + "家".encode("cp932"), "cp932")
    assert (text, log.places) == ("山の\ufffd家", [Damage(4, 1)])
