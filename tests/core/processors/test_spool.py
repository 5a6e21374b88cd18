"""A text on disk is the text in memory, read in a few megabytes."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from novel_tasks_core import DecodingError
from novel_tasks_core.errors import FileStoreError, SourceNotFoundError
from novel_tasks_core.processors.spool import SpooledText, spool_source
from novel_tasks_core.text.decoding import decode
from novel_tasks_core.text.passages import Text, passages

TALE = "第一章　山中\r\n他说：“naïve — 𠀀！”\nГлава x\n" * 30_000
ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-be")


def refuse() -> Path:
    """Give no folder: nothing may be copied."""
    raise AssertionError("a copy was made")


@pytest.fixture
def spooled(tmp_path: Path) -> SpooledText:
    """TALE on disk, in many blocks."""
    path = tmp_path / "tale.txt"
    path.write_bytes(TALE.encode("gb18030"))
    return spool_source(path, tmp_path).text


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_spooled_text_is_the_decoded_text(tmp_path: Path, encoding: str) -> None:
    """Whatever the encoding, blocks, slices and length are those of the text in memory."""
    path = tmp_path / "tale.txt"
    path.write_bytes(TALE.encode(encoding))
    with spool_source(path, tmp_path) as spool:
        text = spool.text
        assert "".join(block for _, block in text.blocks()) == TALE
        assert (len(text), text[:], spool.encoding) == (len(TALE), TALE, encoding)
        assert [offset for offset, _ in text.blocks()][1:] != []
        for start, end in ((0, 10), (99_990, 400_000), (-50, len(TALE)), (500_000, 500_000), (9, 3)):
            assert text[start:end] == TALE[start:end]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_is_its_own_spool(tmp_path: Path, encoding: str) -> None:
    """A file of valid UTF-8 is read where it is, and byte offsets are those of the file."""
    path = tmp_path / "tale.txt"
    path.write_bytes(TALE.encode(encoding))
    text = spool_source(path, refuse).text
    data = path.read_bytes()
    for character in (0, 17, 250_000, len(TALE) - 1):
        offset = text.byte_offset(character)
        assert data[offset:].decode()[:20].lstrip("\ufeff" if not character else "") == TALE[character:][:20]


def test_nothing_is_left_in_the_folder(tmp_path: Path) -> None:
    """The copy of a file that is not UTF-8 has no name, so that a killed process leaves nothing."""
    (tmp_path / "tale.txt").write_bytes(TALE.encode("gb18030"))
    (folder := tmp_path / "work").mkdir()
    with spool_source(tmp_path / "tale.txt", folder) as spool:
        assert list(folder.iterdir()) == []
        assert spool.text[:5] == TALE[:5]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    sub=st.one_of(st.sampled_from(["Глава x\n", "\r\n", "𠀀", "不", "”\nГ", ""]), st.just(TALE[100_000:100_040])),
    start=st.one_of(st.none(), st.integers(-len(TALE) - 9, len(TALE) + 9)),
    end=st.one_of(st.none(), st.integers(-len(TALE) - 9, len(TALE) + 9)),
)
def test_finds_as_a_string_does(spooled: SpooledText, sub: str, start: int | None, end: int | None) -> None:
    """`find` and `rfind` give what `str` gives, over all seams of blocks and for all bounds."""
    assert spooled.find(sub, start, end) == TALE.find(sub, start, end)
    assert spooled.rfind(sub, start, end) == TALE.rfind(sub, start, end)


def test_finds_what_lies_on_a_seam(spooled: SpooledText) -> None:
    """What begins in one block and ends in the next is found from both sides."""
    seam = [offset for offset, _ in spooled.blocks()][2]
    sub = TALE[seam - 40 : seam + 40]
    assert spooled.find(sub, seam - 45, seam + 45) == TALE.find(sub, seam - 45, seam + 45) == seam - 40
    assert spooled.rfind(sub, seam - 45, seam + 45) == seam - 40
    assert spooled.count("\n", seam - 1000, seam + 1000) == TALE.count("\n", seam - 1000, seam + 1000)


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_passages_joined_are_the_text(spooled: SpooledText, kind: str) -> None:
    """A text in memory and one on disk are read alike, in passages that end with a line."""
    text: Text = TALE if kind == "memory" else spooled
    parts = list(passages(text, 10, len(TALE) - 5))
    assert "".join(part for _, part in parts) == TALE[10:-5]
    assert all(TALE[offset : offset + len(part)] == part for offset, part in parts)
    assert all(part.endswith("\n") for _, part in parts[:-1])


def test_damage_is_told_alike_in_memory_and_on_disk(tmp_path: Path) -> None:
    """A damaged file gives the same text and the same places whichever way it is read."""
    data = bytearray(TALE.encode("gb18030"))
    for place in (1000, 300_001, 700_000):
        data[place] = 0xFF
    (tmp_path / "tale.txt").write_bytes(data)
    decoded = decode(bytes(data))
    with spool_source(tmp_path / "tale.txt", tmp_path) as spool:
        assert spool.text[:] == decoded.text
        assert (spool.damage, spool.encoding) == (decoded.damage, decoded.encoding)
        assert 3 <= len(spool.damage) <= 6


def test_tells_what_cannot_be_read(tmp_path: Path) -> None:
    """A file that is gone, and one that is no text, are errors of the library."""
    with pytest.raises(SourceNotFoundError):
        spool_source(tmp_path / "none.txt", tmp_path)
    (tmp_path / "book.txt").write_bytes(b"%PDF-1.7\n" + b"x" * 100)
    with pytest.raises(DecodingError, match="PDF"):
        spool_source(tmp_path / "book.txt", tmp_path)
    with pytest.raises(FileStoreError):
        spool_source(tmp_path, tmp_path)


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    """A copy that finds no room, or no folder, is an error of the library, and nothing stays open."""
    (tmp_path / "tale.txt").write_bytes(TALE.encode("gb18030"))
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(FileStoreError) as missing:
        spool_source(tmp_path / "tale.txt", tmp_path / "none")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        with pytest.raises(FileStoreError) as full:
            spool_source(tmp_path / "tale.txt", tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, former)
    assert (missing.value.errno, full.value.errno) == (errno.ENOENT, errno.EFBIG)
    assert len(os.listdir("/dev/fd")) == before


PROGRAM = """
import sys
from pathlib import Path
from novel_tasks_core.processors.spool import spool_source
from novel_tasks_core.text.language import detect_language

def most() -> int:
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])

path = Path(sys.argv[1])
detect_language("first, so that what is imported does not count")
before = most()
with spool_source(path, path.parent) as spool:
    characters = sum(len(block) for _, block in spool.text.blocks())
    spool.text.find("nowhere in it"), spool.text.rfind("nowhere in it"), spool.text[10**7 : 10**7 + 1000]
    assert characters == len(spool.text)
    print(spool.encoding, (most() - before) // 1024)
"""


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16-le"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, encoding: str) -> None:
    """A file of 40 MB or more is decoded, read from both ends and searched in less than 16 MB."""
    path = tmp_path / "tale.txt"
    with path.open("wb") as file:
        for _ in range(40):
            file.write(TALE.encode(encoding))
    assert path.stat().st_size > 40_000_000
    told = subprocess.run([sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, check=True).stdout
    found, megabytes = told.split()
    assert found == encoding
    assert int(megabytes) < 16
