"""Child processes: they do jobs, can be stopped and killed, crash alone, and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pytest

from novel_tasks_core.errors import ChildCrashedError, EngineClosedError
from novel_tasks_core.execution import child_process
from novel_tasks_core.execution.children import ChildPool
from novel_tasks_core.execution.jobs import Job
from novel_tasks_core.models import LogLevel

from .conftest import Recorded

pytestmark = pytest.mark.usefixtures("specimens")


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    """Make a job for a specimen processor; keywords are its options."""

    def make(name: str, **options: Any) -> Job:
        return Job(
            task_id="0123456789abcdef0123456789abcdef",
            attempt=1,
            target=f"specimen_processors:{name}",
            options=options,
            file_name="novel.txt",
            source_path=None,
            extra_data={},
            resume_from=None,
            work=str(tmp_path / "work"),
            staging=str(tmp_path / "staging"),
        )

    return make


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something that no event tells of has happened."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def is_gone(pid: int) -> bool:
    """Say whether a process has ended; what nobody has waited for counts as ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_one_child_does_many_jobs(children: ChildPool, reports: Recorded, job: Callable[..., Job]) -> None:
    """Jobs that follow each other run in the same process."""
    first = await children.run(job("echo"), reports=reports)
    second = await children.run(job("echo"), reports=reports)
    assert isinstance(first.value, dict)
    assert first.value == second.value
    assert children.pids == (first.value["pid"],)


async def test_no_more_children_than_places(children: ChildPool, reports: Recorded, job: Callable[..., Job]) -> None:
    """Ten jobs at once share two children."""
    await asyncio.gather(*(children.run(job("echo"), reports=reports) for _ in range(10)))
    assert len(children.pids) == 2


async def test_reports_arrive_in_order(children: ChildPool, reports: Recorded, job: Callable[..., Job]) -> None:
    """Logs, progress, checkpoints and artifacts reach the worker; text that no database stores is mended."""
    finished = await children.run(job("report_all"), reports=reports)
    assert finished.value == "done"
    assert reports.logged == [(LogLevel.INFO, "began"), (LogLevel.WARNING, "odd ��")]
    assert reports.progressed == [(0.25, "a quarter")]
    assert reports.checkpoints == [{"chapter": 1}]
    assert {name: Path(one.path).read_bytes() for name, one in finished.staged.items()} == {
        "notes.txt": b"second",
        "copy.bin": b"from a file",
    }
    assert finished.staged["copy.bin"].content_type == "application/x-copy"


async def test_progress_is_coalesced_and_the_last_arrives(
    children: ChildPool, reports: Recorded, job: Callable[..., Job]
) -> None:
    """A flood of 20,000 reports becomes a few, and ends with the last one."""
    began = time.monotonic()
    await children.run(job("flood"), reports=reports)
    assert len(reports.progressed) <= 2 + (time.monotonic() - began) / 0.04
    assert reports.progressed[-1] == (1.0, "step 20000")


async def test_held_back_progress_is_sent_though_the_job_is_silent(
    children: ChildPool, reports: Recorded, job: Callable[..., Job], tmp_path: Path
) -> None:
    """The last report of a burst arrives while the processor computes on without a word."""
    flag = tmp_path / "flag"
    reports.on_progress = lambda _fraction, stage: flag.touch() if stage == "second" else None
    await children.run(job("hold_back", flag=str(flag)), reports=reports)
    assert reports.progressed == [(0.1, "first"), (0.2, "second")]


async def test_standard_output_is_free(
    children: ChildPool, reports: Recorded, job: Callable[..., Job], capfd: pytest.CaptureFixture[str]
) -> None:
    """What a processor prints goes to the worker's own output and disturbs nothing."""
    finished = await children.run(job("print_and_return"), reports=reports)
    assert finished.value == "printed"
    assert capfd.readouterr().out.count("to stdout") == 1000


async def test_a_cancelled_job_stops_and_its_child_is_used_again(
    children: ChildPool, reports: Recorded, job: Callable[..., Job]
) -> None:
    """A processor that reports progress stops by itself: no process is wasted."""
    begun = asyncio.Event()
    reports.on_progress = lambda _fraction, _stage: begun.set()
    work = asyncio.create_task(children.run(job("obedient"), reports=reports))
    await begun.wait()
    before = children.pids
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert (await children.run(job("give", what="tuple"), reports=reports)).value == [1, {"2": None}]
    assert children.pids == before


async def test_a_stubborn_job_is_killed_with_all_it_started(
    children: ChildPool, reports: Recorded, job: Callable[..., Job]
) -> None:
    """A processor that ignores everything is gone when the cancellation arrives, and so are its own children."""
    begun = asyncio.Event()
    reports.on_progress = lambda _fraction, _stage: begun.set()
    work = asyncio.create_task(children.run(job("stubborn"), reports=reports))
    await begun.wait()
    pids = [int(pid) for pid in reports.progressed[0][1].split()]
    work.cancel()
    await asyncio.sleep(0)
    work.cancel()  # being told twice must not cut the cleaning up short
    with pytest.raises(asyncio.CancelledError):
        await work
    assert children.pids == ()
    await until(lambda: all(is_gone(pid) for pid in pids))
    assert (await children.run(job("light"), reports=reports)).failure is None


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        ("exit", 7, "exit status 7"),
        ("segfault", -signal.SIGSEGV, "SIGSEGV"),
        ("kill", -signal.SIGKILL, "SIGKILL"),
        ("fork", 3, "exit status 3"),
    ],
)
async def test_a_crash_fails_only_its_own_job(
    children: ChildPool, reports: Recorded, job: Callable[..., Job], how: str, code: int, words: str
) -> None:
    """However a child dies, its job says so and the next one runs."""
    with pytest.raises(ChildCrashedError, match=words) as caught:
        await children.run(job("crash", how=how), reports=reports)
    assert caught.value.exit_code == code
    assert (await children.run(job("light"), reports=reports)).failure is None


async def test_memory_is_limited(children: ChildPool, reports: Recorded, job: Callable[..., Job]) -> None:
    """A processor that takes too much fails with the limit in words, and its child is replaced."""
    finished = await children.run(job("gobble"), reports=reports)
    assert finished.failure is not None
    assert finished.failure.type == "MemoryError"
    assert "512 MB" in finished.failure.message
    assert children.pids == ()


async def test_a_refused_checkpoint_stops_the_job(
    children: ChildPool, reports: Recorded, job: Callable[..., Job]
) -> None:
    """What the worker raises at a checkpoint ends the job and goes on, and the child is used again."""
    reports.refuse_checkpoint = KeyError("gone")
    with pytest.raises(KeyError):
        await children.run(job("report_all"), reports=reports)
    assert len(children.pids) == 1
    assert (await children.run(job("light"), reports=reports)).failure is None


async def test_signals_for_everybody_do_not_stop_a_job(
    children: ChildPool, reports: Recorded, job: Callable[..., Job]
) -> None:
    """Ctrl-C and a service manager's SIGTERM are the worker's to judge, and programs started inherit defaults."""
    assert (await children.run(job("survive_signals"), reports=reports)).value == "True"


async def test_a_child_that_died_idle_is_replaced(
    children: ChildPool, reports: Recorded, job: Callable[..., Job]
) -> None:
    """An idle child that somebody killed fails no job."""
    await children.run(job("light"), reports=reports)
    (pid,) = children.pids
    os.kill(pid, signal.SIGKILL)
    await until(lambda: is_gone(pid) and not psutil.pid_exists(pid))
    assert (await children.run(job("light"), reports=reports)).failure is None


async def test_children_are_light_and_see_the_same_modules(
    children: ChildPool, reports: Recorded, job: Callable[..., Job]
) -> None:
    """A child imports from where its parent does, loads nothing slow, and passes its own environment on clean."""
    found = (await children.run(job("environment"), reports=reports)).value
    assert isinstance(found, dict)
    assert [entry for entry in sys.path if entry] == found["path"][: len(sys.path)]
    assert found["PYTHONPATH"] == os.environ.get("PYTHONPATH")


async def test_closing_kills_running_jobs(reports: Recorded, job: Callable[..., Job]) -> None:
    """Leaving the pool ends every process at once; a job that ran is told that the pool is closed."""
    begun = asyncio.Event()
    reports.on_progress = lambda _fraction, _stage: begun.set()
    async with ChildPool(size=1, grace_seconds=60) as pool:
        work = asyncio.create_task(pool.run(job("stubborn"), reports=reports))
        await begun.wait()
        pids = pool.pids
    assert all(not psutil.pid_exists(pid) for pid in pids)
    with pytest.raises(EngineClosedError):
        await work
    with pytest.raises(EngineClosedError):
        await pool.run(job("light"), reports=reports)


HOLD = """
import ctypes, sys, time
libc = ctypes.CDLL(None, use_errno=True)
sys.stdout.write("held\\n" if libc.ptrace(0x4206, int(sys.argv[1]), None, None) == 0 else "refused\\n")
sys.stdout.flush()
time.sleep(600)
"""
"""Traces a process, and never asks what became of it: killed, it is not gone as long as this runs."""


async def test_closing_does_not_wait_for_a_child_that_cannot_die(
    reports: Recorded, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed and stays, as one that hangs in a system call does, keeps the pool for its time only."""
    monkeypatch.setattr(child_process, "_KILL_SECONDS", 0.2)
    monkeypatch.setattr(child_process, "_EXIT_SECONDS", 0.2)
    begun = asyncio.Event()
    reports.on_progress = lambda _fraction, _stage: begun.set()
    async with ChildPool(size=1, grace_seconds=60) as pool:
        work = asyncio.create_task(pool.run(job("stubborn"), reports=reports))
        await begun.wait()
        [pid] = pool.pids
        holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLD, str(pid), stdout=subprocess.PIPE)
        try:
            assert holder.stdout is not None
            if await holder.stdout.readline() != b"held\n":
                pytest.skip("this system lets no process trace another")
            async with asyncio.timeout(60):
                await pool.close()
            assert psutil.pid_exists(pid)
            with pytest.raises(EngineClosedError):
                await work
        finally:
            holder.kill()
            await holder.wait()
    await until(lambda: not psutil.pid_exists(pid))


async def test_closing_while_a_child_starts_leaves_none(reports: Recorded, job: Callable[..., Job]) -> None:
    """A pool closed at any moment of a start has no process left."""
    before = set(psutil.Process().children())
    for turns in (0, 1, 2, 5, 10, 20):
        async with ChildPool(size=1) as pool:
            work = asyncio.create_task(pool.run(job("light"), reports=reports))
            for _ in range(turns):
                await asyncio.sleep(0)
        assert pool.pids == ()
        with pytest.raises(EngineClosedError):
            await work
    assert set(psutil.Process().children()) <= before


async def test_cancelling_a_start_leaves_no_process(reports: Recorded, job: Callable[..., Job]) -> None:
    """A job cancelled at any moment while its child starts leaves no process and no descriptor."""
    before = set(psutil.Process().children())
    async with ChildPool(size=1) as pool:
        for turns in (0, 1, 2, 3, 5, 10, 20):
            work = asyncio.create_task(pool.run(job("light"), reports=reports))
            for _ in range(turns):
                await asyncio.sleep(0)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
        assert pool.pids == ()
    assert set(psutil.Process().children()) <= before


async def test_no_descriptors_leak(reports: Recorded, job: Callable[..., Job]) -> None:
    """Pools that come and go, with crashes, leave this process's descriptors as they were."""

    async def use_a_pool() -> None:
        async with ChildPool(size=1, memory_mb=512) as pool:
            await pool.run(job("light"), reports=reports)
            with pytest.raises(ChildCrashedError):
                await pool.run(job("crash", how="exit"), reports=reports)

    await use_a_pool()
    before = psutil.Process().num_fds()
    for _ in range(3):
        await use_a_pool()
    assert psutil.Process().num_fds() == before


_ORPHANING = """
import asyncio, sys
from novel_tasks_core.execution.children import ChildPool
from novel_tasks_core.execution.jobs import Job

class Quiet:
    def progress(self, fraction, stage):
        print(stage, flush=True)
    def log(self, level, message): ...
    async def checkpoint(self, value): ...

async def main():
    pool = ChildPool(size=1)
    job = Job(task_id="0" * 32, attempt=1, target="specimen_processors:stubborn", options={}, file_name="",
              source_path=None, extra_data={}, resume_from=None, work="")
    await pool.run(job, reports=Quiet())

asyncio.run(main())
"""


async def test_children_die_with_their_parent() -> None:
    """When the worker is killed by SIGKILL, its children follow."""
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _ORPHANING),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [*sys.path, os.getcwd()]))},
    )
    assert parent.stdout is not None
    child, grandchild = (int(pid) for pid in (await parent.stdout.readline()).split())
    parent.kill()
    await until(lambda: is_gone(child))
    if not is_gone(grandchild):  # the kernel ends only the child for certain
        os.kill(grandchild, signal.SIGKILL)
    await parent.communicate()


async def test_an_unimportable_processor_is_permanent(
    children: ChildPool, reports: Recorded, job: Callable[..., Job], specimens: ModuleType
) -> None:
    """A function that a child cannot find fails the job in words, for good."""
    finished = await children.run(job("no_such_function"), reports=reports)
    assert finished.failure is not None
    assert (finished.failure.type, finished.failure.permanent) == ("InvalidProcessorError", True)
    assert "no_such_function" in finished.failure.message


async def test_a_child_that_cannot_start_says_so(
    reports: Recorded, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an interpreter there is a clear error and no leak."""
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    async with ChildPool(size=1) as pool:
        with pytest.raises(ChildCrashedError, match="cannot start"):
            await pool.run(job("light"), reports=reports)
