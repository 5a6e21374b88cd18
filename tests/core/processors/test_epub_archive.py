"""The ZIP files of books: read by the standard library, taken up again, large."""

from __future__ import annotations

import zipfile
from pathlib import Path

from novel_tasks_core.processors.epub.archive import Archive, Entry


def test_entries_come_in_order_with_a_fixed_time(tmp_path: Path) -> None:
    """Another reader of ZIP files finds each as it was written."""
    with Archive(tmp_path / "a.zip") as archive:
        archive.add("mimetype", b"text", stored=True)
        archive.add("ein/Blatt-ä.txt", b"leaf " * 1000)
        archive.add_stream("stream", (f"part {number}\n" for number in range(1000)), tmp_path / "scratch")
        archive.finish()

    with zipfile.ZipFile(tmp_path / "a.zip") as read:
        assert read.testzip() is None
        assert read.namelist() == ["mimetype", "ein/Blatt-ä.txt", "stream"]
        assert {info.date_time for info in read.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert read.read("ein/Blatt-ä.txt") == b"leaf " * 1000
        assert read.read("stream").decode().splitlines()[999] == "part 999"
        assert read.getinfo("mimetype").compress_type == zipfile.ZIP_STORED


def test_an_archive_is_taken_up_where_it_was_left(tmp_path: Path) -> None:
    """The result is that of one run."""
    whole, part = tmp_path / "whole.zip", tmp_path / "part.zip"
    for path in (whole, part):
        with Archive(path) as archive:
            first = archive.add("a", b"a" * 100)
            archive.flush()
            size, checksum = archive.size, archive.checksum
            archive.add("b", b"b" * 100)
            if path is whole:
                archive.finish()
    with Archive(part) as archive:
        archive.remember(first)
        assert archive.take_up(size=size, checksum=checksum)
        archive.add("b", b"b" * 100)
        archive.finish()

    assert part.read_bytes() == whole.read_bytes()


def test_what_is_not_what_was_left_is_thrown_away(tmp_path: Path) -> None:
    """A changed byte or a missing one makes the archive begin anew."""
    path = tmp_path / "a.zip"
    with Archive(path) as archive:
        entry = archive.add("a", b"a" * 100)
        archive.flush()
        size, checksum = archive.size, archive.checksum
    path.write_bytes(path.read_bytes()[:-1])
    with Archive(path) as archive:
        archive.remember(entry)
        assert not archive.take_up(size=size, checksum=checksum)
        archive.add("b", b"b")
        archive.finish()

    assert zipfile.ZipFile(path).namelist() == ["b"]


def test_more_entries_than_the_old_format_counts(tmp_path: Path) -> None:
    """A hundred thousand chapters need the larger directory."""
    path = tmp_path / "many.zip"
    with Archive(path) as archive:
        for number in range(70_000):
            archive.add(f"p{number}", b"x", stored=True)
        archive.finish()

    data = path.read_bytes()
    record = data.rindex(b"PK\6\6")
    assert int.from_bytes(data[record + 32 : record + 40], "little") == 70_000
    with zipfile.ZipFile(path) as read:
        assert len(read.namelist()) == 70_000
        assert read.read("p69999") == b"x"


def test_entries_beyond_four_gigabytes_are_found(tmp_path: Path) -> None:
    """Their place is written in the larger form; the file here has a hole instead of contents."""
    path = tmp_path / "far.zip"
    with Archive(path) as archive:
        archive.add("near", b"near", stored=True)
        archive.flush()
        archive._file.seek(5 << 30)
        archive.size = 5 << 30
        archive.add("far", b"far", stored=True)
        archive.finish()

    with zipfile.ZipFile(path) as read:
        assert (read.read("near"), read.read("far")) == (b"near", b"far")


def test_an_entry_is_a_value() -> None:
    """It compares by what it says."""
    assert Entry(name="a", offset=0, crc=1, packed=2, size=3) == Entry(name="a", offset=0, crc=1, packed=2, size=3)
