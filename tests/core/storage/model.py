"""What a task engine is, in plain Python: the model that the real one is held against."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import Factory, define, field

from novel_tasks_core.models import OnDuplicate, ReleaseKey, TaskId

STEP_SECONDS = 1000.0
"""Time passes in steps this long, so that the seconds that a test takes do not matter."""
POLICY_ATTEMPTS = 3
RETRY_STEPS = 1
DAY_STEPS = 87
"""Steps after which more than a day has passed."""
FINAL = ("completed", "failed", "cancelled")

Kind = tuple[str, int]
"""An event as the model knows it: its kind, and of which attempt it is."""


@define
class Known:
    """A task. `place` is its order among those of its priority; `attempt` the last number that was given out."""

    owner: str
    lane: str
    priority: int
    place: int
    max_attempts: int | None
    release_at: ReleaseKey | None
    key: str | None = None
    due: int = 0
    status: str = "ready"
    attempt: int = 0
    failures: int = 0
    cancel_requested: bool = False
    holder: int | None = None
    progress: float = 0.0
    checkpoint: int | None = None
    result: str | None = None
    finished: int = 0
    events: list[Kind] = field(factory=list)

    @property
    def is_final(self) -> bool:
        """Whether it is over."""
        return self.status in FINAL

    @property
    def is_last_chance(self) -> bool:
        """Whether one more failure is one too many."""
        return self.failures + 1 >= (self.max_attempts or POLICY_ATTEMPTS)


@define
class Model:
    """All tasks, who holds which key, which lanes rest, and how late it is."""

    tasks: dict[TaskId, Known] = Factory(dict)
    keys: dict[tuple[str, str], TaskId] = Factory(dict)
    paused: set[str] = Factory(set)
    step: int = 0
    _places: Iterator[int] = Factory(lambda: iter(range(1 << 30)))

    # -- submitting -------------------------------------------------------------------------------------------

    def held(self, owner: str, key: str | None) -> TaskId | None:
        """Return who holds a key."""
        return None if key is None else self.keys.get((owner, key))

    def submit(
        self, task_id: TaskId, *, owner: str, lane: str, priority: int, delay: int, max_attempts: int | None,
        key: str | None, release_at: ReleaseKey, on_duplicate: OnDuplicate,
    ) -> None:  # fmt: skip
        """Store a new task; whoever held its key gives way."""
        if self.held(owner, key) is not None and on_duplicate is OnDuplicate.ALLOW:
            key = None
        if key is not None:
            self.keys[owner, key] = task_id
        task = Known(
            owner, lane, priority, next(self._places), max_attempts, release_at if key is not None else None, key
        )
        if delay:
            task.status, task.due = "scheduled", self.step + delay
        self.tasks[task_id] = task

    # -- attempts ---------------------------------------------------------------------------------------------

    def next_ones(self, lane: str, slots: int) -> list[TaskId]:
        """Return what a worker with so many slots gets of a lane."""
        if lane in self.paused:
            return []
        ready = [(-t.priority, t.place, i) for i, t in self.tasks.items() if (t.lane, t.status) == (lane, "ready")]
        return [task_id for *_, task_id in sorted(ready)[:slots]]

    def claim(self, task_id: TaskId, worker: int) -> None:
        """Give a task to a worker."""
        task = self.tasks[task_id]
        task.status, task.holder, task.attempt, task.progress = "processing", worker, task.attempt + 1, 0.0
        task.events.append(("started", task.attempt))

    def held_by(self, worker: int) -> list[TaskId]:
        """Return what a worker holds."""
        return [task_id for task_id, task in self.tasks.items() if task.holder == worker]

    def complete(self, task_id: TaskId, result: str) -> None:
        """End an attempt well."""
        self.tasks[task_id].result = result
        self._finish(task_id, "completed")

    def fail(self, task_id: TaskId, *, lost: bool = False) -> None:
        """End an attempt with a failure; one of a dead worker runs again at once."""
        task = self.tasks[task_id]
        if not lost:
            task.events.append(("log", task.attempt))
        if task.is_last_chance:
            task.failures += 1
            self._finish(task_id, "failed")
        elif lost and task.cancel_requested:
            self._finish(task_id, "cancelled")
        else:
            task.failures += 1
            self._again(task, "retry", 0 if lost else RETRY_STEPS)

    def retry(self, task_id: TaskId, delay: int) -> None:
        """End an attempt that asked to come again."""
        task = self.tasks[task_id]
        task.events.append(("log", task.attempt))
        self._again(task, "retry", delay)

    def release(self, task_id: TaskId) -> None:
        """Give a task back at shutdown."""
        self._again(self.tasks[task_id], "released", 0)

    def _again(self, task: Known, kind: str, delay: int) -> None:
        task.events.append((kind, task.attempt))
        task.holder = None
        task.status, task.due = ("scheduled", self.step + delay) if delay else ("ready", 0)

    def _finish(self, task_id: TaskId, status: str, *, attempt: int | None = None) -> None:
        task = self.tasks[task_id]
        task.events.append((status, task.attempt if attempt is None else attempt))
        task.status, task.holder, task.finished = status, None, self.step
        task.checkpoint = None
        let_go = {ReleaseKey.FINISH: FINAL, ReleaseKey.FAILURE: ("failed", "cancelled")}
        if task.release_at is not None and status in let_go.get(task.release_at, ()):
            self.free(task_id)

    def free(self, task_id: TaskId) -> None:
        """Let go of a task's key."""
        self.keys = {key: holder for key, holder in self.keys.items() if holder != task_id}

    # -- changes ----------------------------------------------------------------------------------------------

    def cancel(self, task_id: TaskId, *, heard: bool) -> None:
        """Cancel a task; `heard` says whether a worker that runs it is alive to hear of it."""
        task = self.tasks[task_id]
        if task.holder is None:
            self._finish(task_id, "cancelled", attempt=0)
            return
        if not task.cancel_requested:
            task.events.append(("cancel_requested", task.attempt))
        task.cancel_requested = True
        if heard:
            self._finish(task_id, "cancelled")

    def rival(self, task_id: TaskId) -> TaskId | None:
        """Return the task that holds the key that another one would take back."""
        task = self.tasks[task_id]
        holder = self.held(task.owner, task.key)
        return holder if holder != task_id else None

    def requeue(self, task_id: TaskId) -> None:
        """Send a finished task round again, with its key."""
        task = self.tasks[task_id]
        if task.key is not None:
            self.keys[task.owner, task.key] = task_id
        task.events.append(("requeued", 0))
        task.status, task.failures, task.cancel_requested, task.place = "ready", 0, False, next(self._places)

    def reprioritize(self, task_id: TaskId, priority: int) -> None:
        """Change a priority; a ready task goes to the end of it."""
        task = self.tasks[task_id]
        if task.priority == priority:
            return
        task.events.append(("reprioritized", 0))
        task.priority = priority
        if task.status == "ready":
            task.place = next(self._places)

    def delete(self, task_id: TaskId) -> None:
        """Forget a task."""
        self.free(task_id)
        del self.tasks[task_id]

    # -- time -------------------------------------------------------------------------------------------------

    def due(self) -> list[TaskId]:
        """Return the scheduled tasks whose time has come."""
        return [i for i, t in self.tasks.items() if t.status == "scheduled" and t.due <= self.step]

    def promote(self, task_id: TaskId) -> None:
        """Make a due task ready, behind the others."""
        task = self.tasks[task_id]
        task.status, task.place = "ready", next(self._places)

    def old(self) -> list[TaskId]:
        """Return the finished tasks that are older than a day."""
        return [i for i, t in self.tasks.items() if t.is_final and self.step - t.finished >= DAY_STEPS]
