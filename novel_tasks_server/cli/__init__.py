"""The program `novel-tasks`: commands for people and for scripts.

Data goes to stdout and everything else to stderr. Exit codes are those of `console.ExitCode`; an
error is one clear line, never a traceback. Flags win over the environment, that over `.env`, that
over the defaults.
"""

from __future__ import annotations

from novel_tasks_server.cli.main import main, run

__all__ = ["main", "run"]
