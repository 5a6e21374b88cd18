"""Run the Python of a documentation page as one session, like that of `python -m asyncio`: `page.py PAGE`."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import sys
from pathlib import Path
from types import CodeType
from typing import Any

_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[CodeType]:
    """Return the compiled blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        padding = "\n" * text.count("\n", 0, match.start(1))  # so that a traceback names the line of the page
        found.append(compile(padding + match[1], str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT))
    return found


async def run(page: Path) -> int:
    """Run the blocks in order; returns how many were run."""
    names: dict[str, Any] = {"__name__": "page"}
    codes = blocks(page)
    for code in codes:
        value = eval(code, names)
        if inspect.isawaitable(value):
            await value
    return len(codes)


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(run(Path(sys.argv[1])))} blocks\n")
