"""`novel-tasks` loaded once and forked for each run: a process with streams, signals and an end of its own, at once.

What depends on how Python starts (its variables in the environment, closed streams, a Ctrl-C while libraries load) is
for a program that is started anew.
"""

from __future__ import annotations

import gc
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from threading import Lock
from typing import NoReturn

from novel_tasks_server import cli
from novel_tasks_server.cli import main  # here, since later the name is that of a module

_PATIENCE_SECONDS = 240.0
_MESSAGE_BYTES = 1 << 18


class LoadedProgram:
    """The loaded program at the other end of a socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._turn = Lock()

    def run(
        self, arguments: Sequence[str], *, cwd: Path, env: dict[str, str], stdin: bytes
    ) -> subprocess.CompletedProcess[str]:
        """Run one command line to its end. Raises: TimeoutError."""
        with self._turn, ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
            files[0].write(stdin)
            files[0].seek(0)
            what = json.dumps([list(arguments), str(cwd), env]).encode()
            socket.send_fds(self._connection, [what], [file.fileno() for file in files])
            code = int(self._connection.recv(_MESSAGE_BYTES))
            stdout, stderr = (_content(file) for file in files[1:])
        return subprocess.CompletedProcess(["novel-tasks", *arguments], code, stdout, stderr)


def _content(file: io.BufferedRandom) -> str:
    file.seek(0)
    return file.read().decode()


@contextmanager
def loaded_program(env: dict[str, str]) -> Iterator[LoadedProgram]:
    """Have the program loaded by a process of its own, in this environment; it ends with the block."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno())],
            cwd=Path(__file__).parents[3],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            process_group=0,
        )
    try:
        with ours:
            ours.settimeout(_PATIENCE_SECONDS)
            yield LoadedProgram(ours)
        assert process.wait(_PATIENCE_SECONDS) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # a run that did not end too
            process.wait()


def _serve(connection: socket.socket) -> None:
    """Fork for each command line that arrives. Returns in the fork too, which is to go on as the program."""
    while True:
        what, files, _, _ = socket.recv_fds(connection, _MESSAGE_BYTES, 3)
        if not what:
            raise SystemExit(0)
        child = os.fork()
        if child == 0:
            connection.close()
            arguments, cwd, env = json.loads(what)
            return _become(arguments, cwd, env, files)
        for file in files:
            os.close(file)
        _, status = os.waitpid(child, 0)
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(arguments: list[str], cwd: str, env: dict[str, str], files: list[int]) -> None:
    """Make this process what a new one would be."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.argv[1:] = arguments


def _load() -> None:
    """Import what any command may need, and keep it out of the way of the collector."""
    for module in iter_modules(cli.__path__, f"{cli.__name__}."):
        import_module(module.name)
    import_module("novel_tasks_server.app")
    gc.collect()
    gc.freeze()


def _main() -> NoReturn:
    _load()
    _serve(socket.socket(fileno=int(sys.argv[1])))
    main()


if __name__ == "__main__":
    _main()
