"""What health tells."""

from __future__ import annotations

from novel_tasks_core import Health


def test_health_needs_every_part() -> None:
    """One part that fails makes the whole unhealthy."""
    assert Health(database=True, storage=True).healthy
    assert not Health(database=True, storage=False).healthy
