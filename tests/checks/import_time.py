"""Check that `import novel_tasks_core` is quick, and that none of its names drags in anything of the server."""

# ruff: noqa: T201 - a script: it talks
from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

LIMIT_SECONDS = 0.120
ROUNDS = 11
FOREIGN = (
    "novel_tasks_server",
    "aiohttp",
    "structlog",
    "prometheus_client",
    "prometheus_async",
    "click",
    "rich",
    "msgspec",
    "dotenv",
    "markdown_it",
)


def seconds(code: str) -> float:
    """Return how long a new Python takes to run `code`."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


def loaded_modules() -> set[str]:
    """Return the top-level modules that are loaded once every public name of the core has been used."""
    names = "[getattr(novel_tasks_core, name) for name in novel_tasks_core.__all__]"
    code = f"import json, sys, novel_tasks_core; {names}; print(json.dumps(sorted(sys.modules)))"
    listed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return {name.partition(".")[0] for name in json.loads(listed)}


def main() -> int:
    """Measure bare starts and imports in turn; compare their medians."""
    seconds("import novel_tasks_core")  # writes the byte code, as an installation does
    bare, imported = zip(*((seconds("pass"), seconds("import novel_tasks_core")) for _ in range(ROUNDS)), strict=True)
    taken = statistics.median(imported) - statistics.median(bare)
    foreign = sorted(loaded_modules().intersection(FOREIGN))
    print(
        f"import novel_tasks_core: {taken * 1000:.0f} ms beyond Python's own start (limit {LIMIT_SECONDS * 1000:.0f})"
    )
    if foreign:
        print(f"the core must not load {', '.join(foreign)}", file=sys.stderr)
    return 0 if taken < LIMIT_SECONDS and not foreign else 1


if __name__ == "__main__":
    sys.exit(main())
