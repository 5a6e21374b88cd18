"""Reading: one task, lists in every order, counts that stay exact, histories."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from novel_tasks_core import (
    ArtifactNotFoundError,
    AttemptContext,
    InvalidFilterError,
    InvalidInputError,
    LogLevel,
    NewTask,
    OutcomeKind,
    Page,
    Processors,
    RetryPolicy,
    Statistics,
    TaskEngine,
    TaskFilter,
    TaskId,
    TaskNotFoundError,
    TaskStatus,
    TaskSummary,
    format_task_id,
)
from novel_tasks_core.models import new_task_id
from novel_tasks_core.storage import lists as lists_module
from novel_tasks_core.storage import looking
from novel_tasks_core.testing import drain

from ..support import AT_ONCE, Db, Gate

PENDING = TaskFilter(status=TaskStatus.PENDING)
FAR = datetime(2999, 1, 1, tzinfo=UTC)


@pytest.fixture
async def library(engine: TaskEngine, processors: Processors, gate: Gate) -> dict[str, TaskId]:
    """Seven tasks of two owners and two processors in every state; by name in the order of their submits."""

    async def act(ctx: AttemptContext) -> Any:
        if ctx.extra_data.get("fail"):
            raise ValueError("as wanted")
        return {"text": "x" * 1000}

    processors.register("act", act, retry=RetryPolicy.never())
    alpha = await engine.store(b"alpha", name="Alpha.txt")
    beta = await engine.store(b"beta", name="beta_100%.md")
    made: dict[str, TaskId] = {}
    for name, more in (
        ("done", {"source": beta, "owner": "ann", "priority": 3}),
        ("failed", {"extra_data": {"fail": True}, "owner": "ann"}),
        ("cancelled", {"source": alpha, "owner": "bob"}),
        ("done too", {"owner": "bob", "priority": -2}),
    ):
        made[name] = (await engine.submit(**{"processor": "act"} | more)).id
    await engine.cancel(made["cancelled"])
    await drain(engine)
    made["scheduled"] = (await engine.submit(processor="act", run_at=FAR, owner="ann")).id
    made["ready"] = (await engine.submit(alpha, processor="gate", owner="bob", priority=9)).id
    made["other"] = (await engine.submit(processor="gate", owner="ann")).id
    return made


def names(page: Page[TaskSummary], library: dict[str, TaskId]) -> list[str]:
    """Return which tasks are on a page."""
    by_id = {task_id: name for name, task_id in library.items()}
    return [by_id[item.id] for item in page.items]


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["other", "ready", "scheduled", "done too", "cancelled", "failed", "done"]),
    ({"status": TaskStatus.PENDING}, ["other", "ready", "scheduled"]),
    ({"status": TaskStatus.PROCESSING}, []),
    ({"status": TaskStatus.COMPLETED}, ["done too", "done"]),
    ({"status": TaskStatus.FAILED}, ["failed"]),
    ({"status": TaskStatus.CANCELLED}, ["cancelled"]),
    ({"owner": "ann"}, ["other", "scheduled", "failed", "done"]),
    ({"owner": "nobody"}, []),
    ({"processor": "gate"}, ["other", "ready"]),
    ({"processor": "unheard-of"}, []),
    ({"owner": "bob", "status": TaskStatus.PENDING, "processor": "gate"}, ["ready"]),
    ({"query": "ALPHA"}, ["ready", "cancelled"]),
    ({"query": "beta_100%"}, ["done"]),
    ({"query": "beta%"}, []),
    ({"query": "lpha"}, []),
    ({"query": "*LPHA"}, ["ready", "cancelled"]),
    ({"query": "*_100%"}, ["done"]),
    ({"query": "*a_", "owner": "bob"}, []),
    ({"query": "*nowhere"}, []),
    ({"query": "*"}, ["other", "ready", "scheduled", "done too", "cancelled", "failed", "done"]),
    ({"query": "alpha", "processor": "gate", "owner": "bob"}, ["ready"]),
    ({"query": "beta", "status": TaskStatus.PROCESSING}, []),
    ({"owner": "", "status": TaskStatus.PENDING}, []),
    ({"query": "  "}, ["other", "ready", "scheduled", "done too", "cancelled", "failed", "done"]),
    ({"query": "alpha", "status": TaskStatus.CANCELLED}, ["cancelled"]),
    ({"created_before": FAR, "owner": "bob"}, ["ready", "done too", "cancelled"]),
    ({"created_after": FAR}, []),
]


async def test_filters_find_exactly_what_matches(engine: TaskEngine, library: dict[str, TaskId]) -> None:
    """Newest first, whatever table a list is read from; the total agrees, and so do `count` and `matcher`."""
    everything = await engine.find(limit=100)
    for wanted, expected in FILTERS:
        page = await engine.find(TaskFilter(**wanted))
        assert names(page, library) == expected, wanted
        matching = filter(engine.matcher(TaskFilter(**wanted)), everything.items)
        assert names(evolve(everything, items=tuple(matching)), library) == expected, wanted
        assert (page.total, page.total_is_estimate, page.next_cursor) == (len(expected), False, None), wanted
        assert await engine.count(TaskFilter(**wanted)) == len(expected), wanted
    ready = library["ready"]
    for query in (format_task_id(ready), format_task_id(ready).upper(), format_task_id(ready)[:-7]):
        assert names(await engine.find(TaskFilter(query=query)), library) == ["ready"], query
        matching = filter(engine.matcher(TaskFilter(query=query)), everything.items)
        assert [task.id for task in matching] == [ready], query
    created = (await engine.get(ready)).created_at
    first = created - timedelta(milliseconds=created.microsecond / 1000 % 1)
    page = await engine.find(TaskFilter(created_after=first, created_before=first + timedelta(milliseconds=1)))
    assert "ready" in names(page, library)


async def test_tasks_are_found_by_the_time_that_they_show(engine: TaskEngine) -> None:
    """Each of many tasks is among those created after the very time that it shows, however close that is to another."""
    tasks = [await engine.submit(processor="external") for _ in range(300)]
    for task in tasks:
        first = (await engine.find(TaskFilter(created_after=task.created_at), order="asc", limit=20)).items
        assert task.id in [one.id for one in first]


async def test_running_tasks_are_listed_with_their_progress(
    engine: TaskEngine, library: dict[str, TaskId], gate: Gate
) -> None:
    """They are processing, not pending, in the list, the counts and the queue."""
    async with engine.worker(concurrency=1):
        ctx = await gate.next()
        await ctx.progress(0.25, stage="reading")
        page = await engine.find(TaskFilter(status=TaskStatus.PROCESSING))
        assert names(page, library) == ["ready"]  # the higher priority
        statistics = await engine.statistics(owner="bob")
        assert (statistics.processing, statistics.pending, statistics.total) == (1, 0, 3)
        lanes = {lane.processor: lane for lane in await engine.queue_status()}
        assert (lanes["gate"].processing, lanes["gate"].ready, lanes["act"].scheduled) == (1, 1, 1)
        gate.let_go()


SORTS: list[tuple[str, str, list[str]]] = [
    ("created_at", "asc", ["done", "failed", "cancelled", "done too", "scheduled", "ready", "other"]),
    ("file_name", "asc", ["ready", "cancelled", "done", "other", "scheduled", "done too", "failed"]),
    ("file_name", "desc", ["done", "ready", "cancelled", "other", "scheduled", "done too", "failed"]),
    ("status", "asc", ["cancelled", "done too", "done", "failed", "other", "ready", "scheduled"]),
    ("status", "desc", ["other", "ready", "scheduled", "failed", "done too", "done", "cancelled"]),
    ("priority", "asc", ["done too", "other", "scheduled", "cancelled", "failed", "done", "ready"]),
    ("priority", "desc", ["ready", "done", "other", "scheduled", "cancelled", "failed", "done too"]),
]


async def test_every_order_is_total(engine: TaskEngine, library: dict[str, TaskId]) -> None:
    """Both directions of every sort; equals newest first, missing file names last; pages by offset fit together."""
    for sort, order, expected in SORTS:
        assert names(await engine.find(sort=sort, order=order), library) == expected, (sort, order)
        pages = [await engine.find(sort=sort, order=order, limit=3, offset=offset) for offset in (0, 3, 6, 9)]
        assert [name for page in pages for name in names(page, library)] == expected, (sort, order)


@pytest.fixture
def few_sortable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only two tasks can be sorted, or counted where the counters do not know."""
    monkeypatch.setattr(lists_module, "MAX_SORTED", 2)
    monkeypatch.setattr(looking, "MAX_SORTED", 2)


@pytest.mark.usefixtures("few_sortable")
async def test_only_orders_that_need_a_sort_are_limited(engine: TaskEngine, library: dict[str, TaskId]) -> None:
    """Beyond the limit a sort says what helps; the order of creation works in both directions for any number."""
    for wrong in ({"sort": "priority"}, {"sort": "file_name"}, {"filter": PENDING, "sort": "status"}):
        with pytest.raises(InvalidFilterError, match="narrow the filter") as caught:
            await engine.find(**wrong)
        assert caught.value.field == "sort"
    assert len((await engine.find(TaskFilter(owner="bob", status=TaskStatus.COMPLETED), sort="priority")).items) == 1
    assert names(await engine.find(order="asc", limit=2, offset=1), library) == ["failed", "cancelled"]
    assert names(await engine.find(PENDING, order="asc"), library) == ["scheduled", "ready", "other"]
    page = await engine.find(TaskFilter(query="beta"), order="asc")
    assert (names(page, library), page.total_is_estimate) == (["done"], False)


@pytest.mark.usefixtures("few_sortable")
async def test_only_totals_that_nothing_counts_are_estimates(engine: TaskEngine, library: dict[str, TaskId]) -> None:
    """By owner, processor and status they are exact; by time or name they are, until too many would be counted."""
    assert (await engine.find(TaskFilter(owner="ann"), limit=1)).total == 4
    assert (await engine.find(limit=1)).total_is_estimate is False
    many = await engine.find(TaskFilter(created_before=FAR), limit=2)
    assert (many.total, many.total_is_estimate, len(many.items)) == (3, True, 2)
    assert await engine.count(TaskFilter(created_before=FAR)) == 3
    for wanted in (TaskFilter(created_before=FAR, owner="bob", status=TaskStatus.PENDING), TaskFilter(query="beta")):
        page = await engine.find(wanted)
        assert (page.total, page.total_is_estimate) == (1, False), wanted
    shown = await engine.find(TaskFilter(created_before=FAR), limit=7)
    assert (shown.total, shown.total_is_estimate) == (7, False)  # the first page was the last


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"status": TaskStatus.PENDING},
        {"owner": "ann"},
        {"created_before": FAR},
        {"query": "walk"},
        {"query": "*lk", "processor": "gate"},
        {"owner": "ann", "status": TaskStatus.PENDING, "processor": "gate"},
    ],
)
async def test_a_cursor_walks_through_everything_once(
    engine: TaskEngine, gate: Gate, wanted: dict[str, Any], order: str
) -> None:
    """Pages of any size meet every task once, what comes and goes does not shift them, the last page has no cursor."""
    source = await engine.store(b"x", name="walk.txt")
    ids = await engine.submit_many(NewTask(processor="gate", owner="ann", source=source) for _ in range(14))
    gone = [ids.pop(9), ids.pop(2)]
    for limit in (1, 4, 5, 12, 13):
        seen: list[TaskId] = []
        cursor = None
        while True:
            page = await engine.find(TaskFilter(**wanted), limit=limit, cursor=cursor, order=order)
            seen += [item.id for item in page.items]
            if page.next_cursor is None:
                break
            assert len(page.items) == limit
            cursor = page.next_cursor
            if order == "desc":
                await engine.submit(processor="gate", owner="bob", run_at=FAR)
            if gone:
                await engine.delete(gone.pop())
        assert [task_id for task_id in seen if task_id in ids] == (ids[::-1] if order == "desc" else ids)
        assert len(set(seen)) == len(seen)


async def test_a_cursor_holds_for_its_own_list_only(engine: TaskEngine, library: dict[str, TaskId]) -> None:
    """In another order, with another filter, or with one character changed it is refused, and names its field."""
    wanted: dict[str, Any] = {"owner": "ann", "query": "*", "created_before": FAR}
    cursor = (await engine.find(TaskFilter(**wanted), limit=1)).next_cursor
    assert cursor is not None
    assert names(await engine.find(TaskFilter(**wanted), cursor=cursor), library) == ["scheduled", "failed", "done"]
    others: list[Any] = [
        {"order": "asc"},
        {"sort": "priority"},
        {"filter": TaskFilter(**wanted | {"owner": "bob"})},
        {"filter": TaskFilter(**wanted | {"owner": None})},
        {"filter": TaskFilter(**wanted | {"status": TaskStatus.PENDING})},
        {"filter": TaskFilter(**wanted | {"processor": "act"})},
        {"filter": TaskFilter(**wanted | {"query": "a"})},
        {"filter": TaskFilter(**wanted | {"created_before": FAR + timedelta(seconds=1)})},
    ]
    others += [
        {"cursor": cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]}
        for place in range(len(cursor))
    ]
    for other in others:
        with pytest.raises(InvalidFilterError) as caught:
            await engine.find(**{"filter": TaskFilter(**wanted), "cursor": cursor} | other)
        assert caught.value.field == "cursor", other


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "sort": ({"sort": "mood"}, "sort"),
    "order": ({"order": "sideways"}, "order"),
    "no limit": ({"limit": 0}, "limit"),
    "negative limit": ({"limit": -1}, "limit"),
    "high limit": ({"limit": 1001}, "limit"),
    "negative offset": ({"offset": -1}, "offset"),
    "high offset": ({"offset": 10_001}, "offset"),
    "huge offset": ({"offset": 10**30}, "offset"),
    "truth as limit": ({"limit": True}, "limit"),
    "fraction as limit": ({"limit": 2.0}, "limit"),
    "no number as limit": ({"limit": float("nan")}, "limit"),
    "text as limit": ({"limit": "20"}, "limit"),
    "truth as offset": ({"offset": False}, "offset"),
    "no number as offset": ({"offset": float("nan")}, "offset"),
    "list as sort": ({"sort": ["created_at"]}, "sort"),
    "list as order": ({"order": ["asc"]}, "order"),
    "cursor and offset": ({"cursor": "A" * 32, "offset": 0}, "cursor"),
    "cursor and sort": ({"cursor": "A" * 32, "sort": "priority"}, "cursor"),
    "cut cursor": ({"cursor": "A" * 31}, "cursor"),
    "long cursor": ({"cursor": "A" * 36}, "cursor"),
    "empty cursor": ({"cursor": ""}, "cursor"),
    "number as cursor": ({"cursor": 5}, "cursor"),
    "cursor in another script": ({"cursor": "\u0410" * 32}, "cursor"),
    "made-up cursor": ({"cursor": "1; drop table tasks"}, "cursor"),
    "naive time": ({"filter": TaskFilter(created_after=datetime(2030, 1, 1))}, "created_after"),  # noqa: DTZ001
    "text as time": ({"filter": TaskFilter(created_before="2030-01-01")}, "created_before"),  # type: ignore[arg-type]
    "unknown status": ({"filter": TaskFilter(status="lost")}, "status"),  # type: ignore[arg-type]
    "number as owner": ({"filter": TaskFilter(owner=7)}, "owner"),  # type: ignore[arg-type]
    "long query": ({"filter": TaskFilter(query="a" * 1001)}, "query"),
    "NUL in processor": ({"filter": TaskFilter(processor="a\x00")}, "processor"),
    "NUL in query": ({"filter": TaskFilter(query="a\x00")}, "query"),
    "NUL in owner": ({"filter": TaskFilter(owner="a\x00")}, "owner"),
    "surrogate in query": ({"filter": TaskFilter(query="\ud800")}, "query"),
}


async def test_a_wrong_list_is_refused_by_name(engine: TaskEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sorts, limits, offsets, made-up cursors, odd types and texts: each names its field, before anything is asked."""
    monkeypatch.setattr(engine._parts.lists, "_database", None)
    for why, (wrong, field) in WRONG.items():
        with pytest.raises(InvalidFilterError) as caught:
            await engine.find(**wrong)
        assert caught.value.field == field, why


async def test_an_unknown_task_is_not_found(engine: TaskEngine) -> None:
    """By every reader and every change."""
    unknown = new_task_id()
    calls = [
        engine.get,
        engine.events,
        engine.logs,
        engine.attempts,
        engine.artifacts,
        engine.open_source,
        engine.result,
        engine.cancel,
        engine.requeue,
        engine.delete,
        engine.report,
        lambda task_id: engine.open_artifact(task_id, "a"),
        lambda task_id: engine.reprioritize(task_id, 1),
        lambda task_id: anext(aiter(engine.watch(task_id))),
    ]
    for call in calls:
        with pytest.raises(TaskNotFoundError) as caught:
            await call(unknown)  # type: ignore[operator]
        assert caught.value.task_id == unknown


async def test_histories_can_be_read_in_parts(engine: TaskEngine, processors: Processors) -> None:
    """Events and logs after a seq and up to a limit, logs by level; attempts first to last; artifacts of the result."""

    async def chatty(ctx: AttemptContext) -> str:
        for level in (LogLevel.DEBUG, LogLevel.INFO, LogLevel.WARNING, LogLevel.ERROR):
            await ctx.log(f"{level} {ctx.attempt}", level=level)
        await ctx.save_artifact("b.txt", f"bytes {ctx.attempt}".encode())
        await ctx.save_artifact("a.json", b"{}")
        if ctx.attempt == 1:
            raise ValueError("not yet")
        return "done"

    processors.register("chatty", chatty, retry=AT_ONCE)
    task = await engine.submit(processor="chatty", note="hello")
    await drain(engine)
    events = await engine.events(task.id)
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert [e.kind for e in events] == ["log", "started", *["log"] * 5, "retry", "started", *["log"] * 4, "completed"]
    assert await engine.events(task.id, after=5, limit=3) == events[5:8]
    assert await engine.events(task.id, after=99) == []
    assert await engine.events(task.id, after=2, logs=False) == [e for e in events[2:] if e.kind != "log"]
    warnings = await engine.logs(task.id, level=LogLevel.WARNING)
    assert [log.level.value for log in warnings] == ["warning", "error", "error", "warning", "error"]
    assert await engine.logs(task.id, level=LogLevel.WARNING, after=warnings[1].seq, limit=1) == [warnings[2]]
    attempts = await engine.attempts(task.id)
    assert [(a.number, a.outcome, a.error and a.error.type) for a in attempts] == [
        (1, OutcomeKind.RETRY, "ValueError"),
        (2, OutcomeKind.COMPLETED, None),
    ]
    assert [(a.name, a.attempt) for a in await engine.artifacts(task.id)] == [("a.json", 2), ("b.txt", 2)]
    stored = await engine.open_artifact(task.id, "b.txt")
    assert (stored.path.read_bytes(), stored.artifact.size) == (b"bytes 2", 7)
    with pytest.raises(ArtifactNotFoundError):
        await engine.open_artifact(task.id, "c.txt")
    limits: list[Any] = [0, -1, 10_001, True, 1.5, "9", None]
    for wrong in limits:
        with pytest.raises(InvalidInputError, match="limit"):
            await engine.events(task.id, limit=wrong)
        with pytest.raises(InvalidInputError, match="limit"):
            await engine.logs(task.id, limit=wrong)


async def test_statistics_are_exact_through_everything(engine: TaskEngine, library: dict[str, TaskId], db: Db) -> None:
    """Through requeue, deletion and roll-up; of one owner or of all; the invariants check them against the tables."""
    statistics = await engine.statistics()
    assert statistics.average_seconds is not None
    assert 0 <= statistics.average_seconds < 5
    assert statistics == Statistics(
        pending=3,
        processing=0,
        completed=2,
        failed=1,
        cancelled=1,
        average_seconds=statistics.average_seconds,
    )
    await engine.requeue(library["done"])
    await engine.requeue(library["failed"])
    await engine.delete(library["done too"])
    await engine.delete(library["scheduled"])
    assert await engine.statistics() == Statistics(
        pending=4, processing=0, completed=0, failed=0, cancelled=1, average_seconds=None
    )
    await engine._parts.housekeeping.roll_up()
    mine = await engine.statistics(owner="ann")
    assert (mine.pending, mine.total, mine.success_rate) == (3, 3, 0)
    assert (await engine.statistics(owner="nobody")).total == 0
    rows = await db.fetchval("select count(*) from task_counts")
    groups = await db.fetchval("select count(*) from (select distinct owner, lane, status from task_counts) g")
    assert rows == groups


async def test_workers_show_up_while_they_live(engine: TaskEngine, another_engine: Any, gate: Gate) -> None:
    """All of them, of every process, with what they run; none after they left."""
    await engine.submit(processor="gate")
    async with another_engine() as other, other.worker(concurrency=3, name="night shift") as worker:
        await gate.next()
        [info] = await engine.workers()
        assert (info.id, info.name, info.slots, info.running, info.state) == (worker.id, "night shift", 3, 1, "running")
        assert 0 <= info.beat_seconds < 3
        gate.let_go()
    assert await engine.workers() == []
