"""Claims whose answer was lost: the server may have leased tasks to a worker that never heard of it.

As long as the worker beats nobody rescues them, so it has to look for them itself.
"""

from __future__ import annotations

import logging

from novel_tasks_core.models import Released
from novel_tasks_core.storage.endings import make_ending
from novel_tasks_core.worker.flusher import Flusher
from novel_tasks_core.worker.parts import WorkerParts

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0


class LostClaims:
    """Gives back leases of the worker that it does not know of."""

    def __init__(self, parts: WorkerParts, flusher: Flusher) -> None:
        self._parts = parts
        self._flusher = flusher
        self._until = float("-inf")
        self._look_at = float("-inf")

    def suspect(self) -> None:
        """Note that a claim was not answered: for the length of a lease it may still be committed."""
        monotonic = self._parts.clock.monotonic()
        self._until = monotonic + self._parts.config.lease_ttl_seconds
        self._look_at = monotonic

    @property
    def suspected(self) -> bool:
        """Whether leases that we do not know of may turn up."""
        return self._parts.clock.monotonic() < self._until

    async def give_back(self, *, now: bool = False) -> None:
        """Look for such leases, once a second or `now`, and give them back. To be called while no claim is under way.

        Raises: DatabaseUnavailableError.
        """
        monotonic = self._parts.clock.monotonic()
        if not self.suspected or (monotonic < self._look_at and not now):
            return
        worker_id = self._flusher.worker_id
        leased = await self._parts.queue.leases(worker_id)
        unknown = [held for held in leased if held not in self._flusher.held]
        if unknown:
            logger.warning("lost_claims_given_back", extra={"worker_id": worker_id, "tasks": len(unknown)})
            at = self._flusher.now()
            endings = [
                make_ending(task_id, Released(reason="the claim was not answered"), attempt=attempt, at=at)
                for task_id, attempt in unknown
            ]
            ended = await self._parts.queue.end(endings, holder=worker_id, finisher=worker_id)
            self._parts.announce(ended.heads, ended.last_seq)
        self._look_at = monotonic + _LOOK_SECONDS
