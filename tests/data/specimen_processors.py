"""Processors that behave in every way a processor can, for the tests of the execution."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import CancelledError
from enum import StrEnum
from pathlib import Path
from typing import Any

from attrs import frozen

from novel_tasks_core.errors import DecodingError, InvalidOptionsError
from novel_tasks_core.models import LogLevel
from novel_tasks_core.processors.base import ChildContext
from novel_tasks_core.retries import Retry, Snooze


def echo(ctx: ChildContext) -> dict[str, Any]:
    """Return all that the context shows."""
    return {
        "task_id": ctx.task_id.hex,
        "attempt": ctx.attempt,
        "options": dict(ctx.options),
        "file_name": ctx.file_name,
        "source_path": str(ctx.source_path),
        "extra_data": dict(ctx.extra_data),
        "resume_from": ctx.resume_from,
        "source": ctx.read_source().decode(),
        "pid": os.getpid(),
    }


class Case(StrEnum):
    """How to write."""

    UPPER = "upper"
    LOWER = "lower"


@frozen(kw_only=True)
class ShoutOptions:
    """What `shout` may be told."""

    case: Case = Case.UPPER
    times: int = 1


def shout(ctx: ChildContext, options: ShoutOptions) -> str:
    """Return the source in capitals, as often as asked for."""
    text = ctx.read_source().decode()
    return (text.upper() if options.case is Case.UPPER else text.lower()) * options.times


def give(ctx: ChildContext) -> Any:
    """Return the value that the options name, some of which are no JSON."""
    wanted: dict[str, Any] = {
        "nan": {"score": float("nan")},
        "set": {1, 2},
        "nul": {"ti\x00tle": ["a\x00b", "\ud800"]},
        "huge": "x" * (9 << 20),
        "large": "é" * (3 << 20),
        "tuple": (1, {2: None}),
    }
    return wanted[ctx.options["what"]]


def print_and_return(ctx: ChildContext) -> str:
    """Write to standard output and error, which are free."""
    sys.stdout.write("to stdout\n" * 1000)
    sys.stderr.write("to stderr\n")
    return "printed"


def report_all(ctx: ChildContext) -> str:
    """Use every reporting method once."""
    ctx.log("began")
    ctx.log("odd \x00\udc80", level=LogLevel.WARNING)
    ctx.progress(1, total=4, stage="a quarter")
    ctx.checkpoint({"chapter": 1})
    ctx.save_artifact("notes.txt", b"first")
    ctx.save_artifact("notes.txt", b"second")
    own = Path(os.environ.get("TMPDIR", "/tmp")) / f"specimen-{os.getpid()}"
    own.write_bytes(b"from a file")
    ctx.save_artifact("copy.bin", own, content_type="application/x-copy")
    own.unlink()
    return "done"


def flood(ctx: ChildContext) -> int:
    """Report progress far more often than anybody can watch."""
    count = 20_000
    for done in range(1, count + 1):
        ctx.progress(done, total=count, stage=f"step {done}")
    return count


def hold_back(ctx: ChildContext) -> None:
    """Report twice at once and then work silently, until the worker has heard the second."""
    ctx.progress(0.1, stage="first")
    ctx.progress(0.2, stage="second")
    wait_for(Path(ctx.options["flag"]))


def wait_for(path: Path) -> None:
    """Block until the file exists."""
    while not path.exists():
        time.sleep(0.005)


def wait(ctx: ChildContext) -> None:
    """Never end, and say nothing."""
    while True:
        time.sleep(60)


def compute(ctx: ChildContext) -> None:
    """Never end, and keep a core busy."""
    while True:
        sum(range(1000))


def obedient(ctx: ChildContext) -> str:
    """Report for ever; the context ends it."""
    while True:
        ctx.progress(0.5, stage=f"pid {os.getpid()}")
        time.sleep(0.005)


def stubborn(ctx: ChildContext) -> None:
    """Never listen, and ignore every signal that can be ignored."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    ctx.progress(0.5, stage=f"{os.getpid()} {grandchild.pid}")
    while True:
        try:
            time.sleep(60)
        except CancelledError:
            continue


def crash(ctx: ChildContext) -> None:
    """Die as the options say."""
    match ctx.options["how"]:
        case "exit":
            os._exit(7)
        case "segfault":
            import faulthandler

            faulthandler.disable()
            ctypes.string_at(0)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "close":
            os.closerange(3, 100)
            time.sleep(60)
        case "fork":
            if os.fork() == 0:  # this one holds the connection open
                time.sleep(60)
            os._exit(3)


def leave(ctx: ChildContext) -> list[int]:
    """Write down the attempt beside those before it; then end as the options say for this attempt."""
    path = ctx.work_folder / "attempts"
    with path.open("a") as file:
        file.write(f"{ctx.attempt}\n")
    how = ctx.options["ends"][ctx.attempt - 1]
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "fail":
        raise DecodingError("no good")
    return [int(line) for line in path.read_text().split()]


def gobble(ctx: ChildContext) -> int:
    """Take more memory than there is."""
    return len(b"x" * (8 << 30))


def fail(ctx: ChildContext) -> None:
    """Raise what the options name."""
    match ctx.options["what"]:
        case "value":
            raise ValueError("no good")
        case "decoding":
            raise DecodingError("byte 0xff at offset 3", encoding="utf-8", offset=3)
        case "options":
            raise InvalidOptionsError("fail", [("what", "wrong")])
        case "retry":
            raise Retry(after=12.5, reason="later")
        case "snooze":
            raise Snooze(for_=60)
        case "exit":
            sys.exit("enough")
        case "empty":
            raise KeyError
        case "unprintable":
            raise Unprintable
        case "cancelled":
            raise CancelledError


class Unprintable(Exception):
    """An error that cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def survive_signals(ctx: ChildContext) -> str:
    """Get the signals that a terminal or a service manager sends to everybody."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(os.getpid(), number)
    done = subprocess.run(
        [sys.executable, "-c", "import signal; print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def open_descriptors(ctx: ChildContext) -> int:
    """Count this process's open descriptors."""
    return len(os.listdir("/proc/self/fd"))


def environment(ctx: ChildContext) -> dict[str, Any]:
    """Return what the child was started with."""
    return {"PYTHONPATH": os.environ.get("PYTHONPATH"), "path": sys.path, "argv0": sys.argv[0]}


def light(ctx: ChildContext) -> list[str]:
    """Return which slow modules a child has loaded."""
    return [name for name in ("asyncio", "asyncpg", "cattrs", "markdown_it") if name in sys.modules]
