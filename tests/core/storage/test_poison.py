"""A row that cannot be stored among many that can: it fails alone, and blocks nobody."""

from __future__ import annotations

from typing import Any

import pytest

from novel_tasks_core.errors import InvalidInputError
from novel_tasks_core.models import Claim, Completed, NewArtifact, Outcome, WorkerId
from novel_tasks_core.storage.queue import Queue

from .bench import Bench

TASKS = 40
NOWHERE = NewArtifact(name="a", content_type="t", size=1, sha256="0" * 64)
POISON: dict[int, Outcome] = {
    3: Completed(result=float("nan")),
    17: Completed(artifacts=(NOWHERE,)),
    18: Completed(result={"deep": float("inf")}),
    39: Completed(result=object()),
}
ODD = {0: "a\x00b", 1: "lone \ud800 surrogate", 2: {"k\x00": ["\udfff"]}}


async def statuses_after_one_flush(bench: Bench) -> list[str]:
    """End forty attempts at once, four of them with what cannot be stored; return what became of each."""
    for _ in range(TASKS):
        await bench.submit()
    claims: list[Claim] = await bench.claim(1, most=TASKS)
    outcomes = [POISON.get(n, Completed(result=ODD.get(n, n))) for n in range(TASKS)]
    endings = [bench.ending(claim, outcome) for claim, outcome in zip(claims, outcomes, strict=True)]
    await bench.queue.end(endings, holder=WorkerId(1), finisher=WorkerId(1))
    rows = await bench.other.fetch("select id, status from tasks")
    found = {row["id"]: row["status"] for row in rows}
    return [found[claim.task_id] for claim in claims]


async def test_what_cannot_be_stored_fails_alone(bench: Bench) -> None:
    """Each of the others is completed in the same flush; odd texts are repaired, not refused."""
    wanted = ["failed" if n in POISON else "completed" for n in range(TASKS)]
    assert await statuses_after_one_flush(bench) == wanted
    errors = await bench.other.fetch("select error ->> 'type' from tasks where status = 'failed'")
    assert [row[0] for row in errors] == ["InvalidInputError"] * len(POISON)
    results = await bench.other.fetch("select result::text from tasks where status = 'completed' order by id limit 3")
    assert [row[0] for row in results] == ['"a\ufffdb"', '"lone \ufffd surrogate"', '{"k\ufffd":["\ufffd"]}']


async def test_without_the_halving_it_would_block_all(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: a flush that is refused as a whole ends nobody's attempt."""
    end_part = Queue._end_part

    async def whole(self: Queue, flush: Any, query: str, columns: Any, part: Any) -> None:
        if len(part) in (0, TASKS):
            await end_part(self, flush, query, columns, part)
        else:
            raise InvalidInputError("batch", "was to be split")

    monkeypatch.setattr(Queue, "_end_part", whole)
    with pytest.raises(InvalidInputError):
        await statuses_after_one_flush(bench)
    assert await bench.other.fetchval("select count(*) from tasks where status <> 'pending'") == 0
