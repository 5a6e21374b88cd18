"""The fence: whoever lost a lease changes nothing more. Each guard is taken out once, and then it must show."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from novel_tasks_core.conversion import read_json
from novel_tasks_core.events import NewEvent
from novel_tasks_core.models import (
    Claim,
    Completed,
    ErrorInfo,
    Failed,
    NewArtifact,
    Released,
    Retrying,
    TaskId,
    WorkerId,
)
from novel_tasks_core.storage.endings import Recording, make_ending
from novel_tasks_core.storage.housekeeping import Housekeeping
from novel_tasks_core.storage.workers import Workers

from .bench import RESCUER, Bench, ending_columns, lost, spoil
from .mutants import RECORDED

Scenario = Callable[[Bench], Awaitable[bool]]


async def a_late_end_is_dropped(bench: Bench) -> bool:
    """The first worker was rescued and a second one runs; what the first brings is dropped, the second's counts."""
    task_id = await bench.submit()
    [first] = await bench.claim(1)
    await bench.rescue(first, holder=1)
    [second] = await bench.claim(2)
    accepted = await bench.complete(first, holder=1, result="zombie")
    done = await bench.complete(second, holder=2, result="rightful")
    return not accepted and done and (await bench.state(task_id))[3] == '"rightful"'


async def a_stranger_cannot_end(bench: Bench) -> bool:
    """A worker that does not hold the lease ends nothing, though it knows the number of the attempt."""
    task_id = await bench.submit()
    [claim] = await bench.claim(1)
    accepted = await bench.complete(claim, holder=2, result="stranger")
    return not accepted and (await bench.state(task_id))[0] == "pending"


async def a_stranger_cannot_put_back(bench: Bench) -> bool:
    """Nor does it give the task back."""
    await bench.submit()
    [claim] = await bench.claim(1)
    ended = await bench.end(claim, lost(), holder=2)
    return not ended.last_seq


async def an_end_that_waited_for_a_rescue_is_dropped(bench: Bench) -> bool:
    """The rescuer has the row but has not committed: the end waits for it and then finds the attempt over."""
    task_id = await bench.submit()
    [claim] = await bench.claim(1)
    query, columns = ending_columns(claim, lost(), holder=1, finisher=RESCUER)
    async with bench.in_between() as rescuer:
        await rescuer.fetch(bench.queue._sql[query], *columns)
        late = await bench.blocked(bench.complete(claim, holder=1, result="zombie"))
    return not await late and (await bench.state(task_id))[:3] == ("pending", 1, 1)


async def a_retry_that_waited_for_an_end_is_dropped(bench: Bench) -> bool:
    """The other way round: the rescuer waits for the end and then finds nothing to put back."""
    task_id = await bench.submit()
    [claim] = await bench.claim(1)
    query, columns = ending_columns(claim, Completed(result="first"), holder=1, finisher=1)
    async with bench.in_between() as worker:
        await worker.fetch(bench.queue._sql[query], *columns)
        late = await bench.blocked(bench.rescue(claim, holder=1))
    return not (await late).last_seq and (await bench.state(task_id))[:3] == ("completed", 1, 1)


def said(bench: Bench, task_id: object, attempt: int) -> list[Recording]:
    """Make an event of a running attempt."""
    event = NewEvent("log", datetime.now(UTC), '{"level":"info","message":"x"}')
    return [Recording(task_id, attempt, (event,))]  # type: ignore[arg-type]


async def a_strangers_events_are_dropped(bench: Bench) -> bool:
    """Only the holder adds to the history."""
    task_id = await bench.submit()
    await bench.claim(1)
    ended = await bench.queue.record(said(bench, task_id, 1), worker_id=WorkerId(2))
    return not ended.last_seq and (await bench.state(task_id))[2] == 0


async def events_that_waited_for_a_rescue_are_dropped(bench: Bench) -> bool:
    """After the rescue the history belongs to the next attempt."""
    task_id = await bench.submit()
    [claim] = await bench.claim(1)
    query, columns = ending_columns(claim, lost(), holder=1, finisher=RESCUER)
    async with bench.in_between() as rescuer:
        await rescuer.fetch(bench.queue._sql[query], *columns)
        late = await bench.blocked(bench.queue.record(said(bench, task_id, 1), worker_id=WorkerId(1)))
    return not (await late).last_seq and (await bench.state(task_id))[2] == 1


async def a_checkpoint_that_waited_for_a_rescue_is_dropped(bench: Bench) -> bool:
    """The next attempt goes on from where the last one was when it was rescued, not from a later word of it."""
    task_id = await bench.submit()
    [claim] = await bench.claim(1)
    query, columns = ending_columns(claim, lost(), holder=1, finisher=RESCUER)
    async with bench.in_between() as rescuer:
        await rescuer.fetch(bench.queue._sql[query], *columns)
        writing = bench.queue.checkpoint(task_id, 1, "zombie", worker_id=WorkerId(1))
        try:
            late = await bench.blocked(writing)
        except AssertionError:
            return False  # it did not even wait
    return not await late and await bench.other.fetchval("select count(*) from task_checkpoints") == 0


async def a_strangers_checkpoint_is_dropped(bench: Bench) -> bool:
    """Only the holder stores one."""
    task_id = await bench.submit()
    await bench.claim(1)
    return not await bench.queue.checkpoint(task_id, 1, "stranger", worker_id=WorkerId(2))


async def a_strangers_progress_is_dropped(bench: Bench) -> bool:
    """The lease shows what its holder said."""
    task_id = await bench.submit()
    await bench.claim(1)
    await bench.queue.progress([(task_id, 1, 0.9, "stranger")], worker_id=WorkerId(2))
    return bool(await bench.other.fetchval("select tick = 0 from task_leases"))


async def only_the_finisher_is_confirmed(bench: Bench) -> bool:
    """A worker whose answer was lost is not told that its attempt was stored when it was the rescuer who ended it."""
    await bench.submit()
    [claim] = await bench.claim(1)
    await bench.rescue(claim, holder=1)
    ending = make_ending(claim.task_id, Completed(), attempt=1, at=datetime.now(UTC))
    confirmed = await bench.queue.confirm([ending], finisher=WorkerId(1))
    rescued = await bench.queue.confirm([ending], finisher=RESCUER)
    return not confirmed.last_seq and bool(rescued.last_seq)


async def a_zombies_artifacts_are_dropped(bench: Bench) -> bool:
    """What a rescued attempt stored is not shown, nor kept: its file belongs to nothing, and is swept one day."""
    task_id = await bench.submit()
    [claim] = await bench.claim(1)
    await bench.rescue(claim, holder=1)
    await bench.other.execute("insert into files (sha256, size) values (sha256('z'), 1) on conflict do nothing")
    sha256 = await bench.other.fetchval("select encode(sha256('z'), 'hex')")
    stored = NewArtifact(name="z", content_type="text/plain", size=1, sha256=sha256)
    await bench.end(claim, Completed(artifacts=(stored,)), holder=1)
    return not await bench.other.fetch("select from artifacts where task_id = $1", task_id)


async def a_zombies_last_words_are_dropped(bench: Bench) -> bool:
    """The events that came with a late end are no part of the history."""
    await bench.submit()
    [claim] = await bench.claim(1)
    await bench.rescue(claim, holder=1)
    word = said(bench, claim.task_id, 1)[0].events
    ending = make_ending(claim.task_id, Completed(), attempt=1, at=datetime.now(UTC), before=word)
    await bench.queue.end([ending], holder=WorkerId(1), finisher=WorkerId(1))
    return [row["kind"] for row in await bench.other.fetch("select kind from task_events order by seq")] == ["retry"]


async def old_progress_is_dropped(bench: Bench) -> bool:
    """The same worker has the task again: what its first attempt still reports is not shown of the second."""
    task_id, old = await claimed_again(bench)
    await bench.queue.progress([(task_id, old.attempt, 0.9, "old")], worker_id=WorkerId(1))
    return bool(await bench.other.fetchval("select tick = 0 from task_leases"))


async def an_old_checkpoint_is_dropped(bench: Bench) -> bool:
    """Nor does a checkpoint of the first attempt take the place of one of the second."""
    task_id, old = await claimed_again(bench)
    return not await bench.queue.checkpoint(task_id, old.attempt, "old", worker_id=WorkerId(1))


async def a_stale_flush_after_a_release_is_dropped(bench: Bench) -> bool:
    """A worker gives a task back and claims it again; an end of the first time arrives only now, and means nothing."""
    task_id, old = await claimed_again(bench)
    stale = await bench.complete(old, holder=1, result="stale")
    return not stale and [held for held, _ in await bench.queue.leases(WorkerId(1))] == [task_id]


async def claimed_again(bench: Bench) -> tuple[TaskId, Claim]:
    """Let worker 1 claim, release and claim a task; return it and its first attempt."""
    task_id = await bench.submit()
    [first] = await bench.claim(1)
    await bench.end(first, Released(), holder=1)
    [second] = await bench.claim(1)
    assert second.task_id == task_id
    return task_id, first


async def a_release_does_not_count(bench: Bench) -> bool:
    """However often a task is given back, it has not failed."""
    await bench.submit()
    for worker in (1, 2, 3, 4):
        [claim] = await bench.claim(worker)
        if claim.failures:
            return False
        await bench.end(claim, Released(), holder=worker)
    return True


async def a_rescue_counts(bench: Bench) -> bool:
    """Every time: a task that kills its workers is given up one day."""
    await bench.submit()
    counted = []
    for worker in (1, 2, 3):
        [claim] = await bench.claim(worker)
        counted.append(claim.failures)
        await bench.rescue(claim, holder=worker)
    return counted == [0, 1, 2]


async def a_checkpoint_lasts_until_the_end(bench: Bench) -> bool:
    """Through a release, a retry and a rescue the next attempt goes on from it; after the end there is none."""
    task_id = await bench.submit()
    [claim] = await bench.claim(1)
    await bench.queue.checkpoint(task_id, 1, {"page": 7}, worker_id=WorkerId(1))
    seen = []
    for outcome, finisher in ((Released(), 1), (lost(), 1), (lost(), RESCUER)):
        await bench.end(claim, outcome, holder=1, finisher=finisher)
        [claim] = await bench.claim(1)
        seen.append(read_json(claim.checkpoint_json))
    await bench.complete(claim, holder=1)
    left = await bench.other.fetchval("select count(*) from task_checkpoints")
    return (seen, left) == ([{"page": 7}] * 3, 0)


async def a_waiting_task_that_is_cancelled_forgets_its_checkpoint(bench: Bench) -> bool:
    """A requeue begins from the start, whichever way the task came to its end."""
    task_id = await bench.submit()
    [claim] = await bench.claim(1)
    await bench.queue.checkpoint(task_id, 1, "old", worker_id=WorkerId(1))
    await bench.rescue(claim, holder=1)
    await bench.transitions.cancel(task_id, reason="r", if_version=None)
    return not await bench.other.fetch("select from task_checkpoints")


async def a_dying_workers_checkpoint_does_not_outlive_a_requeue(bench: Bench) -> bool:
    """It commits while its task is given up, which does not see it; the requeued task begins from the start."""
    task_id = await bench.submit()
    [claim] = await bench.claim(1)
    async with bench.in_between() as worker:
        await worker.execute(bench.queue._sql["checkpoint"], task_id, 1, claim.attempt, '"late"')
        given_up = await bench.blocked(bench.end(claim, Failed(error=GONE), holder=1, finisher=RESCUER))
    await given_up
    await bench.transitions.requeue(task_id, if_version=None)
    [again] = await bench.claim(2)
    return again.checkpoint_json is None


async def a_retry_that_waited_for_a_cancel_ends_as_cancelled(bench: Bench) -> bool:
    """The cancel has the row but has not committed: the retry waits for it and then gives way."""
    task_id = await bench.submit()
    [claim] = await bench.claim(1)
    async with bench.in_between() as canceller:
        await bench.transitions.cancel_on(canceller, task_id, reason="enough")
        late = await bench.blocked(bench.end(claim, lost(), holder=1))
    await late
    return (await bench.state(task_id))[0] == "cancelled"


GONE = ErrorInfo("worker_lost", "gone")
HOLDER = "l.worker_id = $1 and l.attempt ="
ANYBODY = "$1::bigint is not null and l.attempt ="
ATTEMPT = "t.attempt = d.attempt - 1 and"
GUARDS: dict[str, tuple[Scenario, str, str, str]] = {
    "finish: lease": (a_stranger_cannot_end, "finish", HOLDER, ANYBODY),
    "finish: attempt": (an_end_that_waited_for_a_rescue_is_dropped, "finish", ATTEMPT, ""),
    "postpone: lease": (a_stranger_cannot_put_back, "postpone", HOLDER, ANYBODY),
    "postpone: attempt": (a_retry_that_waited_for_an_end_is_dropped, "postpone", ATTEMPT, ""),
    "postpone: cancel": (
        a_retry_that_waited_for_a_cancel_ends_as_cancelled, "postpone", "and t.cancel_reason is null", "",
    ),
    "record: lease": (a_strangers_events_are_dropped, "record", HOLDER, ANYBODY),
    "record: attempt": (
        events_that_waited_for_a_rescue_are_dropped, "record", "t.attempt = g.attempt - 1 and", "",
    ),
    "checkpoint: lock": (a_checkpoint_that_waited_for_a_rescue_is_dropped, "checkpoint", "for share", ""),
    "checkpoint: lease": (
        a_strangers_checkpoint_is_dropped, "checkpoint", "worker_id = $2", "$2::bigint is not null",
    ),
    "progress: lease": (
        a_strangers_progress_is_dropped, "progress", "worker_id is not distinct from $1", "$1::bigint is not null",
    ),
    "confirm: finisher": (
        only_the_finisher_is_confirmed, "finished_by", "t.finished_worker = $1", "$1::bigint is not null",
    ),
    "finish: artifacts": (
        a_zombies_artifacts_are_dropped, "finish", "join ended e on e.place = a.place",
        "join lateral (select task_id as id, 1 as attempt from done where place = a.place) e on true",
    ),
    "finish: events": (
        a_zombies_last_words_are_dropped, "finish", "join ended e on e.place = v.place",
        "join lateral (select task_id as id, 100 as base, true as starts, 1 as attempt from done where place = v.place)"
        " e on true",
    ),
    "progress: attempt": (
        old_progress_is_dropped, "progress", "and attempt = ($3::int[])[array_position($2::uuid[], task_id)]",
        "and $3::int[] is not null",
    ),
    "checkpoint: attempt": (
        an_old_checkpoint_is_dropped, "checkpoint", "and attempt = $3", "and $3::int is not null",
    ),
    "release: the number never goes back": (
        a_stale_flush_after_a_release_is_dropped, "postpone", "set attempt = d.attempt,",
        "set attempt = d.attempt - (d.outcome = 'released')::int,",
    ),
    "release: not counted": (
        a_release_does_not_count, "postpone", "t.failures + d.failed", "t.failures + 1",
    ),
    "rescue: counted": (a_rescue_counts, "postpone", "t.failures + d.failed", "t.failures"),
    "checkpoint: gone at the end": (
        a_checkpoint_lasts_until_the_end, "finish",
        "delete from task_checkpoints where task_id = any(array(select id from ended))", "select",
    ),
    "checkpoint: kept before": (
        a_checkpoint_lasts_until_the_end, "postpone", "freed as (",
        "unchecked as (delete from task_checkpoints c using ended e where c.task_id = e.id), freed as (",
    ),
    "checkpoint: gone with a cancel": (
        a_waiting_task_that_is_cancelled_forgets_its_checkpoint, "end_cancelled",
        "delete from task_checkpoints where task_id = any($1)", "select",
    ),
    "checkpoint: gone with a requeue": (
        a_dying_workers_checkpoint_does_not_outlive_a_requeue, "requeue",
        "delete from task_checkpoints where task_id = any($1)", "select",
    ),
}  # fmt: skip


SCENARIOS = {guard[0].__name__: guard[0] for guard in GUARDS.values()} | {"a_late_end": a_late_end_is_dropped}


@pytest.mark.parametrize("name", SCENARIOS)
async def test_whoever_lost_a_lease_changes_nothing(bench: Bench, name: str) -> None:
    """Every scenario holds with the statements as they are."""
    assert await SCENARIOS[name](bench)


@pytest.mark.parametrize("name", GUARDS)
async def test_every_guard_is_needed(bench: Bench, name: str) -> None:
    """With any one of the guards taken out its scenario fails: the tests can fail, and no guard is idle."""
    scenario, query, guard, instead = GUARDS[name]
    attempts_may_be_recorded_twice(bench)
    spoil(bench.queue if query in bench.queue._sql else bench.transitions._changes, query, guard, instead)
    assert not await scenario(bench), f"nothing changed without the guard {name!r}"
    await bench.clear()


def attempts_may_be_recorded_twice(bench: Bench) -> None:
    """Take the last guard away."""
    for query in ("finish", "postpone"):
        bench.spoil(query, RECORDED[query], f"{RECORDED[query]} on conflict do nothing")


async def test_a_late_end_needs_both_guards_to_be_gone(bench: Bench) -> None:
    """Without lease and attempt check the zombie's result is accepted: this is what the fence is for."""
    attempts_may_be_recorded_twice(bench)
    bench.spoil("finish", "t.attempt = d.attempt - 1 and l.worker_id = $1 and l.attempt = d.attempt", "$1 > 0")
    assert not await a_late_end_is_dropped(bench)
    await bench.clear()


async def test_an_attempt_number_never_comes_back(bench: Bench) -> None:
    """Through rescues, retries and releases it only grows, so that nobody's old number fits again."""
    await bench.submit()
    numbers = []
    for worker in range(1, 6):
        [claim] = await bench.claim(worker)
        numbers.append(claim.attempt)
        await bench.rescue(claim, holder=worker)
    assert numbers == [1, 2, 3, 4, 5]


async def test_completing_twice_is_completing_once(bench: Bench) -> None:
    """The same worker sends the same end again after a lost answer: the second changes nothing, `confirm` says so."""
    task_id = await bench.submit()
    [claim] = await bench.claim(1)
    assert await bench.complete(claim, holder=1, result="r")
    before = await bench.state(task_id)
    assert not await bench.complete(claim, holder=1, result="other")
    assert await bench.state(task_id) == before
    ending = make_ending(task_id, Completed(), attempt=1, at=datetime.now(UTC))
    assert (await bench.queue.confirm([ending], finisher=WorkerId(1))).last_seq == {task_id: 1}


async def test_an_end_is_confirmed_though_the_task_ran_again(bench: Bench) -> None:
    """The answer to a retry was lost, and another worker has ended the next attempt before the first one asks."""
    await bench.submit()
    [first] = await bench.claim(1)
    again = Retrying(delay_seconds=0, error=ErrorInfo("ValueError", "as wanted"))
    await bench.end(first, again, holder=1)
    [second] = await bench.claim(2)
    ending = bench.ending(first, again)
    assert (await bench.queue.confirm([ending], finisher=WorkerId(1))).confirmed == {first.task_id}
    assert await bench.complete(second, holder=2)
    assert (await bench.queue.confirm([ending], finisher=WorkerId(1))).confirmed == {first.task_id}
    assert not (await bench.queue.confirm([ending], finisher=WorkerId(2))).confirmed


async def test_a_lost_attempt_is_not_confirmed_though_the_task_ran_again(bench: Bench) -> None:
    """Its record names the dead worker as its holder; that it was the rescuer who ended it must not be forgotten."""
    await bench.submit()
    [first] = await bench.claim(1)
    await bench.rescue(first, holder=1)
    [second] = await bench.claim(2)
    assert await bench.complete(second, holder=2)
    ending = bench.ending(first, Completed())
    assert not (await bench.queue.confirm([ending], finisher=WorkerId(1))).confirmed


async def test_a_checkpoint_that_comes_too_late_is_not_gone_on_from(bench: Bench) -> None:
    """It was on its way when its attempt ended: a requeue begins anew, and what nobody needs is removed."""
    task_id = await bench.submit()
    [claim] = await bench.claim(1)
    query, columns = ending_columns(claim, Completed(), holder=1, finisher=1)
    async with bench.in_between() as worker:
        await worker.fetch(bench.queue._sql["checkpoint"], task_id, 1, 1, '"late"')
        end = await bench.blocked(bench.database.fetch(bench.queue._sql[query], *columns))
    assert len(await end) == 1
    assert await bench.other.fetchval("select count(*) from task_checkpoints") == 1
    await bench.transitions.requeue(task_id, if_version=None)
    [again] = await bench.claim(1)
    assert again.checkpoint_json is None
    assert await bench.queue.checkpoint(task_id, 2, "new", worker_id=WorkerId(1))
    await bench.other.execute("insert into task_checkpoints values (gen_random_uuid(), 1, '0')")
    await Housekeeping(bench.database).remove_stray_checkpoints()
    assert [row["value"] for row in await bench.other.fetch("select value from task_checkpoints")] == ['"new"']


async def test_only_a_worker_that_stayed_silent_is_buried(bench: Bench) -> None:
    """One that has beaten since it was looked at lives on."""
    workers = Workers(bench.database)
    worker_id = await workers.register(name="w", slots=1)
    seen = (await workers.beats())[worker_id]
    await bench.other.execute("update workers set beat_at = now() where id = $1", worker_id)
    assert not await workers.bury(worker_id, beat_at=seen)
    assert await workers.bury(worker_id, beat_at=(await workers.beats())[worker_id])
    assert await workers.beats() == {}
