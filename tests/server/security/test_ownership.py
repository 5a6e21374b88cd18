"""Every route for every kind of caller: what is not theirs does not exist for them.

The routes are those of the application. A new one with a task in its path is covered as it is; any other
has to be named here, with what it shows of the tasks of others.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from itertools import product
from typing import Any

import pytest
from aiohttp import FormData
from attrs import frozen

from novel_tasks_core import Task, TaskEngine, TaskStatus, format_task_id
from novel_tasks_server.openapi import OPERATIONS, Operation

Client = Any
MakeToken = Callable[..., Awaitable[dict[str, str]]]
TASKS = "/api/v1/tasks"
SOCKETS = "/api/v1/ws/tasks/c"
UNKNOWN = "task-" + "0" * 32
REPRIORITIZE = {"action": "reprioritize", "priority": 5}

BODIES: dict[tuple[str, str], dict[str, Any]] = {("POST", f"{TASKS}/{{task_id}}/links"): {"file": "source"}}
"""What the routes with a task in their path want in their bodies, where `{}` is not enough."""

CHANGES_NOTHING = {("POST", f"{TASKS}/{{task_id}}/links")}
"""Routes that are no GET, and change nothing for all that."""

SHOWS_NO_TASK = {
    *(("GET", path) for path in ("/", "/dashboard/{build}/{path:.+}")),
    *(("GET", f"/api/{name}") for name in ("openapi.json", "docs", "docs/start.js")),
    *(("GET", f"/api/docs/{name}") for name in ("swagger-ui.css", "swagger-ui-bundle.js")),
    *(("GET", path) for path in ("/health", "/livez", "/readyz", "/metrics")),
    *(("GET", "/api/v1/processors"), ("GET", "/api/v1/meta")),
    *(("GET", path) for path in ("/api/v1/queue", "/api/v1/queue/history", "/api/v1/system")),
    *(("POST", f"/api/v1/queue/{{processor}}/{what}") for what in ("pause", "resume")),
    ("POST", "/api/v1/chapters/preview"),
    *(("GET", "/api/v1/tokens"), ("POST", "/api/v1/tokens"), ("DELETE", "/api/v1/tokens/{token_id}")),
}
"""Routes whose answers are the same whatever tasks there are, or count those of all without telling of one."""

TESTED_BELOW = {
    ("GET", TASKS): "test_lists_and_statistics_are_of_ones_own_tasks",
    ("GET", f"{TASKS}/"): "test_lists_and_statistics_are_of_ones_own_tasks",
    ("GET", f"{TASKS}/statistics"): "test_lists_and_statistics_are_of_ones_own_tasks",
    ("GET", "/api/v1/events"): "test_a_stream_tells_only_of_ones_own_tasks",
    ("POST", f"{TASKS}/bulk"): "test_many_tasks_at_once_are_ones_own",
    ("POST", f"{TASKS}/upload"): "test_identical_uploads_of_two_owners_are_two_tasks",
    ("GET", "/api/v1/ws/tasks/{client_id}"): "test_a_socket_follows_only_ones_own_tasks",
}
"""Routes that show tasks without one in their path, and the test that shows whose."""


@frozen
class Callers:
    """The headers of everybody."""

    owner: dict[str, str]
    other: dict[str, str]
    reader: dict[str, str]
    admin: dict[str, str]
    anonymous: dict[str, str]


@pytest.fixture
async def callers(make_token: MakeToken) -> Callers:
    """Everybody has a token but the anonymous one."""
    return Callers(
        owner=await make_token("ann"),
        other=await make_token("bob"),
        reader=await make_token("ann", "tasks:read"),
        admin=await make_token("root", "admin"),
        anonymous={},
    )


@pytest.fixture
async def task(engine: TaskEngine) -> Task:
    """A task of ann's, with a source and some history."""
    source = await engine.store(b"Once upon a time.", name="novel.txt")
    made = await engine.submit(source, processor="external", owner="ann", note="uploaded")
    return await engine.report(made.id, progress=0.5)


def operations(client: Client) -> dict[tuple[str, str], Operation]:
    """Return every operation of the application by its method and path."""
    return {(one.method, one.path): one for one in client.app[OPERATIONS].values()}


def about_a_task(client: Client) -> list[Operation]:
    """Return the operations with a task in their path."""
    return [one for (_, path), one in operations(client).items() if "{task_id}" in path]


async def ask(client: Client, one: Operation, task_id: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Ask for an operation on a task; return the status, and the problem without what names this one request."""
    path = re.sub(r"\{\w+\}", "x", one.path.replace("{task_id}", task_id))
    body = None if one.method == "GET" else BODIES.get((one.method, one.path), {})
    async with client.request(one.method, path, json=body, headers=headers) as answer:
        if answer.content_type != "application/problem+json":
            return answer.status, {}
        problem = await answer.json()
        problem["request_id"] = ""
        return answer.status, {name: _without_id(value, task_id) for name, value in problem.items()}


def _without_id(value: Any, task_id: str) -> Any:
    return value.replace(task_id, "ID") if isinstance(value, str) else value


def is_missing(answer: tuple[int, dict[str, Any]]) -> bool:
    """Say whether the answer is that there is no such task."""
    return answer[0] == 404 and answer[1].get("type", "").endswith(":task-not-found")


async def test_every_route_is_covered(closed: Client) -> None:
    """A route that this module does not know of could show anybody's tasks to everybody: name it above."""
    others = {route for route in operations(closed) if "{task_id}" not in route[1]}
    assert others == SHOWS_NO_TASK | TESTED_BELOW.keys()
    assert all(test in globals() for test in TESTED_BELOW.values())
    assert len(about_a_task(closed)) >= 10


async def test_a_foreign_task_is_as_one_that_is_not_there(
    closed: Client, callers: Callers, task: Task, engine: TaskEngine
) -> None:
    """Whatever others ask of it, they get the very answer that an unknown id gets, and change nothing."""
    leaks = []
    for one in about_a_task(closed):
        foreign = await ask(closed, one, format_task_id(task.id), callers.other)
        unknown = await ask(closed, one, UNKNOWN, callers.other)
        if not is_missing(foreign) or foreign != unknown:
            leaks.append((one.method, one.path, foreign, unknown))
    assert leaks == []
    assert (await engine.get(task.id)).version == task.version


async def test_the_history_of_the_queue_is_the_same_for_all(closed: Client, callers: Callers, task: Task) -> None:
    """As the queue itself: figures of everybody's tasks, and nothing by which one could be told."""
    answers = [
        await (await closed.get("/api/v1/queue/history", headers=headers)).text()
        for headers in (callers.admin, callers.other)
    ]
    assert answers[0] == answers[1]
    assert [text for text in (format_task_id(task.id), task.owner) if text in answers[0]] == []


async def test_the_system_is_for_admins(closed: Client, callers: Callers) -> None:
    """Whoever is none is told nothing of it, not even of their own tasks."""
    for headers, status in ((callers.admin, 200), (callers.owner, 403), (callers.reader, 403)):
        assert (await closed.get("/api/v1/system", headers=headers)).status == status


async def test_without_a_token_there_is_nothing_to_see(
    closed: Client, callers: Callers, task: Task, engine: TaskEngine
) -> None:
    """Who shows none gets 401 from every route about tasks, whether or not the task is there."""
    for one in operations(closed).values():
        if one.scope is None:
            continue
        there = await ask(closed, one, format_task_id(task.id), callers.anonymous)
        missing = await ask(closed, one, UNKNOWN, callers.anonymous)
        assert there[0] == missing[0] == 401, (one.method, one.path)
        assert there == missing
    assert (await engine.get(task.id)).version == task.version


@pytest.mark.parametrize("who", ["owner", "admin"])
async def test_owners_and_admins_reach_the_task(closed: Client, callers: Callers, engine: TaskEngine, who: str) -> None:
    """For them no route says that it is not there: the refusals above are about ownership."""
    source = await engine.store(b"Once upon a time.", name="novel.txt")
    for one in about_a_task(closed):
        task = await engine.submit(source, processor="external", owner="ann")
        answer = await ask(closed, one, format_task_id(task.id), getattr(callers, who))
        assert answer[0] not in (401, 403), (one.method, one.path, answer)
        assert not is_missing(answer), (one.method, one.path, answer)


async def test_who_may_only_read_changes_nothing(
    closed: Client, callers: Callers, task: Task, engine: TaskEngine
) -> None:
    """Every route that is no GET needs more than the scope to read, whosever the task is."""
    for one in operations(closed).values():
        if one.method == "GET" or one.scope is None or (one.method, one.path) in CHANGES_NOTHING:
            continue
        assert (await ask(closed, one, format_task_id(task.id), callers.reader))[0] == 403, (one.method, one.path)
    assert (await engine.get(task.id)).version == task.version


async def test_tasks_of_nobody_are_for_admins(closed: Client, callers: Callers, engine: TaskEngine) -> None:
    """What was submitted before there were tokens has no owner: only admins see it."""
    task = await engine.submit(processor="external")
    for one in about_a_task(closed):
        assert is_missing(await ask(closed, one, format_task_id(task.id), callers.other)), (one.method, one.path)
    assert (await closed.get(f"{TASKS}/{format_task_id(task.id)}", headers=callers.admin)).status == 200


async def test_lists_and_statistics_are_of_ones_own_tasks(
    closed: Client, callers: Callers, task: Task, engine: TaskEngine
) -> None:
    """Others count nothing, whatever filter they send; admins may look at the tasks of each owner."""
    await engine.submit(processor="external", owner="root")
    await engine.submit(processor="external")
    for query in ({}, {"owner": "ann"}, {"owner": ""}, {"q": format_task_id(task.id)}, {"q": "novel"}):
        listed = await (await closed.get(TASKS, params=query, headers=callers.other)).json()
        assert (listed.get("tasks", []), listed.get("total", 0)) == ([], 0), query
    counts = await (await closed.get(f"{TASKS}/statistics", headers=callers.other)).json()
    assert counts["total"] == 0
    for path in (TASKS, f"{TASKS}/"):
        hers = await (await closed.get(path, headers=callers.owner)).json()
        assert [one["id"] for one in hers["tasks"]] == [format_task_id(task.id)]
    assert (await (await closed.get(f"{TASKS}/statistics", headers=callers.owner)).json())["total"] == 1
    everything = await (await closed.get(TASKS, headers=callers.admin)).json()
    assert everything["total"] == 3
    of_ann = await (await closed.get(TASKS, params={"owner": "ann"}, headers=callers.admin)).json()
    assert of_ann["total"] == 1


async def test_a_cursor_of_others_shows_ones_own_tasks(closed: Client, callers: Callers, engine: TaskEngine) -> None:
    """What an owner gets to page on by is of no use to somebody else."""
    for _ in range(3):
        await engine.submit(processor="external", owner="ann")
    page = await (await closed.get(TASKS, params={"page_size": 1}, headers=callers.owner)).json()
    query = {"page_size": 1, "cursor": page["next_cursor"]}
    taken = await closed.get(TASKS, params=query, headers=callers.other)
    assert (await taken.json()).get("tasks", []) == []


async def test_many_tasks_at_once_are_ones_own(
    closed: Client, callers: Callers, task: Task, engine: TaskEngine
) -> None:
    """No action on all that a filter matches touches, or counts, the tasks of others."""
    filters: list[dict[str, str]] = [{}, {"owner": "ann"}, {"q": format_task_id(task.id)}]
    actions: tuple[dict[str, Any], ...] = (
        {"action": "cancel"},
        {"action": "retry"},
        {"action": "delete"},
        REPRIORITIZE,
    )
    for action, chosen, dry_run in product(actions, filters, (True, False)):
        wanted = {**action, "filter": chosen, "dry_run": dry_run}
        answer = await closed.post(f"{TASKS}/bulk", json=wanted, headers=callers.other)
        counts = await answer.json()
        expected = 403 if "owner" in chosen else 200
        assert (answer.status, counts.get("matched", 0)) == (expected, 0), (wanted, counts)
    assert (await engine.get(task.id)).version == task.version
    everybody = {"action": "delete", "filter": {}, "dry_run": True}
    counted = await (await closed.post(f"{TASKS}/bulk", json=everybody, headers=callers.admin)).json()
    assert counted["matched"] == 1


async def upload(client: Client, headers: dict[str, str], **fields: str) -> tuple[int, dict[str, Any]]:
    """Upload the same novel as always; return status and answer."""
    form = FormData(fields)
    form.add_field("file", b"Once upon a time.", filename="novel.txt")
    async with client.post(f"{TASKS}/upload", data=form, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_identical_uploads_of_two_owners_are_two_tasks(
    closed: Client, callers: Callers, engine: TaskEngine
) -> None:
    """No way of handling duplicates tells one owner, or an admin, of the task of another, or touches it."""
    _, mine = await upload(closed, callers.owner)
    for headers in (callers.other, callers.admin):
        for way in ("return", "reject", "replace"):
            status, theirs = await upload(closed, headers, on_duplicate=way)
            assert mine["task_id"] not in str(theirs)
            assert status in (200, 409)
    again = await upload(closed, callers.owner)
    assert (again[1]["task_id"], again[1]["duplicate"]) == (mine["task_id"], True)


async def test_what_one_uploads_is_ones_own_whatever_the_form_says(closed: Client, callers: Callers) -> None:
    """The owner is the token's: a field cannot make another."""
    status, _ = await upload(closed, callers.other, owner="ann")
    assert status == 422
    _, made = await upload(closed, callers.other)
    shown = await (await closed.get(f"{TASKS}/{made['task_id']}", headers=callers.other)).json()
    assert shown["owner"] == "bob"
    assert (await closed.get(f"{TASKS}/{made['task_id']}", headers=callers.owner)).status == 404


async def test_a_socket_follows_only_ones_own_tasks(closed: Client, callers: Callers, task: Task) -> None:
    """To follow a foreign task is answered as to follow one that is not there; owners and admins get it."""
    task_id = format_task_id(task.id)
    answers = []
    for wanted in (task_id, UNKNOWN):
        socket = await closed.ws_connect(SOCKETS, headers=callers.other)
        await socket.send_json({"type": "subscribe", "task_id": wanted})
        answers.append(str(await socket.receive_json(timeout=60)).replace(wanted, "ID"))
        await socket.close()
    assert answers[0] == answers[1]
    assert "not_found" in answers[0]
    for headers in (callers.owner, callers.admin):
        socket = await closed.ws_connect(SOCKETS, headers=headers)
        await socket.send_json({"type": "subscribe", "task_id": task_id})
        assert (await socket.receive_json(timeout=60))["task_id"] == task_id
        await socket.close()


async def test_a_stream_tells_only_of_ones_own_tasks(
    closed: Client, callers: Callers, task: Task, engine: TaskEngine
) -> None:
    """Of two tasks that change, everybody hears of their own, and admins of both; nobody may ask for another's."""
    foreign = await closed.get("/api/v1/events", params={"owner": "ann"}, headers=callers.other)
    assert foreign.status == 403
    streams = [await closed.get("/api/v1/events", headers=who) for who in (callers.other, callers.owner, callers.admin)]
    for stream in streams:
        await _read_until(stream, "resync")
    await engine.report(task.id, progress=0.9)
    await engine.report(task.id, status=TaskStatus.COMPLETED)
    own = await engine.submit(processor="external", owner="bob")
    heard = [await _read_until(streams[0], format_task_id(own.id))]
    heard += [await _read_until(stream, format_task_id(task.id)) for stream in streams[1:]]
    assert format_task_id(task.id) not in heard[0]
    for stream in streams:
        stream.close()


async def _read_until(stream: Any, wanted: str) -> str:
    """Return what a stream tells up to the line with `wanted` in it."""
    told = ""
    async with asyncio.timeout(60):
        while wanted not in told:
            told += (await stream.content.readline()).decode()
    return told


async def test_a_foreign_history_is_not_streamed(closed: Client, callers: Callers, task: Task) -> None:
    """Asked for as a stream, the events of a foreign task are 404 as ever."""
    headers = callers.other | {"Accept": "text/event-stream"}
    answer = await closed.get(f"{TASKS}/{format_task_id(task.id)}/events", headers=headers)
    assert answer.status == 404


async def test_a_socket_tells_only_of_ones_own_tasks(
    closed: Client, callers: Callers, task: Task, engine: TaskEngine
) -> None:
    """By the newer protocol too: a foreign task is not found, a foreign owner refused, and `*` means one's own."""
    socket = await closed.ws_connect(SOCKETS, headers=callers.other, protocols=("novel-tasks.v1",))
    assert (await socket.receive_json(timeout=60))["type"] == "hello"
    answers = []
    for wanted in (format_task_id(task.id), UNKNOWN):
        for message in (
            {"type": "subscribe", "task_id": wanted},
            {"type": "resume", "task_id": wanted, "after_seq": 0},
        ):
            await socket.send_json(message)
            answers.append(str(await socket.receive_json(timeout=60)).replace(wanted, "ID"))
    assert answers[:2] == answers[2:]
    assert all("not_found" in answer for answer in answers)
    await socket.send_json({"type": "subscribe", "filter": {"owner": "ann"}})
    assert (await socket.receive_json(timeout=60))["type"] == "error"
    await socket.send_json({"type": "subscribe", "task_id": "*"})
    while (await socket.receive_json(timeout=60))["type"] != "resync":
        pass  # what happens before that may not be told
    await engine.report(task.id, status=TaskStatus.COMPLETED)
    own = await engine.submit(processor="external", owner="bob")
    told = ""
    while format_task_id(own.id) not in told:
        told += await socket.receive_str(timeout=60)
    assert format_task_id(task.id) not in told
    await socket.close()
