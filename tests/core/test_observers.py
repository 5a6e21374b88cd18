"""Observers: all hear everything, and one that fails disturbs nobody."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from novel_tasks_core.models import OutcomeKind, new_task_id
from novel_tasks_core.observers import Observer, Observers

HOOKS = sorted(name for name, hook in vars(Observer).items() if inspect.isfunction(hook))
TOLD: dict[str, Any] = {
    "processor": "split",
    "tasks": 3,
    "seconds": 0.5,
    "task_id": new_task_id(),
    "attempt": 2,
    "outcome": OutcomeKind.COMPLETED,
    "events": 4,
    "used": 1,
    "total": 2,
    "files": 5,
    "heard": True,
    "oldest_transaction_seconds": 1.5,
    "dead_rows": {"tasks": 7},
}


def arguments(hook: str) -> dict[str, Any]:
    """Return what a hook is told."""
    names = [name for name in inspect.signature(getattr(Observer, hook)).parameters if name != "self"]
    return {name: TOLD[name] for name in names}


class Recording(Observer):
    """Remembers every call."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []

    def __getattribute__(self, name: str) -> Any:
        if name in HOOKS:
            return lambda **told: self.heard.append((name, told))
        return super().__getattribute__(name)


class Failing(Observer):
    """Fails at everything."""

    def __getattribute__(self, name: str) -> Any:
        if name in HOOKS:
            raise ValueError("as wanted")
        return super().__getattribute__(name)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_member_hears_every_hook(hook: str, caplog: pytest.LogCaptureFixture) -> None:
    """With what was told, before and after a member that raises, whose fault is logged with its name."""
    first, last = Recording(), Recording()
    getattr(Observers([first, Failing(), last]), hook)(**arguments(hook))
    assert first.heard == last.heard == [(hook, arguments(hook))]
    [record] = caplog.records
    assert (record.getMessage(), record.__dict__["observer"]) == ("observer_failed", "Failing")


@pytest.mark.parametrize("hook", HOOKS)
def test_an_observer_may_leave_hooks_out(hook: str) -> None:
    """Those of the base class do nothing."""
    getattr(Observer(), hook)(**arguments(hook))


def test_every_hook_stands_in_the_table() -> None:
    """The module's docstring lists them all."""
    import novel_tasks_core.observers as module

    assert all(f"\n{hook} " in (module.__doc__ or "") for hook in HOOKS)
