"""Random histories of the whole engine beside a model of it in plain Python: after every step both say the same."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from .bench import spoil
from .clocks import install_clock
from .machine import Divergence, EngineMachine
from .world import World, open_world, quick_flushes

LONG = os.environ.get("NOVEL_TASKS_LONG") == "1"
BASE = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True, database=None)
SHORT = settings(BASE, max_examples=12, stateful_step_count=40, derandomize=True, phases=[Phase.generate])
HUNT = settings(BASE, max_examples=100, stateful_step_count=40, derandomize=True, phases=[Phase.generate])
PROFILE = settings(BASE, max_examples=1000, stateful_step_count=80) if LONG else SHORT
"""With NOVEL_TASKS_LONG=1 a long run of another seed each time; pytest's --hypothesis-seed repeats one."""


@pytest.fixture
def machine(module_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[EngineMachine]]:
    """The machine on an open world."""
    quick_flushes(monkeypatch)
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        runner.run(install_clock(module_url))
        EngineMachine.world = runner.run(stack.enter_async_context(open_world(module_url, tmp_path, runner)))
        yield EngineMachine
        runner.run(stack.aclose())


@pytest.mark.timeout(7200 if LONG else 300)
def test_the_engine_does_what_the_model_says(machine: type[EngineMachine]) -> None:
    """States, numbers, events, keys, counters, claims and what watchers hear agree after every step."""
    run_state_machine_as_test(machine, settings=PROFILE)


Sabotage = Callable[[World], None]


def in_queue(query: str, guard: str, instead: str) -> Sabotage:
    """Take a guard out of the queue's statements, those of the rescuer included."""

    def sabotage(world: World) -> None:
        for queue in (world.engine._parts.queue, world.engine._parts.maintenance._parts.queue):
            spoil(queue, query, guard, instead)

    return sabotage


def in_changes(query: str, guard: str, instead: str) -> Sabotage:
    """Take a guard out of the statements of changes."""
    return lambda world: spoil(world.engine._parts.transitions._changes, query, guard, instead)


FENCE = "t.attempt = d.attempt - 1 and l.worker_id = $1 and l.attempt = d.attempt"
MUTANTS: dict[str, Sabotage] = {
    "an end is not fenced": in_queue("finish", FENCE, "$1::bigint is not null"),
    "requeue keeps the failures": in_changes("requeue", "failures = 0, ", ""),
    "a release gives the number back": in_queue(
        "postpone", "set attempt = d.attempt,", "set attempt = d.attempt - (d.outcome = 'released')::int,"
    ),
    "a release counts as a failure": in_queue(
        "postpone", "t.failures + d.failed", "t.failures + d.failed + (d.outcome = 'released')::int"
    ),
    "a retry forgets a cancel": in_queue("postpone", "and t.cancel_reason is null", ""),
    "an end keeps its checkpoint": in_queue(
        "finish", "delete from task_checkpoints where task_id = any(array(select id from ended))", "select"
    ),
    "a failed task keeps its key": in_queue("finish", "key_release = 'f' and status <> 'completed'", "false"),
    "a cancelled task keeps its key": in_changes("end_cancelled", "in ('n', 'f')", "= 'n'"),
    "a moved task keeps its place": in_changes(
        "reprioritize", "set priority = $2, position = p.position", "set priority = $2"
    ),
    "a release goes to the end": in_queue(
        "postpone",
        "select lane, priority, position, id, attempt from ended where run_at is null",
        "select lane, priority, nextval('task_position'), id, attempt from ended where run_at is null",
    ),
    "a paused lane is claimed": in_queue("claim", "and not n.paused", ""),
    "a deleted task keeps its key": in_changes("delete", "delete from task_keys where task_id = any($1)", "select"),
    "a requeue is not counted": in_changes(
        "requeue", "owner, lane, 'pending', count(*), 0", "owner, lane, 'pending', 0, 0"
    ),
}


ALWAYS = (
    "an end is not fenced", "requeue keeps the failures", "a release gives the number back",
    "a moved task keeps its place",
)  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS if LONG else ALWAYS)
def test_the_machine_finds_what_is_broken(machine: type[EngineMachine], name: str) -> None:
    """The mutants: with any one of these mistakes in the engine a history shows it before long."""
    machine.world.patience_seconds = 2.5  # a machine that is only slow shows nothing
    MUTANTS[name](machine.world)
    with pytest.raises(Divergence):
        run_state_machine_as_test(machine, settings=HUNT)
