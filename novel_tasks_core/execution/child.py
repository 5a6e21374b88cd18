"""The main of a child process: `python -m novel_tasks_core.execution.child DESCRIPTOR`.

It runs one job after the other for the worker at the other end of the inherited descriptor, and dies
with it. Standard output and error stay free for processors. Signals that a terminal or a service
manager sends to everybody (SIGINT, SIGTERM, SIGHUP) are the worker's business: it decides whether the
job may finish, asks it to stop by a message, and kills what does not listen.
"""

from __future__ import annotations

import ctypes
import faulthandler
import importlib
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import reduce
from typing import Any

from novel_tasks_core.errors import InvalidProcessorError
from novel_tasks_core.execution.child_context import BlockingContext
from novel_tasks_core.execution.failures import Failure, failure_of
from novel_tasks_core.execution.jobs import Job, structured_options
from novel_tasks_core.execution.link import WorkerLink
from novel_tasks_core.execution.messages import Hello, Raised, Ready, Returned
from novel_tasks_core.execution.values import storable_value
from novel_tasks_core.processors.base import options_parameter

_PR_SET_PDEATHSIG = 1
_M_ARENA_MAX = -8


def main() -> None:
    """Serve jobs until the worker is gone."""
    link = WorkerLink(_connection(int(sys.argv[1])))
    try:
        hello = link.receive_hello()
    except (EOFError, ConnectionError):
        return
    _set_up(hello)
    link.start()
    link.send(Ready())
    while True:
        _serve(link, link.next_job(), memory_bytes=hello.memory_bytes)


def _connection(descriptor: int) -> socket.socket:
    """Take over the inherited descriptor; what the processor starts must not hold it open."""
    os.set_inheritable(descriptor, False)
    return socket.socket(fileno=descriptor)


def _set_up(hello: Hello) -> None:
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != hello.parent_pid:  # it died before the line above
        raise SystemExit(0)
    with suppress(AttributeError):  # only glibc has arenas, each of 64 MB of address space
        libc.mallopt(_M_ARENA_MAX, 1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A handler, not SIG_IGN: programs that the processor starts would inherit the latter.
        signal.signal(number, lambda _number, _frame: None)
    faulthandler.enable()
    sys.path[:] = hello.import_path
    os.environ.pop("PYTHONPATH", None)
    if hello.python_path is not None:
        os.environ["PYTHONPATH"] = hello.python_path
    resource.setrlimit(resource.RLIMIT_AS, (hello.memory_bytes, hello.memory_bytes))


def _serve(link: WorkerLink, job: Job, *, memory_bytes: int) -> None:
    """Do one job and tell how it ended."""
    try:
        answer: Returned | Raised | None = Returned(_run(link, job))
    except MemoryError:
        answer = None  # the frames of the traceback still hold the memory
    except BaseException as exc:
        answer = Raised(failure_of(exc))
    _flush()
    link.finish(answer or Raised(_memory_failure(memory_bytes)))


def _run(link: WorkerLink, job: Job) -> Any:
    function = find_function(job.target)
    options_type = options_parameter(function)
    context = BlockingContext(job, link)
    arguments = () if options_type is None else (structured_options(job, options_type),)
    return storable_value(function(context, *arguments), name="result")


def find_function(target: str) -> Callable[..., Any]:
    """Import what `module:qualname` names. Raises: InvalidProcessorError when it is not there."""
    module, _, qualname = target.partition(":")
    try:
        found = reduce(getattr, qualname.split("."), importlib.import_module(module))
    except (ImportError, AttributeError) as exc:
        raise InvalidProcessorError("function", f"a child process cannot import {target}: {exc}") from exc
    if not callable(found):
        raise InvalidProcessorError("function", f"{target} is not a function in a child process")
    return found


def _memory_failure(memory_bytes: int) -> Failure:
    limit = memory_bytes >> 20
    return Failure(
        type="MemoryError",
        message=f"out of memory: a child process may use {limit} MB of address space (CHILD_MEMORY_MB)",
    )


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # the processor may have closed or replaced it
            stream.flush()


if __name__ == "__main__":
    main()
