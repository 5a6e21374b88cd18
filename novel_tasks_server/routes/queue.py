"""The queues of the processors and the workers that empty them; pausing and resuming."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from aiohttp import web

from novel_tasks_core import (
    Condition,
    InvalidInputError,
    Processors,
    QueueStatus,
    TaskEngine,
    UnknownProcessorError,
    WorkerInfo,
)
from novel_tasks_server.findings import Code
from novel_tasks_server.keys import ENGINE, PRINCIPAL
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.routes.recent import Recent
from novel_tasks_server.routes.replies import json_response, naming_filters, query_of
from novel_tasks_server.schemas.access import Scope
from novel_tasks_server.schemas.requests import HistoryQuery
from novel_tasks_server.schemas.views import HistoryView, LaneView, QueueView, WorkerView

_QUEUE = "/api/v1/queue"
_SILENT_SECONDS = 15.0
_SILENT_BEATS = 3
_HISTORY_SECONDS = 5.0


class Histories(Recent[HistoryQuery, HistoryView]):
    """What the queue did, for whatever window and processor is asked for; up to five seconds old."""

    def __init__(self, app: web.Application) -> None:
        async def read(query: HistoryQuery) -> HistoryView:
            engine = app[ENGINE]
            return HistoryView.of(await engine.history(minutes=query.minutes, processor=query.processor))

        super().__init__(read, seconds=_HISTORY_SECONDS)


HISTORIES = web.AppKey("histories", Histories)


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [
        Operation("GET", _QUEUE, show_queue, tag=Tag.QUEUE, scope=Scope.READ, answers={200: QueueView}),
        Operation(
            "GET",
            f"{_QUEUE}/history",
            show_queue_history,
            tag=Tag.QUEUE,
            scope=Scope.READ,
            query=HistoryQuery,
            answers={200: HistoryView},
        ),
        Operation(
            "POST",
            f"{_QUEUE}/{{processor}}/pause",
            pause_processor,
            tag=Tag.QUEUE,
            scope=Scope.ADMIN,
            answers={200: LaneView},
        ),
        Operation(
            "POST",
            f"{_QUEUE}/{{processor}}/resume",
            resume_processor,
            tag=Tag.QUEUE,
            scope=Scope.ADMIN,
            answers={200: LaneView},
        ),
    ]


async def show_queue(request: web.Request) -> web.Response:
    """Answer with the queue of every processor, the workers of all processes, and what is wrong, in words.

    The counts are of everybody's tasks. Where a worker runs only admins are told.
    """
    engine, principal = request.app[ENGINE], request[PRINCIPAL]
    lanes, workers = await engine.queue_status(), await engine.workers()
    view = QueueView(
        queues=[LaneView.of(lane) for lane in lanes],
        workers=[
            WorkerView.of(worker, tells_place=principal.is_admin, silent=is_silent(worker, engine))
            for worker in workers
        ],
        warnings=[warning.text for warning in warnings_of(lanes, workers, engine)],
    )
    return json_response(view)


async def show_queue_history(request: web.Request) -> web.Response:
    """Answer with what the queues did over time: how many tasks came and ended, how long they waited and ran.

    The figures are of everybody's tasks, of one processor or of all, and up to five seconds old. Steps without any
    task are there too; there are at most 121.
    """
    query = query_of(request, HistoryQuery)
    with naming_filters():
        return json_response(await request.app[HISTORIES].get(query))


def is_silent(worker: WorkerInfo, engine: TaskEngine) -> bool:
    """Say whether a worker has missed so many heartbeats that it is probably gone; all are taken to beat as we do."""
    return worker.beat_seconds > max(_SILENT_SECONDS, _SILENT_BEATS * engine.config.heartbeat_seconds)


def warnings_of(
    lanes: Collection[QueueStatus], workers: Collection[WorkerInfo], engine: TaskEngine
) -> Iterator[Condition]:
    """Yield what keeps ready tasks from being run."""
    heard = [worker for worker in workers if not is_silent(worker, engine)]
    for lane in lanes:
        if not lane.ready or _is_outside(lane.processor, engine.processors):
            continue
        if lane.paused:
            yield _warning(Code.PROCESSOR_PAUSED, f"{lane.processor} is paused", lane)
        elif not any(_serves(worker, lane.processor) for worker in heard):
            yield _warning(Code.NO_WORKER, f"no worker for {lane.processor}", lane)


def _warning(code: Code, what: str, lane: QueueStatus) -> Condition:
    waiting = "one task waits" if lane.ready == 1 else f"{lane.ready:,} tasks wait"
    return Condition(code=code, text=f"{what}, {waiting}", values={"processor": lane.processor, "waiting": lane.ready})


def _serves(worker: WorkerInfo, processor: str) -> bool:
    """Say whether a worker takes tasks of a processor, as far as anybody can see."""
    return worker.state == "running" and (worker.processors is None or processor in worker.processors)


def _is_outside(name: str, processors: Processors) -> bool:
    """Say whether outside services do this work; one whose code only other processes know is not."""
    try:
        return processors.get(name).function is None
    except UnknownProcessorError:
        return False


async def pause_processor(request: web.Request) -> web.Response:
    """Stop starting tasks of a processor, on all workers; what runs goes on. 404 for an unknown processor."""
    with _finding_processors():
        await request.app[ENGINE].pause(request.match_info["processor"])
    return json_response(await _lane(request))


async def resume_processor(request: web.Request) -> web.Response:
    """Start tasks of a processor again, also of one that nobody knows any more. 404 for one that never had a task."""
    with _finding_processors():
        await request.app[ENGINE].resume(request.match_info["processor"])
    return json_response(await _lane(request))


@contextmanager
def _finding_processors() -> Iterator[None]:
    """Answer 404 for a processor that there is not, or whose name cannot be, since it is a part of the path."""
    try:
        yield
    except InvalidInputError as exc:
        raise RequestRefusedError(404, "processor-not-found", str(exc)) from exc


async def _lane(request: web.Request) -> LaneView:
    name = request.match_info["processor"]
    lanes = {lane.processor: lane for lane in await request.app[ENGINE].queue_status()}
    return LaneView.of(lanes[name])
