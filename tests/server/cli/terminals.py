"""A real terminal for tests: bash in tmux, typed into and read from the screen."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from .conftest import clean_environment

ROOT = Path(__file__).resolve().parents[3]
PROMPT = r"^(\d+) (\d+) ready>"
"""How many command lines there were, and the exit code of the last."""

_PATIENCE_SECONDS = 60.0
_BETWEEN_LOOKS_SECONDS = 0.03


class Terminal:
    """One tmux window with a shell that knows `novel-tasks`."""

    def __init__(self, socket: str, folder: Path) -> None:
        self._socket = socket
        self.folder = folder
        self._ended = 0

    def type(self, text: str) -> None:
        """Type text, as a person would."""
        self._tmux("send-keys", "-t", "main", "-l", text)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: Enter, Tab, C-c."""
        self._tmux("send-keys", "-t", "main", *keys)

    def run(self, line: str) -> None:
        """Type a command line and press Enter."""
        self.type(line)
        self.press("Enter")

    def resize(self, columns: int, rows: int) -> None:
        """Make the window so large."""
        self._tmux("resize-window", "-t", "main", "-x", str(columns), "-y", str(rows))

    def screen(self) -> list[str]:
        """Return the lines that can be seen, without the empty ones at the end."""
        return self._tmux("capture-pane", "-p", "-t", "main").rstrip("\n").split("\n")

    def scrolled(self) -> list[str]:
        """Return all lines since the start, those that have left the screen too; one that was wrapped is two."""
        return self._tmux("capture-pane", "-p", "-S", "-", "-t", "main").rstrip("\n").split("\n")

    def wait_for(self, pattern: str, *, look: Callable[[list[str]], object] | None = None) -> list[str]:
        """Look at the screen until it shows the pattern, which may span lines; each screen is shown to `look`."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            lines = self.screen()
            if look is not None:
                look(lines)
            if re.search(pattern, "\n".join(lines), re.MULTILINE):
                return lines
            assert time.monotonic() < deadline, f"{pattern!r} never came:\n" + "\n".join(lines)
            time.sleep(_BETWEEN_LOOKS_SECONDS)

    def wait_until_done(self, *, look: Callable[[list[str]], object] | None = None) -> int:
        """Wait until the command line that was run has ended; return its exit code, as the prompt tells it."""
        self._ended += 1
        lines = self.wait_for(rf"^{self._ended + 1} \d+ ready>$", look=look)
        found = re.match(PROMPT, lines[-1])
        assert found is not None, lines
        return int(found[2])

    def _tmux(self, *arguments: str) -> str:
        return tmux(self._socket, *arguments)


def tmux(socket: str, *arguments: str) -> str:
    """Run a command of the tmux server on that socket, and return what it prints."""
    command = ["tmux", "-L", socket, "-f", "/dev/null", *arguments]
    environment = clean_environment() | {"LANG": "C.UTF-8"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@contextmanager
def opened(
    folder: Path, *, columns: int = 80, rows: int = 24, environment: dict[str, str] | None = None
) -> Iterator[Terminal]:
    """Open a terminal of that size in `folder`; its shell and whatever runs in it end with the block."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    program = programs / "novel-tasks"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m novel_tasks_server "$@"\n')
    program.chmod(0o755)
    settings = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "PS1": "\\# $? ready> ",
        **(environment or {}),
    }
    profile = programs / "profile"
    profile.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()))
    socket = f"novel-tasks-{uuid4().hex[:12]}"
    size = ("-x", str(columns), "-y", str(rows))
    shell = shlex.join(["env", "-u", "NO_COLOR", "bash", "--noprofile", "--rcfile", str(profile)])
    tmux(socket, "new-session", "-d", "-s", "main", *size, "-c", str(folder), shell)
    try:
        terminal = Terminal(socket, folder)
        terminal.wait_for(PROMPT)
        yield terminal
    finally:
        tmux(socket, "kill-server")
