"""Listing, showing and changing tasks, as clients of the older service rely on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from itertools import product
from typing import Any, cast
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from yarl import URL

from novel_tasks_core import LogLevel, TaskEngine, TaskStatus, parse_task_id

Client = TestClient[web.Request, web.Application]
Make = Callable[..., Awaitable[dict[str, Any]]]

TASKS = "/api/v1/tasks"
OLD_FIELDS = {
    "id", "file_name", "file_size", "file_type", "status", "progress", "priority", "uploaded_at", "started_at",
    "completed_at", "result_url", "error_message", "extra_data",
}  # fmt: skip
OUR_FIELDS = {"processor", "stage", "attempt", "owner", "version", "eta_seconds", "run_at", "error"}


async def report(client: Client, task_id: str, **fields: Any) -> dict[str, Any]:
    """Report on a task as an outside service does, and return the task."""
    response = await client.patch(f"{TASKS}/{task_id}", json=fields)
    body: dict[str, Any] = await response.json()
    assert response.status == 200, body
    return body


@pytest.mark.parametrize("path", [TASKS, f"{TASKS}/"])
async def test_list_has_the_old_shape_and_more(path: str, make_task: Make, client: Client) -> None:
    """A list is a page of tasks with its place in the whole, at both spellings of the path."""
    made = await make_task(name="Novel.TXT")
    body = await (await client.get(path)).json()
    assert (body["total"], body["page"], body["page_size"], body["next_cursor"]) == (1, 1, 20, None)
    (task,) = body["tasks"]
    assert task.keys() == OLD_FIELDS | OUR_FIELDS
    assert (task["id"], task["file_type"], task["progress"]) == (made["task_id"], ".txt", 0)
    assert task["uploaded_at"].endswith("Z")


async def test_pages_and_cursors_walk_the_same_list(make_task: Make, client: Client) -> None:
    """Page numbers and cursors give the same tasks in the same order, and Link leads on."""
    for number in range(5):
        await make_task(str(number).encode(), f"{number}.txt")
    query = {"page_size": "2"}
    paged, walked = [], []
    for page in (1, 2, 3):
        body = await (await client.get(TASKS, params={**query, "page": str(page)})).json()
        paged += [task["file_name"] for task in body["tasks"]]
    response = await client.get(TASKS, params=query)
    while True:
        body = await response.json()
        walked += [task["file_name"] for task in body["tasks"]]
        if body["next_cursor"] is None:
            break
        response = await client.get(cast("URL", response.links["next"]["url"]).relative())
    assert paged == walked == [f"{number}.txt" for number in reversed(range(5))]


async def test_every_page_leads_to_others(make_task: Make, client: Client) -> None:
    """Link leads to the first, the previous and the next page as far as they exist, and keeps the filter."""
    for number in range(3):
        await make_task(str(number).encode(), f"{number}.txt")

    async def shown(query: str) -> tuple[list[str], dict[str, str]]:
        response = await client.get(URL(f"{TASKS}?{query}"))
        names = [task["file_name"] for task in (await response.json())["tasks"]]
        return names, {name: cast("URL", link["url"]).query_string for name, link in response.links.items()}

    for sort in ("sort_by=file_name", "sort_by=uploaded_at"):
        query = f"page_size=2&status=pending&order=asc&{sort}"
        names, links = await shown(query)
        assert (names, set(links)) == (["0.txt", "1.txt"], {"first", "next"})
        names, links = await shown(links["next"])
        assert names == ["2.txt"]
        assert "next" not in links
        assert (await shown(links["first"]))[0] == ["0.txt", "1.txt"]
        names, links = await shown(f"{query}&page=2")
        assert set(links) == {"first", "prev"}
        assert (await shown(links["prev"]))[0] == ["0.txt", "1.txt"]


async def test_lists_can_be_filtered(make_task: Make, client: Client) -> None:
    """Status, processor and the beginning of a name choose tasks."""
    first = await make_task(b"1", "alpha.txt")
    await make_task(b"2", "beta.txt", processor="split")
    await report(client, first["task_id"], status="processing")

    async def names(**query: str) -> list[str]:
        body = await (await client.get(TASKS, params=query)).json()
        return sorted(task["file_name"] for task in body["tasks"])

    assert await names(status="processing") == ["alpha.txt"]
    assert await names(processor="split") == ["beta.txt"]
    assert await names(q="bet") == ["beta.txt"]
    assert await names(created_after="2999-01-01T00:00:00Z") == []
    assert await names(status="") == ["alpha.txt", "beta.txt"]


BAD_LISTS = [
    "page=0", "page=x", "page=99999999999999999999", "page=900000", "page_size=101", "status=lost", "sort_by=size",
    "order=up", "cursor=broken", "cursor=AAAA", "created_after=soon", "q=a%00b", "unknown=1", "page=1&page=2",
    "created_after=2030-01-01T00:00:00", "unknown=", "=",
]  # fmt: skip


async def test_bad_lists_are_refused(client: Client) -> None:
    """A list that cannot be made is a 422 with the place of the fault."""
    wrong = {}
    for query in BAD_LISTS:
        response = await client.get(f"{TASKS}?{query}")
        body = await response.json()
        if response.status != 422 or not body["errors"][0]["pointer"]:
            wrong[query] = body
    assert not wrong, wrong


async def test_statistics(make_task: Make, client: Client) -> None:
    """Counts start at zero with rates that are null, and follow the tasks."""
    empty = await (await client.get(f"{TASKS}/statistics")).json()
    assert empty == {
        "total": 0, "pending": 0, "processing": 0, "completed": 0, "failed": 0, "cancelled": 0,
        "avg_processing_time_ms": None, "success_rate": None,
    }  # fmt: skip
    done = (await make_task(b"1"))["task_id"]
    await make_task(b"2")
    await make_task(b"3")
    await report(client, done, status="processing")
    await report(client, done, status="completed")
    counts = await (await client.get(f"{TASKS}/statistics")).json()
    assert (counts["total"], counts["pending"], counts["completed"]) == (3, 2, 1)
    assert counts["success_rate"] == 33.33
    assert counts["avg_processing_time_ms"] >= 0


async def test_one_task_is_shown_with_its_version(make_task: Make, client: Client) -> None:
    """The version is the ETag; who has it already is told so."""
    made = await make_task(options='{"a": 1}')
    path = f"{TASKS}/{made['task_id']}"
    response = await client.get(path)
    task = await response.json()
    assert response.headers["ETag"] == f'"{task["version"]}"'
    assert task["options"] == {"a": 1}
    assert (await client.get(path, headers={"If-None-Match": response.headers["ETag"]})).status == 304
    assert (await client.head(path)).status == 200


OF_ONE_TASK = [
    ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/retry"), ("POST", "/cancel"), ("GET", "/events"),
    ("GET", "/logs"), ("GET", "/attempts"), ("GET", "/result"), ("GET", "/artifacts"), ("GET", "/artifacts/x"),
    ("GET", "/source"),
]  # fmt: skip
NO_TASKS = [f"task-{uuid4().hex}", "task-1", "task-" + "g" * 32, "%00", "a%2Fb", "1'--", "%ED%A0%80"]


async def test_unknown_tasks_are_404(client: Client) -> None:
    """What is not an id is as unknown as an id of no task."""
    wrong = {}
    for (method, path), task_id in product(OF_ONE_TASK, NO_TASKS):
        response = await client.request(
            method, URL(f"{TASKS}/{task_id}{path}", encoded=True), json={} if method == "PATCH" else None
        )
        body = await response.json()
        if response.status != 404 or body["error"] != body["detail"]:
            wrong[method, path, task_id] = body
    assert not wrong, wrong


async def test_an_outside_service_reports(make_task: Make, client: Client) -> None:
    """A task of processor external goes through its life by reports."""
    task_id = (await make_task())["task_id"]
    begun = await report(client, task_id, status="processing", progress=10)
    assert (begun["status"], begun["progress"]) == ("processing", 10)
    assert begun["started_at"]
    assert (await report(client, task_id, progress=55))["progress"] == 55
    done = await report(client, task_id, status="completed", result_url="https://results.example/1")
    assert (done["status"], done["progress"], done["result_url"]) == ("completed", 100, "https://results.example/1")
    assert done["completed_at"]


async def test_a_failure_is_reported_with_its_reason(make_task: Make, client: Client) -> None:
    """The reason that an outside service gives is what is shown."""
    task_id = (await make_task())["task_id"]
    await report(client, task_id, status="processing")
    failed = await report(client, task_id, status="failed", error_message="out of ink")
    assert (failed["status"], failed["error_message"]) == ("failed", "out of ink")


async def test_other_tasks_take_no_reports(make_task: Make, client: Client) -> None:
    """A task that a worker runs cannot be talked into another state, and the answer says why."""
    task_id = (await make_task(processor="split"))["task_id"]
    response = await client.patch(f"{TASKS}/{task_id}", json={"status": "completed"})
    body = await response.json()
    assert response.status == 409
    assert "external" in body["detail"]
    assert body["task_status"] == "pending"


BAD_REPORTS = [
    (b"{", "application/json", 400),
    (b"", "application/json", 400),
    (b"\xff\xfe", "application/json", 400),
    (b"[" * 90_000, "application/json", 400),
    (b'{"progress": NaN}', "application/json", 400),
    (b"[]", "application/json", 422),
    (b'{"status": "sleeping"}', "application/json", 422),
    (b'{"progress": 101}', "application/json", 422),
    (b'{"progress": "50"}', "application/json", 422),
    (b'{"colour": "red"}', "application/json", 422),
    (b'{"error_message": "\\u0000"}', "application/json", 422),
    (b'{"error_message": "\\ud800"}', "application/json", 422),
    (b'{"result_url": "javascript:alert(1)"}', "application/json", 422),
    (b'{"result_url": "//elsewhere.example"}', "application/json", 422),
    (b'{"a\\ud800": 1}', "application/json", 422),
    (b" " * 300_000, "application/json", 413),
    (b"status=completed", "application/x-www-form-urlencoded", 415),
]


async def test_bad_reports_are_refused(make_task: Make, client: Client) -> None:
    """Malformed JSON, wrong values and other media types each have their answer; nothing changes."""
    task_id = (await make_task())["task_id"]
    wrong = {}
    for body, content_type, status in BAD_REPORTS:
        response = await client.patch(f"{TASKS}/{task_id}", data=body, headers={"Content-Type": content_type})
        problem = await response.json()
        if (response.status, problem["status"]) != (status, status):
            wrong[body[:50]] = problem
    assert not wrong, wrong
    task = await (await client.get(f"{TASKS}/{task_id}")).json()
    assert (task["status"], task["attempt"]) == ("pending", 0)


async def test_all_faults_are_told_at_once(make_task: Make, client: Client) -> None:
    """A client mends a body in one go."""
    task_id = (await make_task())["task_id"]
    response = await client.patch(f"{TASKS}/{task_id}", json={"progress": -1, "status": "x", "y": 1})
    assert {e["pointer"] for e in (await response.json())["errors"]} == {"/progress", "/status", "/y"}


async def test_illegal_steps_are_409(make_task: Make, client: Client) -> None:
    """Only a finished task goes round again; only an unfinished one can be cancelled or reported on."""
    task_id = (await make_task())["task_id"]
    path = f"{TASKS}/{task_id}"
    assert (await client.post(f"{path}/retry")).status == 409
    assert (await client.post(f"{path}/cancel")).status == 200
    assert (await client.post(f"{path}/cancel")).status == 409
    for status in TaskStatus:
        assert (await client.patch(path, json={"status": status})).status == 409


async def test_retry_starts_afresh(make_task: Make, client: Client) -> None:
    """A task that is sent round again waits as if it were new."""
    task_id = (await make_task())["task_id"]
    await report(client, task_id, status="processing")
    await report(client, task_id, status="failed", error_message="no")
    response = await client.post(f"{TASKS}/{task_id}/retry")
    task = await response.json()
    assert response.status == 200
    assert (task["status"], task["progress"], task["error_message"]) == ("pending", 0, None)
    assert (task["started_at"], task["completed_at"]) == (None, None)


async def test_delete(make_task: Make, client: Client) -> None:
    """A deleted task is gone with all that belongs to it."""
    task_id = (await make_task())["task_id"]
    response = await client.delete(f"{TASKS}/{task_id}")
    assert (response.status, await response.json()) == (200, {"message": "Task deleted successfully"})
    assert (await client.get(f"{TASKS}/{task_id}")).status == 404
    assert (await client.get(f"{TASKS}/{task_id}/logs")).status == 404


async def test_a_stale_version_is_412(make_task: Make, client: Client) -> None:
    """Who acts on what is no longer so is told, and told the present version."""
    task_id = (await make_task())["task_id"]
    path = f"{TASKS}/{task_id}"
    stale = (await client.get(path)).headers["ETag"]
    changed = await report(client, task_id, status="processing")
    for request in (
        client.delete(path, headers={"If-Match": stale}),
        client.patch(path, json={"progress": 5}, headers={"If-Match": stale}),
        client.post(f"{path}/cancel", headers={"If-Match": stale}),
    ):
        response = await request
        body = await response.json()
        assert response.status == 412, body
        assert body["version"] == changed["version"]
    current = f'"{changed["version"]}"'
    assert (await client.delete(path, headers={"If-Match": current})).status == 200


async def test_one_of_several_versions_may_match(make_task: Make, client: Client) -> None:
    """If-Match takes lists, `*` stands for any version, and weak tags match nothing."""
    task_id = (await make_task())["task_id"]
    path = f"{TASKS}/{task_id}"
    etag = (await client.get(path)).headers["ETag"]
    for given, status in (
        ("*", 200),
        (f'"x", {etag}', 200),
        (f'{etag},"x"', 200),
        ('"x", "y"', 412),
        (f"W/{etag}", 412),
        (f'W/{etag}, "x"', 412),
        (etag.strip('"'), 422),
        (f"{etag} nonsense", 422),
        ("", 422),
    ):
        response = await client.patch(path, json={}, headers={"If-Match": given})
        assert response.status == status, given


async def test_known_versions_are_not_sent_again(make_task: Make, client: Client) -> None:
    """If-None-Match takes lists, weak tags and `*`; another version is sent."""
    path = f"{TASKS}/{(await make_task())['task_id']}"
    etag = (await client.get(path)).headers["ETag"]
    for given, status in ((etag, 304), (f'"x", {etag}', 304), (f"W/{etag}", 304), ("*", 304), ('"x"', 200)):
        assert (await client.get(path, headers={"If-None-Match": given})).status == status, given


async def test_a_task_comes_with_its_log(make_task: Make, client: Client) -> None:
    """`include=logs` adds what /logs tells; nothing else can be included."""
    path = f"{TASKS}/{(await make_task())['task_id']}"
    plain = await (await client.get(path)).json()
    response = await client.get(path, params={"include": "logs"})
    logs = (await (await client.get(f"{path}/logs")).json())["logs"]
    assert await response.json() == {**plain, "logs": logs}
    assert [entry["message"] for entry in logs] == ["uploaded novel.txt (17 bytes)"]
    assert response.headers["ETag"] == f'"{plain["version"]}"'
    assert (await client.get(path, params={"include": "everything"})).status == 422


async def test_history_of_a_task(make_task: Make, client: Client, engine: TaskEngine) -> None:
    """Events come in order of seq, can be asked for after one, and show what belongs to each."""
    made = await make_task(b"# One\n\nText.\n\n# Two\n\nMore.\n", "novel.md", processor="split")
    task_id = parse_task_id(made["task_id"])
    async with asyncio.timeout(60), engine.worker(concurrency=1):
        kinds = [event.kind async for event in engine.watch(task_id)]
    path = f"{TASKS}/{made['task_id']}"
    body = await (await client.get(f"{path}/events")).json()
    events = body["events"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["kind"], events[-1]["kind"], kinds[-1]) == ("log", "completed", "completed")
    assert body["last_seq"] == events[-1]["seq"]
    assert events[-1]["attempt"] == 1
    later = await (await client.get(f"{path}/events", params={"after": "1", "limit": "1"})).json()
    assert later["events"] == [events[1]]
    life = (await (await client.get(f"{path}/events", params={"logs": "false"})).json())["events"]
    assert life == [event for event in events if event["kind"] != "log"] != events
    assert (await client.get(f"{path}/events", params={"logs": "no"})).status == 422
    attempts = (await (await client.get(f"{path}/attempts")).json())["attempts"]
    assert [(a["number"], a["outcome"], a["error"]) for a in attempts] == [(1, "completed", None)]


async def test_logs_by_level(make_task: Make, client: Client) -> None:
    """Log entries can be asked for from a level on."""
    task_id = (await make_task())["task_id"]
    path = f"{TASKS}/{task_id}/logs"
    assert len((await (await client.get(path, params={"level": LogLevel.INFO})).json())["logs"]) == 1
    assert (await (await client.get(path, params={"level": LogLevel.ERROR})).json())["logs"] == []
    assert (await client.get(path, params={"level": "loud"})).status == 422
    assert (await client.get(path, params={"after": "-1"})).status == 422


async def test_result(make_task: Make, client: Client, engine: TaskEngine) -> None:
    """There is a result once the task is completed, at the path that the task names."""
    made = await make_task(b"# One\n\nText.\n", "novel.md", processor="split")
    early = await client.get(f"{TASKS}/{made['task_id']}/result")
    assert (early.status, (await early.json())["task_status"]) == (409, "pending")
    task_id = parse_task_id(made["task_id"])
    async with asyncio.timeout(60), engine.worker(concurrency=1):
        await engine.result(task_id)
    task = await (await client.get(f"{TASKS}/{made['task_id']}")).json()
    assert task["status"] == TaskStatus.COMPLETED
    shown = await (await client.get(task["result_url"])).json()
    assert shown == json.loads(json.dumps((await engine.get(task_id)).result))
