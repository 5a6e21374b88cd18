"""Run the Python of a documentation page as one session, like that of `python -m asyncio`: `page.py PAGE`.

A block after `<!-- needs: NAME -->` is only compiled where `TaskEngine` has no NAME.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import sys
from pathlib import Path
from types import CodeType
from typing import Any

from novel_tasks_core import TaskEngine

_BLOCK = re.compile(r"^(?:<!-- needs: (\w+) -->\n)?```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[CodeType, bool]]:
    """Return the compiled blocks of a page, each with whether it can run."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        padding = "\n" * text.count("\n", 0, match.start(2))  # so that a traceback names the line of the page
        code = compile(padding + match[2], str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        found.append((code, match[1] is None or hasattr(TaskEngine, match[1])))
    return found


async def run(page: Path) -> int:
    """Run the blocks in order; returns how many were run."""
    names: dict[str, Any] = {"__name__": "page"}
    ran = 0
    for code, can_run in blocks(page):
        if can_run:
            value = eval(code, names)
            if inspect.isawaitable(value):
                await value
            ran += 1
    return ran


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(run(Path(sys.argv[1])))} blocks\n")
