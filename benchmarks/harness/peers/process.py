"""The program of a peer as a process: one JSON object a line to it, one back. See `programs.conversation`."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.harness.peers.environments import last_words

_ROOT = Path(__file__).resolve().parents[3]
_LONGEST_SECONDS = 600.0
_STOP_SECONDS = 20.0
_MOST_BYTES = 1 << 24


class PeerError(Exception):
    """A peer's program failed, or did not do what it must; says what."""


class Conversation:
    """A program that runs and answers. Made by `program`."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    async def ask(self, **told: Any) -> Mapping[str, Any]:
        """Tell the program something and return its answer.

        Raises: PeerError when it ends, stays silent for minutes, or answers with anything but an object.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(told).encode() + b"\n")
            async with asyncio.timeout(_LONGEST_SECONDS):
                await self._process.stdin.drain()
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise PeerError(f"gave no answer to {told.get('do', 'the opening')} in {_LONGEST_SECONDS:g} s") from None
        except ConnectionError:
            line = b""
        if not line:
            raise PeerError(f"ended: {last_words(self._log.read_bytes())}")
        return answer_in(line)

    async def end(self) -> None:
        """End the program, which it does by itself when it is told nothing more; kill it after a while."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._process.wait()
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()


def answer_in(line: bytes) -> Mapping[str, Any]:
    """Read an answer. Raises: PeerError unless it is one JSON object."""
    try:
        answer = json.loads(line)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise PeerError(f"said {last_words(line)!r} where a JSON object must be")
    return answer


@asynccontextmanager
async def program(command: Sequence[str], *, log: Path) -> AsyncIterator[Conversation]:
    """Run a program for the length of the block; what it complains of goes to `log`."""
    with log.open("wb") as complaints:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            cwd=log.parent,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
            limit=_MOST_BYTES,
        )
    conversation = Conversation(process, log)
    try:
        yield conversation
    finally:
        await conversation.end()
