"""Requests are decoded strictly, and every fault is named by its pointer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from novel_tasks_core import OnDuplicate, TaskStatus
from novel_tasks_server.schemas.decoding import InvalidRequestError, MalformedBodyError, decode_json, decode_text
from novel_tasks_server.schemas.requests import ListQuery, TaskReport, UploadFields
from novel_tasks_server.schemas.views import encode, percent


def pointers(exc: InvalidRequestError) -> set[str]:
    """Return where the faults are."""
    return {fault.pointer for fault in exc.faults}


def test_report_is_read() -> None:
    """A report may leave out anything, and null is as good as left out."""
    assert decode_json(b'{"status": "completed", "progress": 50, "result_url": null}', TaskReport) == TaskReport(
        status=TaskStatus.COMPLETED, progress=50.0
    )


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"status": "done"}, {"/status"}),
        ({"status": 1}, {"/status"}),
        ({"progress": "50"}, {"/progress"}),
        ({"progress": True}, {"/progress"}),
        ({"progress": 100.5}, {"/progress"}),
        ({"progress": -1, "surprise": 1}, {"/progress", "/surprise"}),
        ({"a/b~c": 1}, {"/a~1b~0c"}),
        ({"error_message": 5}, {"/error_message"}),
        ({"error_message": "a\x00b"}, {"/error_message"}),
        ({"error_message": "\ud800"}, {"/error_message"}),
        ({"error_message": "x" * 10_001}, {"/error_message"}),
        ({"result_url": "javascript:alert(1)"}, {"/result_url"}),
        ({"result_url": "//evil.example/x"}, {"/result_url"}),
        ({"result_url": "https:///x"}, {"/result_url"}),
        ({"result_url": "/a b"}, {"/result_url"}),
        ({"result_url": "\\\\evil"}, {"/result_url"}),
        ([], {""}),
        ("text", {""}),
    ],
)
def test_report_faults_are_named(body: Any, where: set[str]) -> None:
    """Each wrong value is told with its place, unknown fields too."""
    with pytest.raises(InvalidRequestError) as caught:
        decode_json(json.dumps(body).encode(), TaskReport)
    assert pointers(caught.value) == where


@pytest.mark.parametrize("url", ["https://a.example/x?y=1", "http://h:8/", "/results/1", "results/1", "a:b/c"[2:]])
def test_result_urls_that_are_taken(url: str) -> None:
    """A result may be on the web or at a path."""
    assert decode_json(json.dumps({"result_url": url}).encode(), TaskReport).result_url == url


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b'{"progress": NaN}', b"[" * 100_000, b"1" * 5000, b"{} x"]
)
def test_what_is_not_json_is_malformed(body: bytes) -> None:
    """A body that is no JSON is told apart from JSON with wrong values."""
    with pytest.raises(MalformedBodyError):
        decode_json(body, TaskReport)


def test_upload_fields_are_read() -> None:
    """Form fields are text that says values of every kind."""
    fields = decode_text(
        {
            "processor": "split",
            "options": '{"by": ["chapter", 3]}',
            "priority": "-7",
            "run_at": "2030-01-01T01:00:00+01:00",
            "extra_data": "{}",
            "max_attempts": "2",
            "timeout_seconds": "1.5",
            "on_duplicate": "allow",
        },
        UploadFields,
    )
    assert fields.options == {"by": ["chapter", 3]}
    assert fields.priority == -7
    assert fields.run_at == datetime(2030, 1, 1, tzinfo=UTC)
    assert fields.timeout_seconds == 1.5
    assert fields.on_duplicate is OnDuplicate.ALLOW


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("options", "[]", "/options"),
        ("options", "{", "/options"),
        ("options", '{"a": [0, "\\u0000"]}', "/options/a/1"),
        ("options", '{"a": "\\ud800"}', "/options/a"),
        ("options", '{"\\u0000": 1}', "/options/\x00"),
        ("options", '{"a": 1e999}', "/options/a"),
        ("options", '{"a": 9223372036854775808}', "/options/a"),
        ("options", '{"a":' * 70 + "1" + "}" * 70, "/options" + "/a" * 65),
        ("extra_data", "5", "/extra_data"),
        ("priority", "32768", "/priority"),
        ("priority", "1.0", "/priority"),
        ("priority", "९", "/priority"),
        ("run_at", "2030-01-01T00:00:00", "/run_at"),
        ("run_at", "0001-01-01T00:00:00+23:00", "/run_at"),
        ("run_at", "20300101T000000Z", "/run_at"),
        ("run_at", "2030-W01-1T00:00:00Z", "/run_at"),
        ("run_at", "2030-01-01T00:00Z", "/run_at"),
        ("run_at", "2030-02-30T00:00:00Z", "/run_at"),
        ("run_at", "soon", "/run_at"),
        ("max_attempts", "0", "/max_attempts"),
        ("timeout_seconds", "inf", "/timeout_seconds"),
        ("timeout_seconds", "0", "/timeout_seconds"),
        ("on_duplicate", "maybe", "/on_duplicate"),
        ("processor", "a\x00", "/processor"),
        ("session_id", "\udcff", "/session_id"),
        ("color", "red", "/color"),
    ],
)
def test_upload_field_faults_are_named(name: str, text: str, where: str) -> None:
    """Each wrong field is told with its place, down into the options."""
    with pytest.raises(InvalidRequestError) as caught:
        decode_text({name: text}, UploadFields)
    assert pointers(caught.value) == {where}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page", "0"),
        ("page", "1000001"),
        ("page", "9" * 30),
        ("page_size", "101"),
        ("page_size", "0"),
        ("status", "lost"),
        ("sort_by", "size"),
        ("order", "up"),
        ("created_after", "yesterday"),
        ("nonsense", "1"),
    ],
)
def test_list_query_faults_are_named(name: str, text: str) -> None:
    """A list that cannot be made is refused, not guessed."""
    with pytest.raises(InvalidRequestError) as caught:
        decode_text({name: text}, ListQuery)
    assert pointers(caught.value) == {f"/{name}"}


def test_pages_become_offsets_unless_a_cursor_says_more() -> None:
    """A cursor and a page number are two ways to say where a page begins."""
    assert decode_text({"page": "3", "page_size": "10"}, ListQuery).offset == 20
    assert decode_text({"page": "3", "cursor": "abc"}, ListQuery).offset is None


@pytest.mark.parametrize(("fraction", "shown"), [(0.0, 0), (0.375, 38), (0.5, 50), (0.999, 99), (1.0, 100)])
def test_progress_is_whole_percent_and_full_only_at_the_end(fraction: float, shown: int) -> None:
    """A task that is not finished never shows 100."""
    assert percent(fraction) == shown


def test_times_and_odd_numbers_are_encoded() -> None:
    """Times are RFC 3339 in UTC; what JSON has no number for is null; big integers stay exact."""
    value = {"at": datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), "nan": float("nan"), "big": 2**70}
    assert json.loads(encode(value)) == {"at": "2030-01-02T03:04:05Z", "nan": None, "big": 2**70}
