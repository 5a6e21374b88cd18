"""`make demo`: the bundled tales through a real server, live, and nothing left running afterwards.

Starts a server of its own on a free port with a throwaway data directory, uploads the tales of
`tests/data` (one of them also in GB18030, as old files are), prints their progress as it comes over
the WebSocket, and keeps the reports. The last lines printed are their paths.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
from rich.cells import cell_len, set_cell_size

from benchmarks.harness.processes import free_port
from novel_tasks_core import NovelTasksError, TaskStatus
from novel_tasks_server.client import Client, RemoteTask, TaskUpdate

TALES = Path(__file__).resolve().parents[1] / "tests" / "data"
REPORTS = Path("novel-tasks-data") / "demo"
START_SECONDS = 60.0
STOP_SECONDS = 45.0
SERVER_SETTINGS = {"API_HOST": "127.0.0.1", "ENVIRONMENT": "development", "SHUTDOWN_GRACE_SECONDS": "10"}
FOREIGN_SETTINGS = (
    "DATABASE_URL",
    "UPLOAD_DIR",
    "DEFAULT_PROCESSOR",
    "ALLOWED_EXTENSIONS",
    "MAX_FILE_SIZE",
    "LOG_FORMAT",
)


class DemoError(Exception):
    """The demo cannot go on; says why."""


def tales(scratch: Path) -> list[Path]:
    """Return the bundled tales, and the Chinese one once more in GB18030."""
    bundled = sorted(path for path in TALES.iterdir() if path.suffix in (".txt", ".md"))
    old = scratch / "渡口的灯-gb18030.txt"
    old.write_bytes((TALES / "渡口的灯.txt").read_text(encoding="utf-8").encode("gb18030"))
    return [*bundled, old]


@asynccontextmanager
async def server(scratch: Path) -> AsyncIterator[str]:
    """Run a server as a process of its own; leaving the block stops it and all that it started."""
    port = free_port()
    env = {name: value for name, value in os.environ.items() if name not in FOREIGN_SETTINGS}
    env |= SERVER_SETTINGS | {"API_PORT": str(port), "DATA_DIR": str(scratch / "data")}
    log = scratch / "server.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "novel_tasks_server", "serve"),
            cwd=scratch,  # so that no .env of ours is read
            env=env,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the demo, which then stops the server in good order
        )
    try:
        url = f"http://127.0.0.1:{port}"
        await ready(process, url, log)
        yield url
    except BaseException:
        await stop(process)
        raise
    complaint = await stop(process)
    if (scratch / "data" / "postgres" / "postmaster.pid").exists():
        complaint = complaint or "the server left its database running"
    if complaint:
        raise DemoError(f"{complaint}\n{last_lines(log)}")


async def ready(process: asyncio.subprocess.Process, url: str, log: Path) -> None:
    """Wait until the server says that it is healthy. Raises: DemoError with the end of its log."""
    deadline = time.monotonic() + START_SECONDS
    async with Client(url) as client:
        while True:
            try:
                await client.health()
                return
            except NovelTasksError as exc:
                if process.returncode is not None or time.monotonic() > deadline:
                    raise DemoError(f"the server did not start: {exc}\n{last_lines(log)}") from exc
            await asyncio.sleep(0.1)


def last_lines(log: Path) -> str:
    """Return the end of the server's log."""
    return log.read_text(encoding="utf-8", errors="replace")[-2000:]


async def stop(process: asyncio.subprocess.Process) -> str | None:
    """Stop the server by SIGTERM and wait for it and all that it started.

    What does not go in time is killed. Return what was wrong with the stop, None if nothing.
    Ctrl-C is ignored meanwhile: the wait is bounded, and a second one would leave a database behind.
    """
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        family: list[psutil.Process] = []
        if process.returncode is None:
            family = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
        _, left = await asyncio.to_thread(psutil.wait_procs, family, timeout=5)
        for stray in left:
            stray.kill()
    finally:
        signal.signal(signal.SIGINT, ignored)
    if left:
        return f"the server left processes behind: {', '.join(str(stray.pid) for stray in left)}"
    return f"the server stopped with exit code {process.returncode}" if process.returncode else None


class Story:
    """Prints what happens to each file, a line whenever it is a step further."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names
        self.width = max(map(cell_len, names.values()))
        self.seen: dict[str, tuple[TaskStatus, int]] = {}

    def update(self, update: TaskUpdate) -> None:
        """Print an update, unless it says no more than the one before."""
        step = (update.status, int(update.progress // 20))
        if self.seen.get(update.task_id) == step:
            return
        self.seen[update.task_id] = step
        name = set_cell_size(self.names[update.task_id], self.width)
        print(f"  {name}  {update.status:<10}  {update.progress:3.0f} %", flush=True)


async def process_tales(client: Client, files: list[Path]) -> list[tuple[str, RemoteTask]]:
    """Upload the files and follow their tasks; return each file's name and its finished task."""
    names = {(await client.upload(path)).task_id: path.name for path in files}
    finished = await client.wait(names, on_update=Story(names).update, poll_seconds=0.2)
    return [(name, finished[task_id]) for task_id, name in names.items()]


def facts(result: dict[str, Any]) -> str:
    """Say in a line what was found out about a tale."""
    names = ("encoding", "language", "chapters", "characters", "words")
    found = [f"{name} {result[name]}" for name in names if result.get(name) is not None]
    people = ", ".join(map(str, result.get("people") or ()))
    return "; ".join([", ".join(found), *([f"people: {people}"] if people else [])])


async def keep_reports(client: Client, name: str, task: RemoteTask) -> list[Path]:
    """Download what a task made; return the paths, the report for people last."""
    kept = []
    for artifact in sorted(await client.artifacts(task.id), key=lambda found: found.name.endswith(".html")):
        path = REPORTS / Path(name).stem / Path(artifact.name).name
        await client.download(task.id, artifact.name, to=path)
        kept.append(path)
    return kept


async def demo() -> int:
    """Run the whole demo; return the exit code."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, signal.raise_signal, signal.SIGINT)
    started = time.monotonic()
    reports: list[Path] = []
    failed = 0
    with tempfile.TemporaryDirectory(prefix="novel-tasks-demo-") as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)  # as root, the database runs as another user and must pass through
        print("Starting a server with a database of its own ...", flush=True)
        async with server(scratch) as url, Client(url) as client:
            print(f"It listens on {url} after {time.monotonic() - started:.1f} s. Uploading:", flush=True)
            for name, task in await process_tales(client, tales(scratch)):
                if task.status is not TaskStatus.COMPLETED:
                    failed += 1
                    print(f"  {name}: {task.status}: {task.error_message}", file=sys.stderr)
                    continue
                print(f"  {name}: {facts(await client.result(task.id))}")
                reports += (await keep_reports(client, name, task))[-1:]
    print(f"Done in {time.monotonic() - started:.1f} s; the server and its database are stopped. The reports:")
    for report in reports:
        print(report)
    return 1 if failed or not reports else 0


def main() -> int:
    """Run the demo as a program. Ctrl-C and SIGTERM stop it in good order."""
    try:
        return asyncio.run(demo())
    except KeyboardInterrupt:
        print("interrupted; the server is stopped", file=sys.stderr)
        return 130
    except (DemoError, NovelTasksError, OSError) as exc:
        print(f"demo: {exc}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
