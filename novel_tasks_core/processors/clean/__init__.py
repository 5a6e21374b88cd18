"""The processor `clean`: a novel without junk, odd characters and broken lines, and a log of what was changed."""

from novel_tasks_core.processors.clean.processor import PROCESSOR

__all__ = ["PROCESSOR"]
