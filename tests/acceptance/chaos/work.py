"""The work of a chaos run: small processors of every kind, each of which tells its journal that it ran."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from novel_tasks_core import AttemptContext, ChildContext, EngineConfig, Processors, Retry, RetryPolicy, Snooze

from .journal import journal
from .plan import LEASE_SECONDS, POLL_SECONDS, SCAN_SECONDS

OFTEN = RetryPolicy(max_attempts=1000, base_seconds=0.05, max_seconds=0.2)
TWICE = RetryPolicy(max_attempts=2, base_seconds=0.05)
STEPS = 5

Result = dict[str, Any]


def ran(ctx: AttemptContext | ChildContext) -> None:
    """Have the one side effect that every attempt has: a line in the journal."""
    journal().write("ran", ctx.task_id.hex, ctx.attempt, ctx.resume_from)


async def noop(ctx: AttemptContext) -> Result:
    """Do nothing else."""
    ran(ctx)
    return {"attempt": ctx.attempt}


async def nap(ctx: AttemptContext) -> Result:
    """Take a while, as the options say."""
    ran(ctx)
    await ctx.log("sleeping")
    await asyncio.sleep(ctx.options.get("seconds", 0.1))
    return {"attempt": ctx.attempt}


async def steps(ctx: AttemptContext) -> Result:
    """Go on from the last step that was stored; store each."""
    ran(ctx)
    for step in range(ctx.resume_from or 0, STEPS):
        await asyncio.sleep(0.03)
        await ctx.progress(step + 1, total=STEPS, stage=f"step {step + 1}")
        await ctx.checkpoint(step + 1)
        journal().write("checkpointed", ctx.task_id.hex, ctx.attempt, step + 1)
        await ctx.log(f"step {step + 1} is done")
    return {"attempt": ctx.attempt}


async def artifacts(ctx: AttemptContext) -> Result:
    """Keep two files, one of which is like that of many other tasks."""
    ran(ctx)
    await ctx.save_artifact("own.txt", f"{ctx.task_id} {ctx.attempt}".encode())
    await ctx.save_artifact("shared.txt", str(ctx.task_id.int % 5).encode())
    return {"attempt": ctx.attempt}


async def flaky(ctx: AttemptContext) -> Result:
    """Succeed in every fourth attempt; before that fail, ask for another try, or sleep on it."""
    ran(ctx)
    match ctx.attempt % 4:
        case 1:
            raise ValueError("as wanted")
        case 2:
            raise Retry(after=0.05)
        case 3:
            raise Snooze(for_=0.05)
    return {"attempt": ctx.attempt}


async def doomed(ctx: AttemptContext) -> None:
    """Fail."""
    ran(ctx)
    raise ValueError("as always")


def child(ctx: ChildContext) -> Result:
    """Work in a child process: compute, checkpoint, keep a file."""
    ran(ctx)
    for step in range(ctx.resume_from or 0, STEPS):
        time.sleep(0.02)
        ctx.progress(step + 1, total=STEPS)
        ctx.checkpoint(step + 1)
        journal().write("checkpointed", ctx.task_id.hex, ctx.attempt, step + 1)
    ctx.save_artifact("own.txt", f"{ctx.task_id} {ctx.attempt}".encode())
    return {"attempt": ctx.attempt}


def processors() -> Processors:
    """The processors of all processes of a run."""
    known = Processors()
    for function in (noop, nap, steps, artifacts, flaky, child):
        known.register(function.__name__, function, retry=OFTEN, timeout_seconds=60)
    known.register("doomed", doomed, retry=TWICE)
    return known


def config(database_url: str, data_dir: Path) -> EngineConfig:
    """The settings of all processes: short leases, little patience."""
    return EngineConfig(
        database_url=database_url,
        data_dir=data_dir,
        pool_size=2,
        pool_overflow=4,
        connect_timeout_seconds=2.0,
        command_timeout_seconds=2.0,
        lease_ttl_seconds=LEASE_SECONDS,
        heartbeat_seconds=SCAN_SECONDS,
        poll_min_seconds=0.02,
        poll_max_seconds=POLL_SECONDS,
        slots=6,
        cancel_grace_seconds=1.0,
        shutdown_grace_seconds=10.0,
    )
