"""`novel-tasks serve` with one thread for the disk, so that the system calls of an upload come one after the other.

And on asyncio's own loop: uvloop's is woken by a `write`, which is not meant to fail.
"""

from __future__ import annotations

import sys

from novel_tasks_core.storage import files
from novel_tasks_server.cli import main

if __name__ == "__main__":
    files._THREADS = 1
    sys.modules["uvloop"] = None  # type: ignore[assignment] # as if it were not installed
    sys.exit(main())
