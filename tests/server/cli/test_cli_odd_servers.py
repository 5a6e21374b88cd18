"""The remote commands against servers that want a token, are busy, or mean harm."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from novel_tasks_server.cli.submitting import _UPLOADS_AT_ONCE
from novel_tasks_server.client import Client, ServerRefusedError

from .conftest import Run, clean_environment

TASK_ID = "task-" + "0" * 32
ONE = "/api/v1/tasks/{id}"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Answer whatever is asked by this handler."""
    app = web.Application(client_max_size=0)
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil", "..", "", "a\\b", "C:evil", "a/b", "nul\0"])
async def test_an_unsafe_artifact_name_is_no_path(novel_tasks: Run, tmp_path: Path, name: str) -> None:
    """`result --all` writes nothing under a name that is not plainly that of a file in the folder."""

    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("/artifacts"):
            return web.json_response({"artifacts": [{"name": name, "size": 4}]})
        return web.Response(body=b"evil")

    async with serving(answer) as url:
        folder = tmp_path / "a" / "b"
        done = await asyncio.to_thread(novel_tasks, "result", TASK_ID, "--all", "-o", folder, "--server", url)
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot be written under its name" in done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("command", ["list", "show", "logs", "result", "retry", "cancel", "submit", "why"])
async def test_the_token_is_shown_and_a_wrong_one_told(novel_tasks: Run, tmp_path: Path, command: str) -> None:
    """The token of the flag, else of the environment, else of .env goes along; a refusal is one line, exit code 1."""
    shown: list[str | None] = []

    async def refuse(request: web.Request) -> web.Response:
        shown.append(request.headers.get("Authorization"))
        await request.read()
        return web.json_response({"detail": "The token is not valid."}, status=401)

    (tmp_path / ".env").write_text("NOVEL_TASKS_TOKEN=from-file\n")
    (tmp_path / "novel.txt").write_text("Once upon a time.")
    arguments = {"list": (), "submit": ("novel.txt",)}.get(command, (TASK_ID,))
    environment = {"NOVEL_TASKS_TOKEN": "from-environment"}
    async with serving(refuse) as url:
        for more, env in ((("--token", "from-flag"), environment), ((), environment), ((), {})):
            done = await asyncio.to_thread(novel_tasks, command, *arguments, "--server", url, *more, env=env)
            assert (done.returncode, done.stdout) == (1, "")
            [line] = done.stderr.splitlines()
            assert line.startswith("error: ")
            assert line.endswith("The token is not valid. (HTTP 401)")
    assert shown == ["Bearer from-flag", "Bearer from-environment", "Bearer from-file"]


async def test_submit_shows_on_a_terminal_how_much_has_left(tmp_path: Path) -> None:
    """On a terminal a bar tells how much of a file was sent; the ids still go to stdout alone."""
    seen = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        if request.method == "GET":
            raise web.HTTPNotFound  # an older server, which does not tell what it takes
        await request.content.readexactly(1_000_000)
        await seen.wait()
        await request.read()
        answer = {"task_id": TASK_ID, "file_name": "novel.txt", "file_size": 40_000_000, "status": "pending"}
        return web.json_response(answer)

    (tmp_path / "novel.txt").write_bytes(b"x" * 40_000_000)
    reading, terminal = pty.openpty()
    async with serving(slow) as url:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "novel_tasks_server", "submit", "novel.txt", "--server", url),
            cwd=tmp_path,
            env=clean_environment() | {"TERM": "xterm", "COLUMNS": "120"},
            stdout=subprocess.PIPE,
            stderr=terminal,
        )
        os.close(terminal)
        said = ""
        async with asyncio.timeout(60):
            while not re.search(r"novel\.txt.*[1-9]\d?%.*[1-9]\d?\.\d MB", said):
                said += (await asyncio.to_thread(os.read, reading, 65536)).decode(errors="replace")
            seen.set()
            stdout, _ = await process.communicate()
    os.close(reading)
    assert (process.returncode, stdout.decode()) == (0, f"{TASK_ID}\n")


META = {
    "title": "t", "version": "1", "software_version": "1", "default_processor": "split", "processors": ["split"],
    "allowed_extensions": [".txt"], "limits": {"max_file_size": 1000},
}  # fmt: skip


def accepted(request: web.Request) -> web.Response:
    """Answer an upload as a server does that takes it, and closes the connection."""
    answer = {"task_id": TASK_ID, "file_name": "novel.txt", "file_size": 4, "status": "pending"}
    response = web.json_response(answer)
    response.force_close()
    return response


def write_novels(folder: Path, count: int) -> list[str]:
    """Write novels; return their names."""
    names = [f"{number:02}.txt" for number in range(count)]
    for name in names:
        (folder / name).write_text(f"Once, {name}.")
    return names


async def test_a_limit_of_requests_is_waited_out_and_told(novel_tasks: Run, tmp_path: Path) -> None:
    """429 is obeyed for as long as the server says, told in one plain line, and costs no file."""
    refused: dict[str, float] = {}
    all_asked = asyncio.Event()

    async def limited(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response(META)
        body = await request.read()
        [name] = [name for name in names if name.encode() in body]
        if name not in refused:
            refused[name] = asyncio.get_running_loop().time()
            if len(refused) == len(names):
                all_asked.set()
            await all_asked.wait()
            return web.json_response({"detail": "Too many."}, status=429, headers={"Retry-After": "1"})
        waited.append(asyncio.get_running_loop().time() - refused[name])
        return accepted(request)

    names, waited = write_novels(tmp_path, 3), list[float]()
    async with serving(limited) as url:
        done = await asyncio.to_thread(novel_tasks, "submit", *names, "--server", url)
    assert [seconds >= 1 for seconds in waited] == [True] * 3
    assert (done.returncode, done.stdout) == (0, f"{TASK_ID}\n" * 3)
    lines = done.stderr.splitlines()
    assert len([line for line in lines if re.match(r"The server limits requests; going on in \d s$", line)]) == 1
    assert not [line for line in lines if line.startswith("error")]


@pytest.mark.parametrize("obeys", [True, False])
async def test_a_limit_may_last_longer_than_the_patience(obeys: bool) -> None:
    """A client that obeys limits waits them out, and tells each pause; one that does not gives up with its patience."""
    asked, told = 0, []

    async def limited(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        if asked == 1:
            return web.json_response({"detail": "Too many."}, status=429, headers={"Retry-After": "1"})
        return web.json_response(META)

    async with serving(limited) as url:
        client = Client(
            url, patience_seconds=0.2, obeys_limits=obeys, on_pause=lambda error, seconds: told.append(seconds)
        )
        async with client:
            if obeys:
                assert (await client.meta()).allowed_extensions == (".txt",)
                assert [seconds >= 1 for seconds in told] == [True]
            else:
                with pytest.raises(ServerRefusedError):
                    await client.meta()


async def test_a_server_that_goes_away_is_told_once(novel_tasks: Run, tmp_path: Path) -> None:
    """What was sent keeps its id; one line names the file and the reason, one says how many more were not sent."""
    runner = web.AppRunner(app := web.Application())
    uploads, gone = 0, asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        nonlocal uploads
        if request.method == "GET":
            return web.json_response(META)
        await request.read()
        uploads += 1
        if uploads == _UPLOADS_AT_ONCE:  # nobody is between two connections
            await site.stop()
            gone.set()
        await gone.wait()
        return accepted(request)

    app.router.add_route("*", "/{path:.*}", answer)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    try:
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        names = write_novels(tmp_path, 20)
        done = await asyncio.to_thread(novel_tasks, "submit", *names, "--server", url)
    finally:
        await runner.cleanup()
    assert (done.returncode, done.stdout) == (1, f"{TASK_ID}\n" * uploads)
    one, many = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert re.fullmatch(rf"error: \d\d\.txt: no server at {url}: Connection refused", one)
    assert many == f"error: {20 - uploads} files were not sent; the same command sends them, and none twice"


async def test_what_the_server_does_not_take_is_not_sent(novel_tasks: Run, tmp_path: Path) -> None:
    """Its limits are asked for first: an ending, a size and an empty file are told, the rest is sent."""
    sent: list[bytes] = []

    async def answer(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response(META)
        sent.append(await request.read())
        return accepted(request)

    write_novels(tmp_path, 1)
    for name, size in (("big.txt", 1001), ("empty.txt", 0), ("novel.md", 5)):
        (tmp_path / name).write_bytes(b"x" * size)
    (tmp_path / "folder").mkdir()
    async with serving(answer) as url:
        names = ("big.txt", "empty.txt", "novel.md", "gone.txt", "folder", "00.txt")
        done = await asyncio.to_thread(novel_tasks, "submit", *names, "--server", url)
    assert (done.returncode, done.stdout, len(sent)) == (1, f"{TASK_ID}\n", 1)
    for line in (
        "error: big.txt: not sent: 1,001 bytes are more than the 1,000 that the server takes",
        "error: empty.txt: not sent: the file is empty",
        "error: novel.md: not sent: the server takes only .txt",
        "error: gone.txt: No such file or directory",
        "error: folder: it is a folder: --recursive takes the novels in it",
    ):
        assert line in done.stderr.splitlines()
    assert done.stderr.splitlines()[-1].endswith(": 5 not sent, 1 queued")


async def test_a_folder_stands_for_the_novels_in_it(novel_tasks: Run, tmp_path: Path) -> None:
    """`--recursive` takes the files with the server's endings, in the order of their names, and none that is hidden."""
    names: list[bytes] = []

    async def answer(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response(META)
        names.extend(re.findall(rb'filename="(.*)"', await request.read()))
        return accepted(request)

    for name in ("b/2.txt", "b/1.TXT", "a/3.txt", "a/readme.md", ".hidden/4.txt", "a/.5.txt", "picture.png"):
        (tmp_path / "library" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "library" / name).write_text(name)
    (tmp_path / "library" / "a" / "again").symlink_to(tmp_path / "library")
    async with serving(answer) as url:
        done = await asyncio.to_thread(novel_tasks, "submit", "--recursive", "library", "--json", "--server", url)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line)["file"] for line in done.stdout.splitlines()]
    assert found == ["library/a/3.txt", "library/b/1.TXT", "library/b/2.txt"]
    assert sorted(names) == [b"1.TXT", b"2.txt", b"3.txt"]


async def test_ctrl_c_loses_no_id_of_what_has_arrived(tmp_path: Path) -> None:
    """A file that arrived while an earlier one was on its way is printed even when Ctrl-C ends the wait for that."""
    arrived = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response(META)
        if b'filename="00.txt"' in await request.read():
            await asyncio.Event().wait()
        arrived.set()
        return accepted(request)

    names = write_novels(tmp_path, 2)
    async with serving(answer) as url:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "novel_tasks_server", "submit", *names, "--server", url),
            cwd=tmp_path,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        async with asyncio.timeout(60):
            await arrived.wait()
            said = await process.stderr.readline()
            process.send_signal(signal.SIGINT)
            stdout, stderr = await process.communicate()
    assert said.startswith(b"01.txt: queued in ")
    assert (process.returncode, stdout.decode()) == (130, f"{TASK_ID}\n")
    told, count, last = stderr.decode().splitlines()
    assert told == "What was sent goes on without us: `novel-tasks list` shows it."
    assert re.fullmatch(r"2 files in .* s: 1 queued, 1 not finished", count)
    assert last == "error: interrupted"
