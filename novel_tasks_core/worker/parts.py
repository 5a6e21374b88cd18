"""What a worker is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import frozen

from novel_tasks_core.broadcast import Broadcast
from novel_tasks_core.clock import Clock
from novel_tasks_core.config import EngineConfig
from novel_tasks_core.models import TaskId
from novel_tasks_core.observers import Observer
from novel_tasks_core.processors.registry import Processors
from novel_tasks_core.storage.files import FileStore
from novel_tasks_core.storage.queue import Head, Queue
from novel_tasks_core.storage.workers import Workers


@frozen(kw_only=True)
class WorkerParts:
    """All that a worker uses and does not own; it is the engine's. `announce` tells workers and watchers everywhere."""

    config: EngineConfig
    clock: Clock
    processors: Processors
    queue: Queue
    workers: Workers
    files: FileStore
    broadcast: Broadcast
    announce: Callable[[Iterable[Head], Iterable[TaskId]], None]
    observer: Observer
    database_url: str
