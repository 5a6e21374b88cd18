"""`novel-tasks serve` with its guard taken out: an upload is acknowledged before its file has its name."""

from __future__ import annotations

import asyncio
import sys

from novel_tasks_core.storage.files import LocalFiles
from novel_tasks_core.storage.staging import StagedFile
from novel_tasks_server.cli import main

LATE_SECONDS = 60.0
"""Longer than it takes until the server is killed, however busy the machine."""

_commit = LocalFiles.commit
_later: set[asyncio.Task[None]] = set()


async def _commit_later(self: LocalFiles, *staged: StagedFile) -> None:
    async def commit() -> None:
        await asyncio.sleep(LATE_SECONDS)
        await _commit(self, *staged)

    task = asyncio.create_task(commit())
    _later.add(task)
    task.add_done_callback(_later.discard)


if __name__ == "__main__":
    LocalFiles.commit = _commit_later  # type: ignore[method-assign]
    sys.exit(main())
