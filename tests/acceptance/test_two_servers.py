"""Two servers and a worker, each a process of its own, on one database and one folder of files."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from attrs import frozen

from .programs import Program, Server, serving, uploaded, working

TALE = "\n\n".join(
    f"Chapter {number}\n\n" + "It was a dark and stormy night, said Mary to John.\n" * 8000 for number in range(1, 13)
).encode()
"""Some 5 MB: time enough to be followed while it is worked on."""

FINISHED = ("completed", "failed", "cancelled")


@frozen
class House:
    """Two servers without workers and what they share; a worker is beside them."""

    a: Server
    b: Server
    worker: Program
    session: ClientSession

    async def listen(self, server: Server) -> ClientWebSocketResponse:
        """Open a socket of the newer protocol, and hear its `hello`."""
        socket = await self.session.ws_connect(
            f"{server.url}/api/v1/ws/tasks/reader", protocols=["novel-tasks.v1"], heartbeat=None
        )
        assert (await socket.receive_json(timeout=60))["type"] == "hello"
        return socket


@pytest.fixture
async def house(database_url: str, open_folder: Path) -> AsyncIterator[House]:
    """Two servers and one worker."""
    async with (
        serving(open_folder, database_url, "--no-worker") as a,
        serving(open_folder, database_url, "--no-worker") as b,
        working(open_folder, database_url, "--concurrency", "2") as worker,
        ClientSession() as session,
    ):
        yield House(a, b, worker, session)


async def _until_finished(socket: ClientWebSocketResponse, events: list[dict[str, Any]]) -> None:
    """Collect what is told, with the moment at which it was heard, up to the event that finishes the task."""
    async with asyncio.timeout(240):
        async for message in socket:
            assert message.type is WSMsgType.TEXT, message
            told = {**message.json(), "heard": time.time()}
            events.append(told)
            if told["type"] == "event" and told.get("status") in FINISHED:
                return
    raise AssertionError(f"the socket closed with {socket.close_code}: {events[-3:]}")


def _seqs(told: list[dict[str, Any]]) -> list[int]:
    return [one["seq"] for one in told if one["type"] in ("event", "log")]


async def test_an_upload_at_one_is_watched_at_the_other_to_its_report(house: House) -> None:
    """What is uploaded at A and run by a worker is told at B event by event, and then its report is there at both."""
    house.worker.process.send_signal(signal.SIGSTOP)  # until B follows
    began = time.perf_counter()
    task_id = (await uploaded(house.session, house.a.url, TALE, processor="analyze"))["task_id"]
    answered = time.perf_counter()
    socket = await house.listen(house.b)
    await socket.send_json({"type": "resume", "task_id": task_id, "after_seq": 0, "logs": "debug"})
    assert (await socket.receive_json(timeout=60))["type"] == "subscribed"
    house.worker.process.send_signal(signal.SIGCONT)
    told: list[dict[str, Any]] = []
    listening = time.time()
    await _until_finished(socket, told)
    await socket.close()
    seqs = _seqs(told)
    assert seqs == list(range(1, len(seqs) + 1))
    assert told[-1]["status"] == "completed", told[-1]
    assert any(one["type"] == "progress" for one in told)
    reports = {await _report(house, server, task_id) for server in (house.a, house.b)}
    assert len(reports) == 1
    delays = sorted(one["heard"] - _moment(one["at"]) for one in told if "seq" in one and one["heard"] > listening)
    print(  # noqa: T201 - figures for whoever looks: `pytest -s`
        f"\nuploaded at A in {(answered - began) * 1000:.0f} ms; told at B: {len(seqs)} events and "
        f"{len(told) - len(seqs)} more, {delays[len(delays) // 2] * 1000:.0f} ms (p50), {delays[-1] * 1000:.0f} ms "
        f"(max) after they happened"
    )


async def _in_the_middle(house: House, socket: ClientWebSocketResponse) -> tuple[str, list[dict[str, Any]]]:
    """Have a task begun and its worker stopped before its end; return its id, and what the socket told of it."""
    for number in range(20):
        text = TALE + f"\n\nThe end, {number}.\n".encode()
        task_id = (await uploaded(house.session, house.a.url, text, processor="analyze"))["task_id"]
        await socket.send_json({"type": "resume", "task_id": task_id, "after_seq": 0, "logs": "debug"})
        told: list[dict[str, Any]] = []
        while len(_seqs(told)) < 2:
            message = await socket.receive_json(timeout=60)
            told += [message] if message.get("task_id") == task_id else []
        house.worker.process.send_signal(signal.SIGSTOP)
        async with house.session.get(f"{house.b.url}/api/v1/tasks/{task_id}") as response:
            if (await response.json())["status"] == "processing":
                return task_id, told
        house.worker.process.send_signal(signal.SIGCONT)
    raise AssertionError("every task was over before its worker was stopped")


async def _report(house: House, server: Server, task_id: str) -> bytes:
    async with house.session.get(f"{server.url}/api/v1/tasks/{task_id}/artifacts/report.html") as response:
        assert response.status == 200, await response.text()
        return await response.read()


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def test_a_socket_goes_on_at_the_other_when_one_is_killed(house: House) -> None:
    """A is killed in the middle of a task; `resume` at B tells the rest: every seq once, in order, to the end."""
    socket = await house.listen(house.a)
    task_id, told = await _in_the_middle(house, socket)
    house.a.process.send_signal(signal.SIGKILL)
    killed = time.perf_counter()
    async with asyncio.timeout(60):
        told += [message.json() async for message in socket]  # what had been sent before
    last = max(_seqs(told))
    socket = await house.listen(house.b)
    await socket.send_json({"type": "resume", "task_id": task_id, "after_seq": last, "logs": "debug"})
    assert (await socket.receive_json(timeout=60))["type"] == "subscribed"
    back = time.perf_counter() - killed
    house.worker.process.send_signal(signal.SIGCONT)
    rest: list[dict[str, Any]] = []
    await _until_finished(socket, rest)
    await socket.close()
    seqs = _seqs(told) + _seqs(rest)
    assert seqs == list(range(1, len(seqs) + 1))
    assert rest[-1]["status"] == "completed"
    assert not any(one["type"] == "snapshot" for one in told + rest)
    print(  # noqa: T201 - figures for whoever looks: `pytest -s`
        f"\nA killed after seq {last}; B went on {back * 1000:.0f} ms later and told {len(_seqs(rest))} more events: "
        f"gaps 0, repeats 0"
    )
