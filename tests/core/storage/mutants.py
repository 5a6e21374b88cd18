"""Guards taken out on purpose: each names what it replaces, and fails when that is not there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from .meetings import Ring

RECORDED = {"finish": "from ended where outcome <> 'completed'", "postpone": "outcome, error from ended"}
"""Where ended attempts are recorded: once, which must not hide that another guard is missing."""

Sabotage = Callable[[Ring, pytest.MonkeyPatch], Awaitable[None]]


def without(query: str, guard: str, instead: str = "") -> Sabotage:
    """Take a guard out of a statement."""

    async def sabotage(ring: Ring, _: pytest.MonkeyPatch) -> None:
        ring.spoil(query, guard, instead)

    return sabotage


async def look_without_holding(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    """See where a task is without a lock, and believe that it is still there a moment later."""
    for query in ("hold_scheduled", "hold_ready", "hold_leases"):
        ring.spoil(query, "order by task_id for update", "order by task_id")


def unfenced(query: str) -> Sabotage:
    """End an attempt whether or not it is over already; nor does the record of attempts refuse a second end."""

    async def sabotage(ring: Ring, _: pytest.MonkeyPatch) -> None:
        ring.spoil(query, "t.attempt = d.attempt - 1 and", "")
        ring.spoil(query, RECORDED[query], f"{RECORDED[query]} on conflict do nothing")

    return sabotage


UNLOCKED = without("lock", "for no key update of t")
"""Changes that do not wait for each other."""
