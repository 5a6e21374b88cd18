"""The composition root: builds what an engine is made of, and owns it.

One AsyncExitStack closes everything in reverse: workers, services, doorbell, links, pool, files, and
last the private PostgreSQL.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

from attrs import define, field

from novel_tasks_core.broadcast import Broadcast
from novel_tasks_core.clock import Clock, SystemClock
from novel_tasks_core.config import EngineConfig
from novel_tasks_core.engine.feeding import Feeding
from novel_tasks_core.engine.submitting import Submitting, SubmittingParts
from novel_tasks_core.engine.watching import Watching
from novel_tasks_core.execution.services import Services
from novel_tasks_core.health import Condition, ConditionCode
from novel_tasks_core.maintenance import Maintenance, MaintenanceParts
from novel_tasks_core.models import TaskId
from novel_tasks_core.observers import Observer, Observers
from novel_tasks_core.processors.registry import Processors
from novel_tasks_core.storage.bulk import Bulk
from novel_tasks_core.storage.changes import Change, Changes
from novel_tasks_core.storage.database import Database, Link
from novel_tasks_core.storage.doorbell import Doorbell, Ring
from novel_tasks_core.storage.events import Events
from novel_tasks_core.storage.feed import Feed
from novel_tasks_core.storage.files import LocalFiles
from novel_tasks_core.storage.flow import Flow
from novel_tasks_core.storage.housekeeping import Housekeeping
from novel_tasks_core.storage.imports import Importer
from novel_tasks_core.storage.keys import Keys
from novel_tasks_core.storage.lists import Lists
from novel_tasks_core.storage.migrator import SchemaWatch, check_schema, migrate
from novel_tasks_core.storage.operating import CapacityWatch, Standings
from novel_tasks_core.storage.pressure import PressureWatch
from novel_tasks_core.storage.queue import Head, Queue
from novel_tasks_core.storage.registered import RegisteredFiles
from novel_tasks_core.storage.room import RoomWatch
from novel_tasks_core.storage.submits import Submitter
from novel_tasks_core.storage.tasks import Tasks
from novel_tasks_core.storage.transitions import Transitions
from novel_tasks_core.storage.workers import Workers
from novel_tasks_core.worker import Worker, WorkerParts

_UNHEARD = Condition(
    code=ConditionCode.DOORBELL_UNHEARD, text="doorbell: not heard, tasks of other processes are found by polling"
)


@define(kw_only=True, eq=False)
class EngineParts:
    """Everything an engine uses, open."""

    config: EngineConfig
    clock: Clock
    processors: Processors
    observer: Observer
    database: Database
    files: RegisteredFiles
    queue: Queue
    tasks: Tasks
    lists: Lists
    events: Events
    transitions: Transitions
    bulk: Bulk
    workers: Workers
    housekeeping: Housekeeping
    broadcast: Broadcast
    submitter: Submitter
    services: Services
    doorbell: Doorbell
    chores: Queue
    schema: SchemaWatch
    pressure: PressureWatch
    capacity: CapacityWatch
    room: RoomWatch
    standings: Standings
    flow: Flow
    submitting: Submitting = field(init=False)
    watching: Watching = field(init=False)
    feeding: Feeding = field(init=False)
    maintenance: Maintenance = field(init=False)
    local_workers: set[Worker] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        """Put those together that are made of the others."""
        self.submitting = self._make_submitting()
        self.watching = Watching(events=self.events, broadcast=self.broadcast, clock=self.clock)
        self.feeding = Feeding(
            feed=Feed(self.database),
            news=self.broadcast.news,
            services=self.services,
            clock=self.clock,
            hears=lambda: self.doorbell.heard,
        )
        self.maintenance = self._make_maintenance()

    def _make_submitting(self) -> Submitting:
        return Submitting(
            SubmittingParts(
                submitter=self.submitter,
                importer=Importer(self.database, clock=self.clock, submitter=self.submitter),
                keys=Keys(self.database, tasks=self.tasks, transitions=self.transitions, submitter=self.submitter),
                queue=self.queue,
                processors=self.processors,
                clock=self.clock,
                observer=self.observer,
                announce=self.announce_stored,
                announce_change=self.announce_change,
            )
        )

    def _make_maintenance(self) -> Maintenance:
        return Maintenance(
            MaintenanceParts(
                config=self.config,
                clock=self.clock,
                processors=self.processors,
                queue=self.chores,
                workers=self.workers,
                housekeeping=self.housekeeping,
                pressure=self.pressure,
                capacity=self.capacity,
                schema=self.schema,
                bulk=self.bulk,
                files=self.files,
                broadcast=self.broadcast,
                observer=self.observer,
                announce=self.announce,
            )
        )

    def heard(self, ring: Ring) -> None:
        """Pass a ring of another process on to the workers and watchers of this one."""
        heads = [Head(lane, priority, position) for (lane, priority), position in ring.heads.items()]
        for worker in self.local_workers:
            worker.wake(heads)
            if ring.lanes:
                worker.look()
            if worker.id in ring.workers:
                self._check_flags(worker)
        self.broadcast.poke(ring.tasks)
        if ring.heads:
            self.broadcast.news.arrived()  # a submit rings no more than where its tasks are
        if ring.tasks is None or ring.tasks:
            self.broadcast.news.changed(ring.tasks)

    def announce(self, heads: Iterable[Head], task_ids: Iterable[TaskId]) -> None:
        """Tell workers here and everywhere of ready tasks, and other processes of tasks that have news."""
        heads = tuple(heads)
        if heads:
            for worker in self.local_workers:
                worker.wake(heads)
            self.doorbell.press().add_heads(heads)
        task_ids = tuple(task_ids)
        if task_ids:
            self.doorbell.press().add_tasks(task_ids)
            if self.broadcast.news.wanted:
                self.broadcast.news.changed(task_ids)

    def announce_stored(self, heads: Iterable[Head]) -> None:
        """Tell of new tasks: workers of those that are ready, and those who follow all tasks of all."""
        self.announce(heads, ())
        if self.broadcast.news.wanted:
            self.broadcast.news.arrived()

    def announce_change(self, change: Change) -> None:
        """Tell everybody whom a change concerns."""
        self.broadcast.publish(change.events)
        self.announce(change.heads, {event.task_id for event in change.events})
        if change.workers:
            self.doorbell.press().workers.update(change.workers)
            for worker in self.local_workers:
                if worker.id in change.workers:
                    self._check_flags(worker)

    def failures(self) -> Iterator[Condition]:
        """Return what of this process has failed and will start again."""
        for failed in (self.services.failed, *(worker.failed for worker in self.local_workers)):
            for name, reason in failed.items():
                values = {"name": name, "reason": reason}
                yield Condition(code=ConditionCode.SERVICE_FAILED, text=f"{name}: {reason}", values=values)

    def notes(self) -> tuple[Condition, ...]:
        """Return what works, but not as it should."""
        return (*((_UNHEARD,) if self.doorbell.lost else ()), *self.pressure.notes(), *self.capacity.notes())

    def outgrown(self) -> None:
        """Stop claiming, because the schema is for newer programs; what runs may finish or is given back."""
        for worker in self.local_workers:
            self.services.start(f"drain-{worker.id}", worker.drain)

    def _check_flags(self, worker: Worker) -> None:
        self.services.start(f"flags-{worker.id}", worker.check_flags)

    async def pause(self, processor: str) -> None:
        """Pause a lane and tell all workers. Raises: UnknownProcessorError."""
        await self.submitting.lane(processor)
        await self.queue.pause(processor, paused=True)
        self._look_at_lanes()

    async def resume(self, processor: str) -> None:
        """Resume a lane and tell all workers. Raises: UnknownProcessorError for code and lane that are not there."""
        if not await self.queue.pause(processor, paused=False):
            await self.submitting.lane(processor)
        self._look_at_lanes()

    def _look_at_lanes(self) -> None:
        for worker in self.local_workers:
            worker.look()
        self.doorbell.press().lanes = True

    @asynccontextmanager
    async def running_worker(
        self, *, concurrency: int | None, processors: Iterable[str] | None, name: str
    ) -> AsyncIterator[Worker]:
        """Run a worker for the length of the block, and drain it at its end."""
        self.schema.require()
        parts = WorkerParts(
            config=self.config,
            clock=self.clock,
            processors=self.processors,
            queue=self.queue,
            workers=self.workers,
            files=self.files,
            broadcast=self.broadcast,
            announce=self.announce,
            observer=self.observer,
            database_url=self.database.url,
        )
        worker = Worker(parts, slots=concurrency or self.config.slots, processors=processors, name=name)
        await worker.start()
        self.local_workers.add(worker)
        try:
            self.schema.require()  # it may have been outgrown while the worker started
            yield worker
        finally:
            try:
                await worker.close()
            finally:
                self.local_workers.discard(worker)


@asynccontextmanager
async def open_database(config: EngineConfig) -> AsyncIterator[Database]:
    """Connect to the database that the config names, or to a private one, whatever its schema."""
    async with AsyncExitStack() as stack:
        url = config.database_url or await _embedded(stack, config)
        yield await stack.enter_async_context(Database.open(url, config=config))


@asynccontextmanager
async def open_parts(
    config: EngineConfig,
    *,
    processors: Processors | None,
    observers: Iterable[Observer],
    clock: Clock | None,
    migrate_schema: bool,
) -> AsyncIterator[EngineParts]:
    """Open everything, and close it in reverse order."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(config))
        await (migrate(database) if migrate_schema else check_schema(database))
        parts = _build(
            stack,
            config,
            database=database,
            processors=processors or Processors.builtin(),
            observer=_joined(observers),
            clock=clock or SystemClock(),
        )
        await parts.files.check()
        await parts.capacity.look_first()
        services = await stack.enter_async_context(parts.services)
        stack.callback(parts.feeding.close)
        services.start("doorbell-ring", parts.doorbell.ring)
        services.start("doorbell-listen", parts.doorbell.listen)
        for batched in (parts.files, parts.submitter, parts.tasks, parts.lists):
            for name, loop in batched.loops().items():
                services.start(name, loop)
        services.start("maintenance", parts.maintenance.run)
        yield parts


def _build(
    stack: AsyncExitStack,
    config: EngineConfig,
    *,
    database: Database,
    processors: Processors,
    observer: Observer,
    clock: Clock,
) -> EngineParts:
    """Put the parts together; those that own something are closed by `stack`."""

    links: list[Link] = []
    stack.push_async_callback(_close_all, links)

    def link(name: str) -> Link:
        links.append(database.link(name))
        return links[-1]

    local = LocalFiles(config.files)
    stack.callback(local.close)
    files = RegisteredFiles(local, database)
    room = RoomWatch(config)
    stack.callback(room.close)
    doorbell = Doorbell(
        rings=link("ring"),
        url=database.url,
        config=config,
        on_ring=lambda ring: parts.heard(ring),
        observer=observer,
    )
    stack.push_async_callback(doorbell.close)
    queue = Queue(claims=link("claim"), flushes=link("flush"))
    tasks, events, lists = Tasks(database, link=link("tasks")), Events(database), Lists(database, link=link("pages"))
    transitions = Transitions(database, clock=clock)
    bulk = Bulk(database, lists, Changes(clock=clock))
    workers, housekeeping, broadcast = Workers(database), Housekeeping(database), Broadcast(observer)
    submitter = Submitter(
        database,
        clock=clock,
        plain=link("submit"),
        keyed=link("submit-keys"),
        on_stored=lambda heads: parts.announce_stored(heads),
    )
    chores = link("maintenance")
    schema = SchemaWatch(database, on_problem=lambda: parts.outgrown())
    pressure = PressureWatch(database, config=config, observer=observer)
    capacity = CapacityWatch(database, config=config, own_listener=lambda: doorbell.listener)
    parts = EngineParts(
        config=config,
        clock=clock,
        processors=processors,
        observer=observer,
        database=database,
        files=files,
        queue=queue,
        tasks=tasks,
        lists=lists,
        events=events,
        transitions=transitions,
        bulk=bulk,
        workers=workers,
        housekeeping=housekeeping,
        broadcast=broadcast,
        submitter=submitter,
        services=Services(),
        doorbell=doorbell,
        chores=Queue(claims=chores, flushes=chores),
        schema=schema,
        pressure=pressure,
        capacity=capacity,
        room=room,
        standings=Standings(database),
        flow=Flow(database),
    )
    return parts


async def _close_all(links: Iterable[Link]) -> None:
    """Close links side by side, so that a silent database is waited for once."""
    await asyncio.gather(*(link.close() for link in links))


def _joined(observers: Iterable[Observer]) -> Observer:
    members = tuple(observers)
    return Observers(members) if members else Observer()


async def _embedded(stack: AsyncExitStack, config: EngineConfig) -> str:
    from novel_tasks_core.storage.embedded import open_embedded  # slow to import, and not always needed

    return await stack.enter_async_context(open_embedded(config.data_dir / "postgres"))
