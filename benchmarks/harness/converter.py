"""The other converter from text to EPUB, in an environment of its own, made when it is first needed."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.harness.peers.environments import Environment, base_folder, install_python, interpreter, said

REQUIREMENTS = Path(__file__).parent / "peers" / "converter-requirements.txt"
PROGRAM = Path(__file__).parent / "peers" / "programs" / "converter.py"
_MEGABYTE = 1_000_000


async def converter_mb_s(novel: Path, size: int) -> float:
    """Return how many megabytes of a file of `size` bytes it converts in a second of CPU time.

    Raises: PeerMissingError when it cannot be installed, or fails.
    """
    environment = Environment(base_folder() / "converter", REQUIREMENTS, sys.version, _install)
    python = interpreter(await environment.ready())
    printed = await said(str(python), str(PROGRAM), str(novel), str(novel.with_suffix(".epub")))
    return size / _MEGABYTE / float(printed.split()[-1])


async def _install(folder: Path) -> None:
    await install_python(folder, REQUIREMENTS)
