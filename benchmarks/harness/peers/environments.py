"""Where the peers are installed: one virtual environment, and one folder of node_modules.

Both are below one folder, which `NOVEL_TASKS_PEERS_DIR` names, else in the user's cache. Each is made once
and kept: a stamp, written last, says what it was made from, and another list of versions makes it anew.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from attrs import frozen

from novel_tasks_core.storage.flock import FileLock

FOLDER_VARIABLE = "NOVEL_TASKS_PEERS_DIR"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PACKAGE = Path(__file__).with_name("package.json")
OLDEST_NODE = 22

_LONGEST_SECONDS = 300.0
_WORDS = 300


class PeerMissingError(Exception):
    """A peer cannot be had here; says why. Not a failure."""


@frozen
class Environment:
    """A folder that is made from a list of exact versions. `make` is called with an empty folder."""

    folder: Path
    versions: Path
    made_with: str
    make: Callable[[Path], Awaitable[None]]

    async def ready(self) -> Path:
        """Return the folder, made anew unless it matches the list.

        Raises: PeerMissingError when it cannot be made, for want of a registry above all.
        """
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        async with _alone(self.folder.with_suffix(".lock")):
            if not self._matches():
                shutil.rmtree(self.folder, ignore_errors=True)
                self.folder.mkdir()
                await self.make(self.folder)
                self._stamp.write_text(self._wanted, encoding="utf-8")
        return self.folder

    @property
    def _stamp(self) -> Path:
        return self.folder / "made-from"

    @property
    def _wanted(self) -> str:
        return f"{self.made_with}\n{self.versions.read_text(encoding='utf-8')}"

    def _matches(self) -> bool:
        return self._stamp.exists() and self._stamp.read_text(encoding="utf-8") == self._wanted


def base_folder() -> Path:
    """Return the folder that everything is installed below."""
    if given := os.environ.get(FOLDER_VARIABLE):
        return Path(given).absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "novel-tasks-peers"


async def python_environment() -> Path:
    """Return the folder of the virtual environment that has the Python peers. Raises: PeerMissingError."""
    return await Environment(base_folder() / "python", REQUIREMENTS, sys.version, _install_python).ready()


async def node_environment() -> Path:
    """Return the folder whose node_modules have the JavaScript peer and its Node. Raises: PeerMissingError."""
    return await Environment(base_folder() / "node", PACKAGE, "npm", _install_node).ready()


def interpreter(environment: Path) -> Path:
    """Return the Python of a virtual environment."""
    return environment / "bin" / "python"


def node(environment: Path) -> Path:
    """Return the Node of a folder with node_modules."""
    return environment / "node_modules" / ".bin" / "node"


async def _install_python(folder: Path) -> None:
    await install_python(folder, REQUIREMENTS)


async def install_python(folder: Path, requirements: Path) -> None:
    """Make a virtual environment with exactly what a file lists. Raises: PeerMissingError."""
    await said(sys.executable, "-m", "venv", str(folder))
    pip = (str(interpreter(folder)), "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--retries=2")
    await said(*pip, "--requirement", str(requirements))


async def _install_node(folder: Path) -> None:
    if (npm := shutil.which("npm")) is None:
        raise PeerMissingError("npm is not installed")
    shutil.copy(PACKAGE, folder)
    quickly = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000")
    quietly = ("--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", "--logs-max=0")
    await said(npm, "install", *quickly, *quietly, cwd=folder)
    version = await said(str(node(folder)), "--version")
    if int(version.lstrip("v").partition(".")[0]) < OLDEST_NODE:
        raise PeerMissingError(f"Node {version.strip()} is older than {OLDEST_NODE}")


async def said(*command: str, cwd: Path | None = None) -> str:
    """Run a program to its end and return what it printed.

    A cancellation kills it. Raises: PeerMissingError with its last words when it is missing, fails or takes
    too long.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as exc:
        raise PeerMissingError(f"{_named(command)} does not run: {exc.strerror}") from exc
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            output, words = await process.communicate()
    except TimeoutError:
        raise PeerMissingError(f"{_named(command)} took more than {_LONGEST_SECONDS:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise PeerMissingError(f"{_named(command)} failed: {last_words(words or output)}")
    return output.decode(errors="replace")


def _named(command: Sequence[str]) -> str:
    return " ".join((Path(command[0]).name, *command[1:3]))


def last_words(output: bytes) -> str:
    """Return the last lines of what a program printed, as one that is not long."""
    words = ""
    for line in reversed(output.decode(errors="replace").splitlines()):
        if words and len(line) + len(words) > _WORDS:
            break
        words = f"{line.strip()} {words}".strip()
    return words[-_WORDS:]


@asynccontextmanager
async def _alone(path: Path) -> AsyncIterator[None]:
    """Keep two runs from making one environment at the same time."""
    lock = FileLock(path)
    try:
        try:
            await lock.exclusive(timeout_seconds=_LONGEST_SECONDS)
        except TimeoutError:
            raise PeerMissingError(f"another run has been installing for {_LONGEST_SECONDS:g} s") from None
        yield
    finally:
        lock.release()
