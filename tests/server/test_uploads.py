"""Novels come in whole, whatever they hold and however they are named."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, FormData, web
from aiohttp.test_utils import TestClient

from novel_tasks_core import TaskEngine, TaskStatus, parse_task_id

Client = TestClient[web.Request, web.Application]
Upload = Callable[..., Awaitable[ClientResponse]]
Make = Callable[..., Awaitable[dict[str, Any]]]

FORM = {"Content-Type": "multipart/form-data; boundary=b"}


async def test_upload_answers_as_old_clients_expect(upload: Upload, engine: TaskEngine) -> None:
    """An upload is a 200 with the task's id, and the file is there byte for byte."""
    response = await upload(b"Once upon a time.\n", "test.txt")
    made = await response.json()
    assert response.status == 200
    assert made == {
        "task_id": made["task_id"],
        "file_name": "test.txt",
        "file_size": 18,
        "status": "pending",
        "message": "File uploaded successfully",
        "duplicate": False,
    }
    assert response.headers["Location"] == f"/api/v1/tasks/{made['task_id']}"
    _, path = await engine.open_source(parse_task_id(made["task_id"]))
    assert path.read_bytes() == b"Once upon a time.\n"


async def test_upload_writes_the_first_log_entry(make_task: Make, client: Client) -> None:
    """A new task begins with a line that says where it came from."""
    made = await make_task(name="test.txt")
    response = await client.get(f"/api/v1/tasks/{made['task_id']}/logs")
    logs = (await response.json())["logs"]
    assert [(entry["seq"], entry["message"]) for entry in logs] == [(1, "uploaded test.txt (17 bytes)")]


async def test_fields_may_stand_before_and_after_the_file(make_task: Make, client: Client) -> None:
    """The order of the parts is the client's choice."""
    made = await make_task(
        priority="7",
        session_id="s-1",
        after={"extra_data": '{"from": "test"}', "processor": "external", "max_attempts": "2"},
    )
    task = await (await client.get(f"/api/v1/tasks/{made['task_id']}")).json()
    assert task["priority"] == 7
    assert task["session_id"] == "s-1"
    assert task["extra_data"] == {"from": "test"}
    assert task["max_attempts"] == 2
    assert task["processor"] == "external"


async def test_empty_fields_are_as_good_as_none(make_task: Make) -> None:
    """Forms of browsers send every field, also those that nobody filled in."""
    assert not (await make_task(processor="", options="", priority=" "))["duplicate"]


async def test_the_same_bytes_are_one_task(make_task: Make) -> None:
    """The same work on the same bytes is found again, whatever the file is called now."""
    first = await make_task(name="a.txt")
    again = await make_task(name="b.txt", priority="3")
    assert (again["task_id"], again["duplicate"]) == (first["task_id"], True)
    assert again["message"] == "This file has already been uploaded"


async def test_other_options_make_another_task(make_task: Make) -> None:
    """Only the same processor with the same options is the same work."""
    first = await make_task(processor="external", options='{"a": 1, "b": 2}')
    same = await make_task(processor="external", options='{"b": 2, "a": 1}')
    other = await make_task(processor="external", options='{"a": 1, "b": 3}')
    assert (same["duplicate"], other["duplicate"]) == (True, False)
    assert same["task_id"] == first["task_id"] != other["task_id"]


async def test_duplicates_may_be_rejected_or_allowed(upload: Upload, make_task: Make) -> None:
    """A client may ask for a conflict, or for another task all the same."""
    first = await make_task()
    rejected = await upload(on_duplicate="reject")
    assert rejected.status == 409
    assert (await rejected.json())["task_id"] == first["task_id"]
    allowed = await make_task(on_duplicate="allow")
    assert allowed["task_id"] != first["task_id"]
    assert not allowed["duplicate"]


async def test_a_failed_task_does_not_count_as_duplicate(make_task: Make, client: Client) -> None:
    """What failed may be tried again by uploading again."""
    first = await make_task()
    path = f"/api/v1/tasks/{first['task_id']}"
    for report in ({"status": "processing"}, {"status": "failed", "error_message": "no luck"}):
        response = await client.patch(path, json=report)
        assert response.status == 200, await response.text()
    again = await make_task()
    assert again["task_id"] != first["task_id"]


async def test_fifty_identical_uploads_at_once_are_one_task(make_task: Make, engine: TaskEngine) -> None:
    """However many race, one makes the task and the others find it."""
    made = await asyncio.gather(*(make_task(b"the same") for _ in range(50)))
    assert len({one["task_id"] for one in made}) == 1
    assert sum(not one["duplicate"] for one in made) == 1
    assert await engine.count() == 1


async def test_a_large_file_is_streamed(client: Client, engine: TaskEngine) -> None:
    """A file of the greatest allowed size arrives in many pieces and is stored whole."""
    pieces = [bytes([65 + i % 26]) * 1000 for i in range(200)]

    async def trickle() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    form = FormData()
    form.add_field("file", trickle(), filename="large.txt")
    response = await client.post("/api/v1/tasks/upload", data=form)
    made = await response.json()
    assert (response.status, made["file_size"]) == (200, 200_000)
    _, path = await engine.open_source(parse_task_id(made["task_id"]))
    assert path.read_bytes() == b"".join(pieces)


HOSTILE_NAMES = [
    ("../../../tmp/evil.txt", "evil.txt"),
    ("..\\..\\evil.txt", "evil.txt"),
    ("/etc/cron.d/evil.txt", "evil.txt"),
    ("C:\\windows\\evil.txt", "evil.txt"),
    ("渡口的灯.txt", "渡口的灯.txt"),
    ("\u202etxt.exe.txt", "\u202etxt.exe.txt"),
    ("tab\tand\x1b[31mcolour.txt", "taband[31mcolour.txt"),
    ("<script>alert(1)</script>.txt", "script>.txt"),
    ("'; DROP TABLE task; --.txt", "'; DROP TABLE task; --.txt"),
    ("UPPER.TXT", "UPPER.TXT"),
    ("n" * 4096 + ".txt", "n" * 251 + ".txt"),
]


async def test_hostile_names_are_data(client: Client, stored_files: Callable[[], list[Path]]) -> None:
    """A name is kept to be shown; it decides nothing about where bytes are stored."""
    for number, (name, shown) in enumerate(HOSTILE_NAMES, start=1):
        head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = f"{head}hostile {number}\r\n--b--\r\n".encode()
        made = await (await client.post("/api/v1/tasks/upload", data=body, headers=FORM)).json()
        assert made["file_name"] == shown
        response = await client.get(f"/api/v1/tasks/{made['task_id']}/source")
        assert await response.read() == f"hostile {number}".encode()
        assert response.content_disposition is not None
        assert response.content_disposition.filename == shown
        assert len(stored_files()) == number
    assert all(re.fullmatch(r"[0-9a-f]{64}", path.name) for path in stored_files())


async def test_names_in_the_encoding_of_rfc_2231(client: Client) -> None:
    """A name may come percent-encoded, and in pieces."""
    body = (
        b"--b\r\nContent-Disposition: form-data; name=file; "
        b"filename*0*=UTF-8''%E7%81; filename*1*=%AF; filename*2=.txt\r\n\r\nx\r\n--b--\r\n"
    )
    response = await client.post("/api/v1/tasks/upload", data=body, headers=FORM)
    assert (await response.json())["file_name"] == "灯.txt"


async def test_binary_content_is_accepted_and_its_task_fails(make_task: Make, engine: TaskEngine) -> None:
    """A file may hold anything; that it is no text is for the processor to find out."""
    made = await make_task(bytes(range(256)) * 40, "picture.txt", processor="analyze")
    task_id = parse_task_id(made["task_id"])
    async with asyncio.timeout(60), engine.worker(concurrency=1):
        async for _ in engine.watch(task_id):
            pass
    task = await engine.get(task_id)
    assert task.status is TaskStatus.FAILED
    assert task.error is not None
    assert task.error.type == "DecodingError"


async def test_a_task_may_be_scheduled(make_task: Make, client: Client) -> None:
    """A task with a time in the future waits for it."""
    made = await make_task(run_at="2999-01-01T00:00:00+01:00")
    task = await (await client.get(f"/api/v1/tasks/{made['task_id']}")).json()
    assert (task["status"], task["run_at"]) == ("pending", "2998-12-31T23:00:00Z")
