"""Which tasks are new, and whether any escaped: decided without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from novel_tasks_core.engine.arrivals import BACK, LIMIT, Arrivals
from novel_tasks_core.models import TaskId
from novel_tasks_core.storage.listing import first_id

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float, place: int = 0) -> TaskId:
    """Make the id of a task made so many seconds after NOW."""
    return TaskId(type(first_id(NOW))(int=first_id(NOW + timedelta(seconds=seconds)).int + place + 1))


def begun(*ids: TaskId) -> Arrivals:
    """Return arrivals that have looked once, and counted."""
    arrivals = Arrivals()
    arrivals.low(NOW)
    arrivals.add(ids)
    assert arrivals.uncounted
    assert arrivals.agrees(100)
    return arrivals


def test_the_first_look_finds_nothing_new() -> None:
    """What is there at the beginning is known; what comes later is new once, in whatever order it appears."""
    arrivals = begun(at(-1))
    assert arrivals.add([at(2), at(-1)]) == {at(2)}
    assert arrivals.add([at(2), at(1), at(-1)]) == {at(1)}
    assert arrivals.agrees(102)


def test_a_number_that_is_off_twice_means_that_something_escaped() -> None:
    """Once may be a deletion under way; afterwards it counts from the number that it saw next."""
    arrivals = begun()
    assert arrivals.agrees(101)
    assert arrivals.in_doubt
    assert not arrivals.agrees(101)
    assert arrivals.uncounted
    for _ in range(3):
        assert arrivals.agrees(101)


def test_a_deletion_that_is_heard_of_a_look_later_is_no_escape() -> None:
    """The number went down before anybody told why."""
    arrivals = begun(at(-1))
    assert arrivals.agrees(99)
    arrivals.remove([at(-1)])
    assert arrivals.agrees(99)
    assert not arrivals.in_doubt


def test_only_what_was_counted_is_taken_off() -> None:
    """Tasks from before the looks, known ones, and not those that came and went between two looks; each once."""
    arrivals = begun(at(-1))
    arrivals.remove([at(-1), at(-100)])
    arrivals.remove([at(-1), at(3)])
    assert arrivals.agrees(98)
    assert not arrivals.in_doubt


def test_looks_go_back_a_while_and_never_further_than_before() -> None:
    """The clock may be set back: what was looked at is not looked at again until it is found to be wrong."""
    arrivals = begun()
    low = arrivals.low(NOW + BACK)
    assert low == first_id(NOW)
    assert arrivals.low(NOW - timedelta(hours=1)) == low
    arrivals.agrees(101)
    arrivals.agrees(101)
    assert arrivals.low(NOW - timedelta(hours=1)) == first_id(NOW - timedelta(hours=1) - BACK)


def test_more_than_a_look_sees_makes_looks_shorter() -> None:
    """What lies before the last task that a full look saw is left alone, and not taken for new later on."""
    arrivals = begun()
    many = [at(1, place) for place in range(LIMIT + 10, 10, -1)]
    assert arrivals.add(many) == set(many)
    assert arrivals.low(NOW) == many[-1]
    assert arrivals.add(many[5:]) == set()
    arrivals.remove(many[:5])
    assert arrivals.agrees(100 + LIMIT - 5)
    assert not arrivals.in_doubt
    assert len(arrivals._known) == LIMIT - 5
