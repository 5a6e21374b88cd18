"""Plain `def` processors for the tests of the engine: a child process imports them from here."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from attrs import frozen

from novel_tasks_core import ChildContext


def tell_pid(ctx: ChildContext) -> int:
    """Return the process that ran this."""
    return os.getpid()


def sleep_for_ever(ctx: ChildContext) -> None:
    """Show the own process id as the stage, then never return, whoever asks."""
    ctx.progress(0.5, stage=str(os.getpid()))
    while True:
        try:
            time.sleep(60)
        except BaseException:
            continue


def die(ctx: ChildContext) -> None:
    """Leave without a word."""
    os._exit(7)


def use_everything(ctx: ChildContext) -> dict[str, Any]:
    """Report, log, store an artifact and checkpoints, and return what was read."""
    ctx.progress(1, total=2, stage="half")
    ctx.log("reading")
    text = ctx.read_source().decode()
    ctx.save_artifact("copy.txt", text.encode())
    ctx.checkpoint({"read": len(text)})
    return {"text": text, "resume_from": ctx.resume_from, "options": dict(ctx.options), "extra": dict(ctx.extra_data)}


def wait_for_file(ctx: ChildContext) -> str:
    """Checkpoint once, then wait until a file exists; say from where it went on."""
    if ctx.resume_from is not None:
        return f"resumed from {ctx.resume_from}"
    ctx.checkpoint("chapter 3")
    ctx.progress(0.3, stage=str(os.getpid()))
    while not Path(ctx.options["file"]).exists():
        time.sleep(0.01)
    return "from the start"


@frozen(kw_only=True)
class Options:
    """What `measured` may be told."""

    width: int = 60
    title: str = "untitled"


def measured(ctx: ChildContext, options: Options) -> dict[str, Any]:
    """Return the options as they arrived."""
    return {"width": options.width, "title": options.title}
