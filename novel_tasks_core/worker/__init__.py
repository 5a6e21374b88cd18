"""The worker: claims tasks, runs their attempts in slots, commits what they end with, renews its leases."""

from novel_tasks_core.worker.parts import WorkerParts
from novel_tasks_core.worker.worker import Worker

__all__ = ["Worker", "WorkerParts"]
