"""`TaskEngine`: submit, run, follow, query and change tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

from attrs import frozen

from novel_tasks_core.clock import Clock
from novel_tasks_core.complaints import Complaint, FaultCode
from novel_tasks_core.config import EngineConfig
from novel_tasks_core.engine.changing import Changing, require_days, require_final
from novel_tasks_core.engine.checks import MAX_NAME_CHARACTERS
from novel_tasks_core.engine.explaining import Explaining
from novel_tasks_core.engine.operating import Operating
from novel_tasks_core.engine.parts import EngineParts, open_database, open_parts
from novel_tasks_core.engine.tokens import ApiTokens
from novel_tasks_core.errors import (
    InvalidFilterError,
    InvalidInputError,
    SourceNotFoundError,
    TaskFailedError,
    TaskNotFoundError,
)
from novel_tasks_core.events import Changes, Event, StoredEvent
from novel_tasks_core.models import (
    FINAL_STATUSES,
    Artifact,
    Attempt,
    LogEntry,
    LogLevel,
    NewTask,
    OnDuplicate,
    Page,
    QueueStatus,
    ReleaseKey,
    Source,
    Statistics,
    Task,
    TaskFilter,
    TaskId,
    TaskStatus,
    TaskSummary,
    WorkerInfo,
)
from novel_tasks_core.observers import Observer
from novel_tasks_core.processors.registry import Processors
from novel_tasks_core.storage.listing import Criteria, Listing
from novel_tasks_core.storage.migrator import Migration, load_migrations, migrate, pending_migrations
from novel_tasks_core.storage.tokens import Tokens
from novel_tasks_core.worker import Worker

_LOG_ORDER = (LogLevel.DEBUG, LogLevel.INFO, LogLevel.WARNING, LogLevel.ERROR)
MAX_EVENTS = 10_000


@frozen(kw_only=True)
class StoredFile:
    """An artifact and where its bytes are: to be read only, and gone once its task is pruned or deleted."""

    artifact: Artifact
    path: Path


class TaskEngine(Changing, Explaining, Operating):
    """The engine of one process. Made by `open`; every method may be called from any asyncio task of its loop.

    Methods raise DatabaseUnavailableError when the database cannot be reached in time, and
    TaskNotFoundError for an unknown task. Cancelling a call leaves nothing half done; a write that was
    on its way may have been committed.
    """

    def __init__(self, parts: EngineParts) -> None:
        self._parts = parts
        self._tokens = ApiTokens(Tokens(parts.database))

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        config: EngineConfig,
        *,
        processors: Processors | None = None,
        observers: Iterable[Observer] = (),
        clock: Clock | None = None,
        migrate: bool = True,
    ) -> AsyncIterator[TaskEngine]:
        """Start the engine: its database (a private one unless the config names one), schema, files and services.

        Leaving the block closes everything in reverse. `processors` defaults to the built-in ones.

        Raises: DatabaseUnavailableError, EmbeddedServerError, SchemaError, FileStoreError.
        """
        async with open_parts(
            config, processors=processors, observers=observers, clock=clock, migrate_schema=migrate
        ) as parts:
            yield cls(parts)

    @staticmethod
    async def migrate(config: EngineConfig, *, dry_run: bool = False) -> tuple[Migration, ...]:
        """Bring the schema of the config's database up to date, and return what was applied, oldest first.

        With `dry_run` nothing changes, and what would be applied is returned. `open` migrates by itself unless
        it is told not to. Several at once wait for each other; each migration is applied once, or not at all.

        Raises: DatabaseUnavailableError, EmbeddedServerError, SchemaError.
        """
        async with open_database(config) as database:
            return tuple(await (pending_migrations(database) if dry_run else migrate(database)))

    @staticmethod
    def migrations() -> tuple[Migration, ...]:
        """Return all migrations that this version knows, oldest first; touches no database."""
        return load_migrations()

    @property
    def config(self) -> EngineConfig:
        """The settings."""
        return self._parts.config

    @property
    def processors(self) -> Processors:
        """The processors that this engine knows."""
        return self._parts.processors

    @property
    def clock(self) -> Clock:
        """The clock by which this engine says what time it is."""
        return self._parts.clock

    @property
    def tokens(self) -> ApiTokens:
        """The tokens by which callers of a server prove who they are."""
        return self._tokens

    # -- running ----------------------------------------------------------------------------------------------

    def worker(
        self, *, concurrency: int | None = None, processors: Iterable[str] | None = None, name: str = ""
    ) -> AbstractAsyncContextManager[Worker]:
        """Run a worker for the length of the block.

        It runs up to `concurrency` attempts at once (default: the config's `slots`) of the named
        processors (default: all that have code). Leaving the block drains it: what has not finished within
        `shutdown_grace_seconds` is cancelled and handed back.
        """
        return self._parts.running_worker(concurrency=concurrency, processors=processors, name=name)

    # -- storing and submitting -------------------------------------------------------------------------------

    async def store(self, data: AsyncIterable[bytes] | bytes | Path, *, name: str) -> Source:
        """Store an original durably and return what to submit it by. Identical bytes are kept once.

        If `data` raises, nothing remains; nor if the call is cancelled, unless that comes while it is being
        committed. A source that no task refers to is swept after an hour.

        Raises: FileStoreError; whatever `data` raises.
        """
        files = self._parts.files
        staged = await files.stage(data)
        try:
            await files.commit(staged)
        except BaseException:
            await files.discard(staged)
            raise
        return Source(staged.sha256, staged.size, name)

    async def submit(
        self,
        source: Source | Path | str | None = None,
        *,
        processor: str,
        options: Mapping[str, Any] | None = None,
        priority: int = 0,
        run_at: datetime | None = None,
        max_attempts: int | None = None,
        timeout_seconds: float | None = None,
        owner: str = "",
        key: str | None = None,
        on_duplicate: OnDuplicate = OnDuplicate.RETURN,
        release_at: ReleaseKey = ReleaseKey.FINISH,
        extra_data: Mapping[str, Any] | None = None,
        session_id: str | None = None,
        note: str | None = None,
        connection: Any = None,
    ) -> Task:
        """Queue a task and return it; it is durable then.

        The parameters are those of `NewTask`, with the limits it states: `options` and `extra_data` are JSON
        objects of up to 65,536 bytes each. A path is stored first. `Task.duplicate` is true if a live task with
        the same key was returned instead.

        With `connection`, an asyncpg connection to the same database, the task is part of the caller's transaction
        and durable once that commits: a rollback, also one to a savepoint, leaves nothing of it. An error leaves
        the transaction as it was. Workers are told at once, but find nothing before the commit; they look again
        within `poll_max_seconds` after it. A replaced duplicate, its watchers and its worker hear of it at
        their next look too. Until the transaction ends, submits of the same key elsewhere wait for it.

        Raises: InvalidInputError and its kind, DuplicateTaskError, SourceNotFoundError, FileStoreError.
        """
        if isinstance(source, str | Path):
            source = await self._store_path(Path(source))
        new = NewTask(
            processor=processor,
            source=source,
            options={} if options is None else options,
            priority=priority,
            run_at=run_at,
            max_attempts=max_attempts,
            timeout_seconds=timeout_seconds,
            owner=owner,
            key=key,
            on_duplicate=on_duplicate,
            release_at=release_at,
            extra_data={} if extra_data is None else extra_data,
            session_id=session_id,
            note=note,
        )
        self._parts.schema.require()
        return await self._parts.submitting.submit(new, connection=connection)

    async def _store_path(self, path: Path) -> Source:
        if not await asyncio.to_thread(path.is_file):
            raise InvalidInputError("source", f"there is no file {path}")
        return await self.store(path, name=path.name)

    async def submit_many(self, tasks: Iterable[NewTask], *, connection: Any = None) -> list[TaskId]:
        """Queue many tasks, a thousand to a statement, and return their ids in order.

        All are checked before the first is stored. Keys work as in single submits one after the other; for a
        duplicate that is returned, its id is. A call with keys is one transaction: a duplicate that is rejected
        leaves nothing stored. Without keys, those before are stored if the database fails midway. With
        `connection`, all is part of the caller's transaction, as in `submit`.

        Raises: InvalidInputError, whose field names the task (`tasks.3.priority`), DuplicateTaskError,
        SourceNotFoundError.
        """
        self._parts.schema.require()
        return await self._parts.submitting.submit_many(tasks, connection=connection)

    async def import_tasks(self, tasks: Iterable[NewTask] | AsyncIterable[NewTask], *, connection: Any = None) -> int:
        """Queue any number of tasks by COPY, in one transaction, and return how many.

        `tasks` is read as it goes, a few thousand at a time, so that millions need no more memory. They become
        ready in their order once all are stored; workers are told then. Keys are for `submit_many`. With
        `connection` it is part of the caller's transaction, as in `submit`. A long import holds back vacuum, as
        any long transaction does.

        Raises: InvalidInputError, whose field names the task (`tasks.3.key`), SourceNotFoundError, whatever
        `tasks` raises. Nothing is stored then, nor when the call is cancelled.
        """
        self._parts.schema.require()
        return await self._parts.submitting.import_tasks(tasks, connection=connection)

    # -- reading ----------------------------------------------------------------------------------------------

    async def get(self, task_id: TaskId) -> Task:
        """Return a task as it stands. Raises: TaskNotFoundError."""
        return await self._parts.tasks.get(task_id)

    async def owner_of(self, task_id: TaskId) -> str:
        """Return whose task it is, which never changes; costs less than `get`. Raises: TaskNotFoundError."""
        return await self._parts.tasks.owner(task_id)

    async def find(
        self,
        filter: TaskFilter | None = None,
        *,
        sort: str = "created_at",
        order: str = "desc",
        limit: int = 20,
        cursor: str | None = None,
        offset: int | None = None,
    ) -> Page[TaskSummary]:
        """Return a page of the tasks that match, newest first unless told otherwise.

        `sort` is created_at, file_name, status or priority; `order` asc or desc. By created_at a list of any
        length can be paged through: go on from a page by its `next_cursor`, with the same filter and order, or
        by an `offset` up to 10,000. The other sorts work while at most 10,000 tasks match. `limit` is at most 1,000.

        Raises: InvalidFilterError.
        """
        if order not in ("asc", "desc"):
            raise InvalidFilterError("order", Complaint(f"must be asc or desc, not {order!r}", FaultCode.CHOICE))
        listing = Listing(sort=sort, descending=order == "desc", limit=limit, cursor=cursor, offset=offset)
        return await self._parts.lists.find(filter or TaskFilter(), listing)

    @staticmethod
    def matcher(filter: TaskFilter) -> Callable[[TaskSummary], bool]:
        """Return what says whether a task that is at hand is one of those that `find` would find.

        For readers of `changes`, say. Case is that of Python, which differs from the database's for few letters.

        Raises: InvalidFilterError.
        """
        return Criteria.of(filter).matches

    async def count(self, filter: TaskFilter | None = None) -> int:
        """Return how many tasks match: exact by owner, processor and status, else counted up to 10,001."""
        return await self._parts.lists.count(filter or TaskFilter())

    async def watch(self, task_id: TaskId, *, after: int = 0) -> AsyncGenerator[Event, None]:
        """Follow a task: first the stored events with a seq above `after`, then live ones and progress.

        Ends after the event that finishes the task, or TaskDeleted. A watcher that comes back with its last
        seq misses no stored event.

        Raises: TaskNotFoundError.
        """
        async for event in self._parts.watching.watch(task_id, after=after):
            yield event

    async def changes(self) -> AsyncGenerator[Changes, None]:
        """Follow all tasks of all processes, live, until the caller stops; it never ends by itself.

        The first batch comes as soon as nothing is missed any more and says `resync`: whoever loads its lists then,
        and applies what follows, is up to date. Further batches come at most about 14 times a second, with
        what is new since the one before: see `Changes`. What happens in this process is told within about 100 ms,
        and what others do as soon as they ring; what nobody rings for (tasks of a caller's transaction, imports,
        retention in another process) is found every 2 s. `resync` comes again when something may have been missed:
        after the database was away, when more than 1,000 tasks changed at once, or another process cannot name all
        (then at most once a second), and when the caller was so slow that more than 1,000 wait for it.

        Any number may follow; they share one look at the database. While nobody does there is none.

        Raises: EngineClosedError once the engine is closed. A database that is away is waited for.
        """
        with self._parts.feeding.reading() as reader:
            while True:
                yield await reader.take()

    async def events(
        self, task_id: TaskId, *, after: int = 0, limit: int = 1000, logs: bool = True
    ) -> list[StoredEvent]:
        """Return up to `limit` (at most 10,000) stored events with a seq above `after`, in order.

        Without `logs` they are those that tell of its life, however much has been logged between them.
        """
        events = await self._parts.events.after(task_id, after, limit=_bounded(limit), logs=logs)
        if not events:
            await self._require(task_id)
        return events

    async def logs(
        self, task_id: TaskId, *, level: LogLevel | None = None, after: int = 0, limit: int = 1000
    ) -> list[LogEntry]:
        """Return up to `limit` (at most 10,000) log entries of at least `level` with a seq above `after`, in order."""
        levels = _LOG_ORDER if level is None else _LOG_ORDER[_LOG_ORDER.index(level) :]
        entries = await self._parts.events.logs(task_id, after, levels=levels, limit=_bounded(limit))
        if not entries:
            await self._require(task_id)
        return entries

    async def attempts(self, task_id: TaskId) -> list[Attempt]:
        """Return the finished attempts of a task, first to last."""
        await self._require(task_id)
        return await self._parts.tasks.attempts(task_id)

    async def artifacts(self, task_id: TaskId) -> list[Artifact]:
        """Return the artifacts of the result that is shown, by name; none before there is one."""
        await self._require(task_id)
        return await self._parts.tasks.artifacts(task_id)

    async def open_artifact(self, task_id: TaskId, name: str) -> StoredFile:
        """Return where the bytes of an artifact are. Raises: ArtifactNotFoundError."""
        await self._require(task_id)
        artifact = await self._parts.tasks.artifact(task_id, name)
        return StoredFile(artifact=artifact, path=self._parts.files.path_of(artifact.sha256))

    async def open_source(self, task_id: TaskId) -> tuple[Source, Path]:
        """Return the source of a task and where its bytes are. Raises: SourceNotFoundError for a task without one."""
        task = await self.get(task_id)
        if task.source is None:
            raise SourceNotFoundError("of a task that has no source")
        return task.source, self._parts.files.path_of(task.source.sha256)

    async def artifact_source(self, task_id: TaskId, name: str) -> Source:
        """Return an artifact of a task as a source, to be submitted to another processor.

        It is called as the task's own source, so that the title is still to be seen, with the artifact's
        extension; Markdown keeps ".md", by which processors know it.

        Raises: TaskNotFoundError, ArtifactNotFoundError.
        """
        task = await self.get(task_id)
        artifact = await self._parts.tasks.artifact(task_id, name)
        stem = PurePath(task.source.name).stem if task.source is not None else ""
        extension = ".md" if artifact.content_type.startswith("text/markdown") else PurePath(name).suffix
        called = f"{stem[: MAX_NAME_CHARACTERS - len(extension)]}{extension}" if stem else name
        return Source(artifact.sha256, artifact.size, called)

    async def result(self, task_id: TaskId) -> Any:
        """Wait until a task is finished and return what its processor returned.

        Raises: TaskFailedError when it failed or was cancelled, TaskNotFoundError when it was deleted.
        """
        task = await self.get(task_id)
        while not task.status.is_final:
            async for _ in self.watch(task_id, after=task.last_seq):
                pass
            task = await self.get(task_id)
        if task.status is not TaskStatus.COMPLETED:
            raise TaskFailedError(task_id, task.status.value, task.error.message if task.error else "")
        return task.result

    async def _require(self, task_id: TaskId) -> None:
        if not await self._parts.events.states([task_id]):
            raise TaskNotFoundError(task_id)

    # -- operating --------------------------------------------------------------------------------------------

    async def statistics(self, *, owner: str | None = None) -> Statistics:
        """Return the counts of an owner's tasks, or of all."""
        return await self._parts.lists.statistics(owner)

    async def queue_status(self) -> list[QueueStatus]:
        """Return every lane with its counts."""
        return await self._parts.lists.queue_status()

    async def workers(self) -> list[WorkerInfo]:
        """Return every registered worker of all processes."""
        return await self._parts.workers.list()

    async def pause(self, processor: str) -> None:
        """Stop claiming tasks of a processor, everywhere; what runs goes on. Raises: UnknownProcessorError."""
        await self._parts.pause(processor)

    async def resume(self, processor: str) -> None:
        """Undo `pause`, also for a processor that only has tasks left here. Raises: UnknownProcessorError."""
        await self._parts.resume(processor)

    async def outgrown(self) -> None:
        """Wait until somebody migrates the schema beyond what this program can work with; then raise why.

        The workers of this process have stopped claiming then, what they run may finish, and submits are
        refused: end the process and start a newer version. It is noticed within `heartbeat_seconds`.

        Raises: SchemaError.
        """
        await self._parts.schema.wait()

    async def prune(
        self,
        *,
        older_than_days: float | None = None,
        statuses: Collection[TaskStatus] | None = None,
        dry_run: bool = False,
    ) -> int:
        """Delete tasks that finished longer ago than the retention of the config, and return how many.

        `older_than_days` (0..36,500) takes the place of the retention, for all final statuses or those in
        `statuses`. With `dry_run` they are only counted. A call that is cancelled has deleted a part.

        Raises: InvalidInputError.
        """
        if older_than_days is not None:
            require_days("older_than_days", older_than_days)
        chosen = FINAL_STATUSES if statuses is None else require_final("statuses", statuses)
        return await self._parts.maintenance.prune(older_than_days=older_than_days, statuses=chosen, dry_run=dry_run)


def _bounded(limit: Any) -> int:
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MAX_EVENTS:
        said = f"must be a whole number between 1 and {MAX_EVENTS:,}, not {limit!r}"
        raise InvalidInputError("limit", Complaint(said, FaultCode.RANGE, low=1, high=MAX_EVENTS))
    return limit
