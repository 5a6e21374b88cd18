"""Where claims begin: pure marks per lane and priority."""

from __future__ import annotations

from novel_tasks_core.storage.queue import Head
from novel_tasks_core.worker.watermarks import REFRESH_SECONDS, Watermarks


def test_marks_are_lowered_by_news_and_raised_by_claims() -> None:
    """The lowest position heard counts; a claim moves the mark past what it took."""
    marks = Watermarks([1])
    assert marks.hear([Head(1, 0, 50), Head(1, 0, 40), Head(1, 0, 60)])
    assert marks.heads() == [Head(1, 0, 40)]
    marks.passed([Head(1, 0, 55)])
    assert marks.heads() == [Head(1, 0, 56)]
    marks.hear([Head(1, 0, 12)])
    assert marks.heads() == [Head(1, 0, 12)]


def test_other_lanes_do_not_concern_a_worker() -> None:
    """News of lanes that it does not serve neither wake it nor stay."""
    marks = Watermarks([1])
    assert not marks.hear([Head(2, 0, 1)])
    assert marks.heads() == []


def test_higher_priorities_come_first() -> None:
    """Of all lanes, whatever their order."""
    marks = Watermarks([1, 2])
    marks.hear([Head(1, -5, 1), Head(2, 7, 2), Head(1, 7, 3), Head(2, 0, 4)])
    assert [head.priority for head in marks.heads()] == [7, 7, 0, -5]


def test_no_lane_is_always_first() -> None:
    """Among equal priorities the order changes, so that a busy lane does not starve the others."""
    marks = Watermarks([1, 2])
    marks.hear([Head(1, 0, 1), Head(2, 0, 2)])
    assert {marks.heads()[0].lane for _ in range(200)} == {1, 2}


def test_a_refresh_forgets_what_the_table_does_not_have() -> None:
    """The table is right: marks without ready tasks go, and the next look is due a second later."""
    marks = Watermarks([1])
    assert marks.is_stale(0.0)
    marks.hear([Head(1, 3, 9)])
    marks.begin()
    marks.refresh([Head(1, 0, 5)], began=100.0, ended=100.0)
    assert marks.heads() == [Head(1, 0, 5)]
    assert not marks.is_stale(100.0 + REFRESH_SECONDS / 2)
    assert marks.is_stale(100.0 + REFRESH_SECONDS)


def test_what_is_heard_while_the_table_is_read_is_not_forgotten() -> None:
    """The answer may be older than the news: the lower of both counts."""
    marks = Watermarks([1])
    marks.begin()
    marks.hear([Head(1, 3, 9), Head(1, 0, 50)])
    marks.refresh([Head(1, 0, 5), Head(1, 7, 6)], began=100.0, ended=100.1)
    assert sorted(marks.heads()) == [Head(1, 0, 5), Head(1, 3, 9), Head(1, 7, 6)]


def test_a_table_that_is_slow_to_read_is_read_less_often() -> None:
    """Reading takes a twentieth of the time at most."""
    marks = Watermarks([1])
    marks.refresh([], began=100.0, ended=103.0)
    assert not marks.is_stale(162.9)
    assert marks.is_stale(163.0)


def test_marks_can_be_made_stale() -> None:
    """After `expire` the table is read before the next claim."""
    marks = Watermarks([1])
    marks.refresh([], began=100.0, ended=100.0)
    marks.expire()
    assert marks.is_stale(100.0)


def test_a_lane_that_gave_too_little_is_left_alone_until_it_is_heard_of() -> None:
    """What a claim could not fill is not asked again, except where there was news while it ran."""
    marks = Watermarks([1, 2])
    marks.refresh([Head(1, 0, 5), Head(1, 7, 6), Head(2, 0, 8)], began=0.0, ended=0.0)
    marks.begin()
    marks.hear([Head(1, 7, 9)])
    marks.exhausted(1)
    assert {(head.lane, head.priority) for head in marks.heads()} == {(1, 7), (2, 0)}
    marks.begin()
    marks.exhausted(1)
    assert [head.lane for head in marks.heads()] == [2]
    marks.hear([Head(1, 0, 12)])
    assert Head(1, 0, 12) in marks.heads()
