"""The program `novel-tasks`: commands for people and for scripts.

Data goes to stdout and everything else to stderr. Exit codes are those of `console.ExitCode`; an
error is one clear line, never a traceback. Flags win over the environment, that over `.env`, that
over the defaults.
"""

from __future__ import annotations

from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Run the program on this process's arguments and exit with its code; Ctrl-C ends it even while it loads."""
    try:
        from novel_tasks_server.cli.main import main as run
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    run()
