"""The processor without code: an outside service does the work and reports on it."""

from __future__ import annotations

from novel_tasks_core.processors.base import Processor

PROCESSOR = Processor(
    name="external",
    function=None,
    description="Waits for an outside service to report progress and the result.",
)
"""Tasks of this processor are never claimed by a worker."""
