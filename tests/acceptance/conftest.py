"""What the acceptance tests share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may pass through: tests run as root give their database to another one."""
    with tempfile.TemporaryDirectory(prefix="novel-tasks-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
