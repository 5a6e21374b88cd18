"""The remote commands against servers that want a token, are busy, or mean harm."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

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
            while not re.search(r"novel\.txt.*[1-9]\d%.*[1-9]\.\d MB", said):
                said += (await asyncio.to_thread(os.read, reading, 65536)).decode()
            seen.set()
            stdout, _ = await process.communicate()
    os.close(reading)
    assert (process.returncode, stdout.decode()) == (0, f"{TASK_ID}\n")
