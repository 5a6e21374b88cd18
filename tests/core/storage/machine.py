"""A random user, a random worker and a random fate, against the model and the real engine at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from attrs import define
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from novel_tasks_core import AttemptContext, OnDuplicate, ReleaseKey, Retry, Snooze, TaskId
from novel_tasks_core.errors import DuplicateTaskError, IllegalTransitionError

from .model import STEP_SECONDS, Known, Model
from .world import LANES, Follower, World

PICK = st.integers(min_value=0, max_value=1 << 16)
LANE = st.sampled_from((LANES[0], *LANES))
PRIORITIES = st.integers(min_value=0, max_value=2)


F = TypeVar("F", bound=Callable[..., None])


class Divergence(AssertionError):
    """The engine and the model say different things."""


@define
class Told:
    """What a watcher must have heard by now: kinds after a seq; `over` once it must have ended."""

    follower: Follower
    expected: list[str]
    over: bool = False


def action(
    weight: int, *, when: Callable[[Any], Any] = lambda _: True, **drawn: st.SearchStrategy[Any]
) -> Callable[[F], F]:
    """Make a method something that may happen, so often, when that holds, with these arguments."""

    def mark(method: F) -> F:
        ACTIONS[method.__name__] = (weight, when, st.fixed_dictionaries(drawn))
        return method

    return mark


ACTIONS: dict[str, tuple[int, Callable[[Any], Any], st.SearchStrategy[dict[str, Any]]]] = {}
"""What may happen. One rule chooses: rules of their own would often be left out for the length of a history."""


class EngineMachine(RuleBasedStateMachine):
    """Every step is done to both; after every step they must agree."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.told: list[Told] = []
        self.steps = 0

    def run(self, work: Any) -> Any:
        """Do something in the world."""
        return self.world.run(work)

    def pick(self, number: int, *statuses: str) -> tuple[TaskId, Known] | None:
        """Choose a task in one of these states, or in any."""
        found = [(i, t) for i, t in self.model.tasks.items() if not statuses or t.status in statuses]
        return found[number % len(found)] if found else None

    def pick_attempt(self, number: int) -> tuple[TaskId, Known] | None:
        """Choose an attempt of a worker that lives."""
        alive = {hand.id for hand in self.world.hands}
        found = [(i, t) for i, t in self.model.tasks.items() if t.holder in alive]
        return found[number % len(found)] if found else None

    def pull(self, task_id: TaskId, order: Any) -> None:
        """Have a running attempt do something."""
        self.run(self.world.running[task_id, self.model.tasks[task_id].attempt].pull(order))

    def refused(self, change: Any, error: type[Exception]) -> bool:
        """Say whether a change is not allowed."""
        try:
            self.run(change)
        except error:
            return True
        return False

    def agree(self, real: Any, ours: Any, what: str) -> None:
        """Compare."""
        if real != ours:
            raise Divergence(f"{what}: the engine says {real!r}, the model {ours!r}")

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        """Something happens."""
        possible = [name for name, (weight, when, _) in ACTIONS.items() if when(self) for _ in range(weight)]
        name = data.draw(st.sampled_from(possible))
        getattr(self, name)(**data.draw(ACTIONS[name][2], label=name))

    # -- submitting -------------------------------------------------------------------------------------------

    @initialize(plans=st.lists(st.tuples(PRIORITIES, st.sampled_from([None, None, 1, 2])), min_size=3, max_size=6))
    def begin(self, plans: list[tuple[int, int | None]]) -> None:
        """A few tasks to begin with."""
        for priority, max_attempts in plans:
            self.submit("", "a", priority, 0, max_attempts, None, ReleaseKey.FINISH, OnDuplicate.RETURN)

    @action(
        5,
        owner=st.sampled_from(["", "", "bob"]),
        lane=LANE,
        priority=PRIORITIES,
        delay=st.sampled_from([0, 0, 0, 0, 1, 3]),
        max_attempts=st.sampled_from([None, None, 1, 2]),
        key=st.sampled_from([None, None, "k", "j"]),
        release_at=st.sampled_from(ReleaseKey),
        on_duplicate=st.sampled_from(OnDuplicate),
    )
    def submit(
        self, owner: str, lane: str, priority: int, delay: int, max_attempts: int | None, key: str | None,
        release_at: ReleaseKey, on_duplicate: OnDuplicate,
    ) -> None:  # fmt: skip
        """A new task, perhaps later, perhaps under a key that another one holds."""
        held = self.model.held(owner, key)
        submitting = self.world.engine.submit(
            owner=owner, processor=lane, priority=priority, max_attempts=max_attempts, key=key, release_at=release_at,
            on_duplicate=on_duplicate,
            run_at=self.world.clock.now() + _soon(delay) if delay else None,
        )  # fmt: skip
        if held is not None and on_duplicate is OnDuplicate.REJECT:
            self.agree(self.refused(submitting, DuplicateTaskError), True, "rejected")
            return
        if held is not None and on_duplicate is OnDuplicate.REPLACE:
            if not self.model.tasks[held].is_final:
                self.cancel_in_model(held)
            self.model.free(held)
        task = self.run(submitting)
        self.agree(task.duplicate, held is not None and on_duplicate is OnDuplicate.RETURN, "duplicate")
        if task.duplicate:
            self.agree(task.id, held, "the duplicate")
            return
        self.model.submit(
            task.id, owner=owner, lane=lane, priority=priority, delay=delay, max_attempts=max_attempts, key=key,
            release_at=release_at, on_duplicate=on_duplicate,
        )  # fmt: skip

    # -- attempts ---------------------------------------------------------------------------------------------

    @action(
        6,
        when=lambda self: len(self.world.hands) < 3 and any(self.model.next_ones(lane, 1) for lane in LANES),
        lane=LANE,
        slots=st.integers(min_value=1, max_value=3),
    )
    def work(self, lane: str, slots: int) -> None:
        """A worker takes the next tasks of a lane."""
        expected = self.model.next_ones(lane, slots)
        worker, got = self.run(self.world.work(lane, slots, len(expected)))
        self.agree([task_id for task_id, _ in got], expected, "claimed")
        for task_id, attempt in got:
            self.model.claim(task_id, worker)
            self.agree(attempt, self.model.tasks[task_id].attempt, "the number of the attempt")
            resumed = self.world.running[task_id, attempt].ctx.resume_from
            self.agree(resumed, self.model.tasks[task_id].checkpoint, "where it goes on")

    @action(
        4,
        when=lambda self: self.pick_attempt(0),
        number=PICK,
        what=st.sampled_from(["log", "progress", "checkpoint"]),
        value=st.integers(0, 3),
    )
    def say(self, number: int, what: str, value: int) -> None:
        """An attempt logs, makes progress or stores a checkpoint."""
        task_id, task = self.pick_attempt(number) or _nothing()

        async def log(ctx: AttemptContext) -> None:
            await ctx.log(f"line {value}")

        async def progress(ctx: AttemptContext) -> None:
            await ctx.progress(value, total=4)

        async def checkpoint(ctx: AttemptContext) -> None:
            await ctx.checkpoint(value)

        match what:
            case "log":
                self.pull(task_id, log)
                task.events.append(("log", task.attempt))
            case "progress":
                self.pull(task_id, progress)
                task.progress = value / 4
            case _:
                self.pull(task_id, checkpoint)
                task.checkpoint = value

    @action(
        6,
        when=lambda self: self.pick_attempt(0),
        number=PICK,
        how=st.sampled_from(["complete", "complete", "fail", "fail", "retry", "later", "snooze"]),
    )
    def end(self, number: int, how: str) -> None:
        """An attempt ends by itself."""
        task_id, task = self.pick_attempt(number) or _nothing()

        async def act(ctx: AttemptContext) -> str:
            match how:
                case "complete":
                    return f"of attempt {ctx.attempt}"
                case "fail":
                    raise ValueError("as wanted")
                case "retry":
                    raise Retry(after=0)
                case "later":
                    raise Retry(after=0.5 * STEP_SECONDS)
                case _:
                    raise Snooze(for_=2.5 * STEP_SECONDS)

        self.pull(task_id, act)
        match how:
            case "complete":
                self.model.complete(task_id, f"of attempt {task.attempt}")
            case "fail":
                self.model.fail(task_id)
            case _:
                self.model.retry(task_id, {"retry": 0, "later": 1, "snooze": 3}[how])

    @action(3, when=lambda self: self.pick_attempt(0), number=PICK)
    def fail(self, number: int) -> None:
        """An attempt fails."""
        self.end(number, "fail")

    @action(1, when=lambda self: self.world.hands, number=PICK)
    def leave(self, number: int) -> None:
        """A worker shuts down and gives back what it runs."""
        hand = self.world.hands[number % len(self.world.hands)]
        self.run(self.world.leave(hand))
        for task_id in self.model.held_by(hand.id):
            self.model.release(task_id)

    @action(2, when=lambda self: self.world.hands, number=PICK)
    def die(self, number: int) -> None:
        """A worker dies; what it ran stays leased until somebody rescues it."""
        self.run(self.world.die(self.world.hands[number % len(self.world.hands)]))

    def orphans(self) -> list[TaskId]:
        """Return what dead workers hold."""
        alive = {hand.id for hand in self.world.hands}
        return [i for i, t in self.model.tasks.items() if t.holder is not None and t.holder not in alive]

    @action(4, when=lambda self: self.orphans())
    def rescue(self) -> None:
        """The tasks of the dead run again, or have failed too often."""
        orphans = self.orphans()
        self.agree(self.run(self.world.engine._parts.maintenance.rescue()), len(orphans), "rescued")
        for task_id in orphans:
            self.model.fail(task_id, lost=True)

    @action(2, when=lambda self: self.world.ghosts, number=PICK, other=PICK)
    def late_end(self, number: int, other: int) -> None:
        """An end arrives late, of any attempt that ever was and from any worker: it counts only from the holder."""
        claim, _ = self.world.ghosts[number % len(self.world.ghosts)]
        _, worker = self.world.ghosts[other % len(self.world.ghosts)]
        task = self.model.tasks.get(claim.task_id)
        alive = {hand.id for hand in self.world.hands}
        if worker in alive:
            return  # it speaks for itself
        rightful = task is not None and (task.holder, task.attempt) == (worker, claim.attempt)
        self.agree(self.run(self.world.late_end(claim, worker)), rightful, "the late end")
        if rightful:
            self.model.complete(claim.task_id, "late")

    # -- changes ----------------------------------------------------------------------------------------------

    def cancel_in_model(self, task_id: TaskId) -> None:
        """Predict a cancel: a worker that lives ends the attempt at once."""
        alive = {hand.id for hand in self.world.hands}
        self.model.cancel(task_id, heard=self.model.tasks[task_id].holder in alive)

    @action(2, when=lambda self: self.model.tasks, number=PICK)
    def cancel(self, number: int) -> None:
        """Anything that is not over."""
        task_id, task = self.pick(number) or _nothing()
        refused = self.refused(self.world.engine.cancel(task_id), IllegalTransitionError)
        self.agree(refused, task.is_final, "the cancel was refused")
        if not refused:
            self.cancel_in_model(task_id)

    @action(3, when=lambda self: self.model.tasks, number=PICK)
    def requeue(self, number: int) -> None:
        """Only what is over."""
        final = self.pick(number, "completed", "failed", "cancelled")
        task_id, task = (final if number % 4 else None) or self.pick(number) or _nothing()
        if task.is_final and self.model.rival(task_id) is not None:
            taken = self.refused(self.world.engine.requeue(task_id), DuplicateTaskError)
            self.agree(taken, True, "the requeue was refused for its key")
            return
        refused = self.refused(self.world.engine.requeue(task_id), IllegalTransitionError)
        self.agree(refused, not task.is_final, "the requeue was refused")
        if not refused:
            self.model.requeue(task_id)

    @action(2, when=lambda self: self.model.tasks, number=PICK, priority=PRIORITIES)
    def reprioritize(self, number: int, priority: int) -> None:
        """Anything that is not over."""
        task_id, task = self.pick(number) or _nothing()
        refused = self.refused(self.world.engine.reprioritize(task_id, priority), IllegalTransitionError)
        self.agree(refused, task.is_final, "the new priority was refused")
        if not refused:
            self.model.reprioritize(task_id, priority)

    @action(2, when=lambda self: self.model.tasks, number=PICK)
    def delete(self, number: int) -> None:
        """Anything at all, one time in four."""
        task_id, _ = self.pick(number) or _nothing()
        if number % 4 == 0:
            self.run(self.world.engine.delete(task_id))
            for told in self.told:
                if told.follower.task_id == task_id and not told.over:
                    told.expected.append("deleted")
                    told.over = True
            self.model.delete(task_id)

    @action(1, lane=LANE, paused=st.sampled_from([False, False, True]))
    def pause(self, lane: str, paused: bool) -> None:
        """A lane rests, or goes on."""
        self.run(self.world.engine.pause(lane) if paused else self.world.engine.resume(lane))
        (self.model.paused.add if paused else self.model.paused.discard)(lane)

    # -- time -------------------------------------------------------------------------------------------------

    @action(
        2,
        when=lambda self: any(t.status not in ("ready", "processing") for t in self.model.tasks.values()),
        steps=st.sampled_from([1, 1, 3, 90]),
    )
    def pass_time(self, steps: int) -> None:
        """It becomes later."""
        self.run(self.world.pass_time(steps * STEP_SECONDS))
        self.model.step += steps

    @action(4, when=lambda self: self.model.due())
    def promote(self) -> None:
        """What is due becomes ready, in one order or another."""
        due = self.model.due()
        self.run(self.world.engine._parts.maintenance.promote())
        order = self.run(self.world.order(due))
        self.agree(sorted(order), sorted(due), "promoted")
        for task_id in order:
            self.model.promote(task_id)

    @action(2, when=lambda self: self.model.old())
    def prune(self) -> None:
        """What was over for a day goes."""
        old = self.model.old()
        self.agree(self.run(self.world.engine.prune()), len(old), "pruned")
        for task_id in old:
            self.model.delete(task_id)
        # Counters are folded now and then.
        self.run(self.world.engine._parts.housekeeping.roll_up())

    # -- watching ---------------------------------------------------------------------------------------------

    @action(2, when=lambda self: self.model.tasks and len(self.told) < 3, number=PICK, seen=PICK)
    def watch(self, number: int, seen: int) -> None:
        """Somebody follows a task, from the start or from a seq that was seen before."""
        task_id, task = self.pick(number) or _nothing()
        after = seen % (len(task.events) + 1)

        async def begin() -> Follower:
            return Follower(self.world.engine, task_id, after)

        self.told.append(Told(self.run(begin()), []))

    @action(1, when=lambda self: self.told, number=PICK)
    def come_back(self, number: int) -> None:
        """A watcher leaves."""
        told = self.told.pop(number % len(self.told))
        self.run(told.follower.stop())

    def expect(self) -> None:
        """Tell what every watcher must have heard by now."""
        for told in self.told:
            task = self.model.tasks.get(told.follower.task_id)
            if told.over or task is None:
                continue
            told.expected = []
            rest = task.events[told.follower.after :]
            last = [n for n, (kind, _) in enumerate(rest) if kind in ("completed", "failed", "cancelled")]
            told.over = task.is_final
            told.expected = [kind for kind, _ in (rest[: last[-1] + 1] if task.is_final and last else rest)]

    # -- comparing --------------------------------------------------------------------------------------------

    @invariant()
    def agreed(self) -> None:
        """After every step the engine and the model say the same of everything."""
        self.expect()
        self.run(self._settled())
        for hand in list(self.world.hands):
            if not self.model.held_by(hand.id):
                self.run(self.world.leave(hand))
        self.agree(self.run(self.world.keys()), self.model.keys, "keys")
        self.agree(self.run(self.world.faults()), [], "broken promises")
        self.run(self._statistics())
        self.told = [told for told in self.told if not told.over]

    async def _settled(self) -> None:
        """Wait until what was done has arrived everywhere; it must, within a while."""
        ours = {
            task_id: (
                t.status, t.attempt, t.failures, t.priority, t.cancel_requested and t.status == "processing",
                t.progress if t.status == "processing" else float(t.status == "completed"),
                None if t.result is None else f'"{t.result}"', t.holder,
                None if t.checkpoint is None else str(t.checkpoint), [f"{k} {n}" for k, n in t.events],
            )
            for task_id, t in self.model.tasks.items()
        }  # fmt: skip
        until = asyncio.get_running_loop().time() + self.world.patience_seconds
        while (wrong := await self._difference(ours)) is not None:
            if asyncio.get_running_loop().time() > until:
                raise Divergence(wrong)
            await asyncio.sleep(0.001)

    async def _difference(self, ours: dict[TaskId, tuple[Any, ...]]) -> str | None:
        real = await self.world.state()
        if real != ours:
            return f"the engine has {sorted(real.items())!r}, the model {sorted(ours.items())!r}"
        for hand in self.world.hands:
            held = sorted(task_id for task_id, _ in hand.worker._flusher.held)
            if held != sorted(self.model.held_by(hand.id)):
                return f"worker {hand.id} holds {held!r}"
        for told in self.told:
            heard = [kind for kind in told.follower.kinds if kind != "progress"]
            if heard != told.expected or told.follower.task.done() is not told.over:
                return f"a watcher heard {heard!r}, the model {told.expected!r}"
        return None

    async def _statistics(self) -> None:
        self.steps += 1
        owner = ("", "bob", None)[self.steps % 3]
        seen = await self.world.engine.statistics(owner=owner)
        mine = [t.status for t in self.model.tasks.values() if owner in (None, t.owner)]
        waiting = mine.count("ready") + mine.count("scheduled")
        counted = (waiting, *(mine.count(s) for s in ("processing", "completed", "failed", "cancelled")))
        told = (seen.pending, seen.processing, seen.completed, seen.failed, seen.cancelled)
        self.agree(told, counted, f"the statistics of {owner!r}")

    def teardown(self) -> None:
        """Leave nothing to the next history."""
        for told in self.told:
            self.run(told.follower.stop())
        self.run(self.world.clear())


def _soon(steps: int) -> Any:
    from datetime import timedelta

    return timedelta(seconds=(steps - 0.5) * STEP_SECONDS)


def _nothing() -> Any:
    raise AssertionError("a precondition has let this through")
