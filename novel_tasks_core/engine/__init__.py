"""The facade: everything that a program does with tasks, and the composition root that builds it."""

from novel_tasks_core.engine.explaining import Explanation, Lease, Reason
from novel_tasks_core.engine.facade import StoredFile, TaskEngine
from novel_tasks_core.engine.tokens import ApiTokens

__all__ = ["ApiTokens", "Explanation", "Lease", "Reason", "StoredFile", "TaskEngine"]
