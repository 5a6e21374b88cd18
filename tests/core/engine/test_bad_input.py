"""Bad input: refused by a typed error that names the field, before anything is stored, and alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest

from novel_tasks_core import (
    InvalidInputError,
    InvalidOptionsError,
    NewTask,
    Processors,
    RetryPolicy,
    Source,
    SourceNotFoundError,
    Task,
    TaskEngine,
    TaskFilter,
    TaskStatus,
    UnknownProcessorError,
)
from novel_tasks_core.models import MAX_JSON_BYTES

from ..support import Gate, ended

HASH = "0" * 64
LONG = "x" * 70_000
NAN = float("nan")
EAST, WEST = timezone(timedelta(hours=9)), timezone(timedelta(hours=-9))


def nested(depth: int) -> dict[str, Any]:
    """Make an object with so many levels."""
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "priority too high": ({"priority": 32768}, "priority"),
    "priority too low": ({"priority": -32769}, "priority"),
    "priority as text": ({"priority": "5"}, "priority"),
    "priority as a fraction": ({"priority": 1.5}, "priority"),
    "priority as a truth": ({"priority": True}, "priority"),
    "priority without end": ({"priority": 10**5000}, "priority"),
    "no priority": ({"priority": None}, "priority"),
    "naive time": ({"run_at": datetime(2030, 1, 1)}, "run_at"),  # noqa: DTZ001 - that is the point
    "time as text": ({"run_at": "2030-01-01"}, "run_at"),
    "time before all times": ({"run_at": datetime.min.replace(tzinfo=EAST)}, "run_at"),
    "time after all times": ({"run_at": datetime.max.replace(tzinfo=WEST)}, "run_at"),
    "no attempts": ({"max_attempts": 0}, "max_attempts"),
    "negative attempts": ({"max_attempts": -1}, "max_attempts"),
    "too many attempts": ({"max_attempts": 1001}, "max_attempts"),
    "attempts as a truth": ({"max_attempts": True}, "max_attempts"),
    "attempts as a fraction": ({"max_attempts": 2.0}, "max_attempts"),
    "no time": ({"timeout_seconds": 0}, "timeout_seconds"),
    "negative time": ({"timeout_seconds": -5}, "timeout_seconds"),
    "no number as time": ({"timeout_seconds": NAN}, "timeout_seconds"),
    "time without end": ({"timeout_seconds": float("inf")}, "timeout_seconds"),
    "time as a truth": ({"timeout_seconds": True}, "timeout_seconds"),
    "seconds as text": ({"timeout_seconds": "5"}, "timeout_seconds"),
    "too much time": ({"timeout_seconds": 1e9}, "timeout_seconds"),
    "long owner": ({"owner": "x" * 256}, "owner"),
    "NUL in owner": ({"owner": "a\x00"}, "owner"),
    "owner as bytes": ({"owner": b"ann"}, "owner"),
    "no owner": ({"owner": None}, "owner"),
    "long key": ({"key": "k" * 513}, "key"),
    "empty key": ({"key": ""}, "key"),
    "key as a number": ({"key": 5}, "key"),
    "surrogate in key": ({"key": "\ud800"}, "key"),
    "no such choice": ({"key": "k", "on_duplicate": "explode"}, "on_duplicate"),
    "no such release": ({"key": "k", "release_at": []}, "release_at"),
    "long session": ({"session_id": "s" * 256}, "session_id"),
    "session as a number": ({"session_id": 1}, "session_id"),
    "NUL in the session": ({"session_id": "\x00"}, "session_id"),
    "note as a number": ({"note": 1}, "note"),
    "long note": ({"note": "n" * 4001}, "note"),
    "options not JSON": ({"options": {"a": object()}}, "options"),
    "options as text": ({"options": "width=5"}, "options"),
    "options with NaN": ({"options": {"a": NAN}}, "options"),
    "options with NUL": ({"options": {"a": "\x00"}}, "options"),
    "options with NUL in a name": ({"options": {"a": {"\x00": 1}}}, "options"),
    "options too deep": ({"options": nested(40)}, "options"),
    "options too large": ({"options": {"a": LONG}}, "options"),
    "options with a number without end": ({"options": {"a": 10**5000}}, "options"),
    "extra data as text": ({"extra_data": "a=b"}, "extra_data"),
    "extra data as a list": ({"extra_data": [1]}, "extra_data"),
    "extra data as an empty list": ({"extra_data": []}, "extra_data"),
    "extra data with a surrogate": ({"extra_data": {"a": "\ud800"}}, "extra_data"),
    "extra data with a surrogate in a name": ({"extra_data": {"\udfff": 1}}, "extra_data"),
    "extra data with NUL": ({"extra_data": {"a": ["\x00"]}}, "extra_data"),
    "extra data with NUL in a name": ({"extra_data": {"a\x00": 1}}, "extra_data"),
    "extra data with infinity": ({"extra_data": {"a": float("-inf")}}, "extra_data"),
    "extra data with a number as a name": ({"extra_data": {1: 1}}, "extra_data"),
    "extra data with a set": ({"extra_data": {"a": {1}}}, "extra_data"),
    "extra data too deep": ({"extra_data": nested(40)}, "extra_data"),
    "extra data far too deep": ({"extra_data": nested(900)}, "extra_data"),
    "extra data too large": ({"extra_data": {"a": LONG}}, "extra_data"),
    "extra data too large in bytes": ({"extra_data": {"a": "渡" * (MAX_JSON_BYTES // 3)}}, "extra_data"),
    "source as text": ({"source": HASH}, "source"),
    "no hash": ({"source": Source("zz", 1, "n")}, "source.sha256"),
    "hash as bytes": ({"source": Source(b"0" * 64, 1, "n")}, "source.sha256"),  # type: ignore[arg-type]
    "hash in capitals": ({"source": Source("A" * 64, 1, "n")}, "source.sha256"),
    "negative size": ({"source": Source(HASH, -1, "n")}, "source.size"),
    "size as a truth": ({"source": Source(HASH, True, "n")}, "source.size"),
    "size beyond all files": ({"source": Source(HASH, 1 << 63, "n")}, "source.size"),
    "NUL in the file name": ({"source": Source(HASH, 1, "a\x00b")}, "source.name"),
    "long file name": ({"source": Source(HASH, 1, "n" * 256)}, "source.name"),
    "processor as a number": ({"processor": 5}, "processor"),
    "processor as a list": ({"processor": ["gate"]}, "processor"),
    "no processor": ({"processor": None}, "processor"),
}


@pytest.fixture
async def bad_engine(engine: TaskEngine, gate: Gate) -> TaskEngine:
    """An engine with a good task, so that nothing about the connection is new."""
    await engine.submit(processor="gate")
    return engine


async def test_bad_input_is_refused_by_name_and_stores_nothing(bad_engine: TaskEngine) -> None:
    """In a single submit, in a bulk one, in an import; good tasks beside it are not stored either."""
    engine = bad_engine
    for why, (wrong, field) in BAD.items():
        with pytest.raises(InvalidInputError) as caught:
            await engine.submit(**{"processor": "gate"} | wrong)
        assert caught.value.field == field or isinstance(caught.value, InvalidOptionsError), why
        new = NewTask(**{"processor": "gate"} | wrong)
        with pytest.raises(InvalidInputError) as caught:
            await engine.submit_many([NewTask(processor="gate"), new])
        assert caught.value.field.startswith(f"tasks.1.{field}"), why
        with pytest.raises(InvalidInputError, match=r"^tasks\.1\."):
            await engine.import_tasks([NewTask(processor="gate"), new])
    assert await engine.count() == 1


async def test_an_unknown_processor_is_answered_with_those_that_are_known(bad_engine: TaskEngine) -> None:
    """And a source that is not stored with its hash."""
    with pytest.raises(UnknownProcessorError, match="known: analyze"):
        await bad_engine.submit(processor="nonsense")
    with pytest.raises(SourceNotFoundError, match=HASH):
        await bad_engine.submit(Source(HASH, 1, "n"), processor="gate")
    assert await bad_engine.count() == 1


class Level(IntEnum):
    """Priorities as a program may name them."""

    HIGH = 9


class Owner(StrEnum):
    """Owners as a program may name them."""

    ANN = "ann"


async def test_what_looks_odd_but_can_be_stored_is_stored(bad_engine: TaskEngine) -> None:
    """At the limits, and of types that are as good: it comes back as JSON and the database know it."""
    task = await bad_engine.submit(
        processor="gate",
        priority=Level.HIGH,
        owner=Owner.ANN,
        key="k" * 512,
        session_id="",
        note="a\x00b\ud800",
        timeout_seconds=31 * 86_400,
        max_attempts=1000,
        run_at=datetime.max.replace(tzinfo=EAST),
        options=MappingProxyType({"a": (1, 2.5, None, True)}),
        extra_data={
            "a": "x" * (MAX_JSON_BYTES - 8),
        },
    )
    assert task == await bad_engine.get(task.id)
    assert [log.message for log in await bad_engine.logs(task.id)] == ["a\ufffdb\ufffd"]
    early = await bad_engine.submit(processor="gate", run_at=datetime.min.replace(tzinfo=UTC), extra_data=nested(30))
    assert early == await bad_engine.get(early.id)
    assert early.run_at is None


async def test_escapes_that_only_look_like_nul_are_kept(bad_engine: TaskEngine) -> None:
    """A backslash before u0000 is text like any other."""
    data = {"a": "\\u0000", "b\\u0000": ["\\\\u0000"]}
    task = await bad_engine.submit(processor="gate", extra_data=data)
    assert (await bad_engine.get(task.id)).extra_data == task.extra_data == data


async def test_one_bad_submit_does_not_spoil_those_that_came_with_it(engine: TaskEngine, gate: Gate) -> None:
    """Submits that share a statement fail alone: whether we refuse them or the database does, with keys or without."""
    missing = Source(HASH, 1, "n")
    wrong: dict[int, dict[str, Any]] = {
        3: {"extra_data": {"a": "\x00"}},
        20: {"source": missing},
        21: {"source": missing, "key": "k21"},
        33: {"source": missing, "note": "n"},
        39: {"source": missing},
    }
    done = await asyncio.gather(
        *(
            engine.submit(**{"processor": "gate", "priority": n, "key": f"k{n}" if n % 2 else None, **wrong.get(n, {})})
            for n in range(40)
        ),
        return_exceptions=True,
    )
    assert {n: type(one) for n, one in enumerate(done) if not isinstance(one, Task)} == {
        n: InvalidInputError if n == 3 else SourceNotFoundError for n in wrong
    }
    assert [one.priority for one in done if isinstance(one, Task)] == [n for n in range(40) if n not in wrong]
    assert await engine.count() == 35
    again = await engine.submit(processor="gate", key="k21")
    assert not again.duplicate  # what was refused holds no key


async def test_a_faulty_retry_policy_fails_only_its_task(engine: TaskEngine, processors: Processors) -> None:
    """A formula that raises, or returns no number: the task fails and says so, the worker goes on."""

    async def fail(ctx: Any) -> None:
        raise ValueError("as wanted")

    def broken(failures: int, error_type: str) -> float:
        raise ZeroDivisionError("in the formula")

    for name, custom in (("raises", broken), ("nan", lambda *_: NAN), ("text", lambda *_: "soon")):
        processors.register(name, fail, retry=RetryPolicy(custom=custom))  # type: ignore[arg-type]
    async with engine.worker():
        for name in ("raises", "nan", "text"):
            task = await ended(engine, await engine.submit(processor=name))
            assert (task.status, task.failures) == (TaskStatus.FAILED, 1)
            assert task.error is not None
            assert "and the retry policy raised" in task.error.message
    assert await engine.count(TaskFilter(status=TaskStatus.FAILED)) == 3
