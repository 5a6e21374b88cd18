"""Run the Python of a documentation page as one session, like that of `python -m asyncio`: `page.py PAGE`.

What stands under `<!-- file: NAME -->` is not run but written to that file in the working directory, from
which the rest may import it.
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

_BLOCK = re.compile(r"(?<! -->\n)^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)


def files(page: Path) -> dict[str, str]:
    """Return the files that a page shows, by name."""
    return dict(_FILE.findall(page.read_text(encoding="utf-8")))


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
    for name, text in files(page).items():
        Path(name).write_text(text, encoding="utf-8")
    codes = blocks(page)
    for code in codes:
        value = eval(code, names)
        if inspect.isawaitable(value):
            await value
    return len(codes)


if __name__ == "__main__":
    sys.path.insert(0, "")
    sys.stdout.write(f"{asyncio.run(run(Path(sys.argv[1])))} blocks\n")
