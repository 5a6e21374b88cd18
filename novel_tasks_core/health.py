"""What health tells: whether each part works, and what an operator should look at, by codes that do not change."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen

from novel_tasks_core.models import JsonObject


class ConditionCode(StrEnum):
    """What health can tell of. These names do not change."""

    DATABASE_UNAVAILABLE = "database_unavailable"
    DEAD_ROWS = "dead_rows"
    DOORBELL_UNHEARD = "doorbell_unheard"
    LITTLE_ROOM = "little_room"
    OLD_TRANSACTION = "old_transaction"
    ROOM_UNKNOWN = "room_unknown"
    SERVICE_FAILED = "service_failed"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    TOO_MANY_CONNECTIONS = "too_many_connections"


@frozen(kw_only=True)
class Condition:
    """How something is: a sentence for people, and a code with its values for programs that have words of their own."""

    code: str
    text: str
    values: JsonObject = field(factory=dict, hash=False)


@frozen(kw_only=True)
class Health:
    """Whether the engine can do its work: each part True, or False with its reason in `wrong`.

    `noted` is what an operator should look at while the work goes on. `problems` and `notes` say both in sentences.
    """

    database: bool
    storage: bool
    wrong: tuple[Condition, ...] = ()
    noted: tuple[Condition, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, in sentences."""
        return tuple(one.text for one in self.wrong)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not as it should be, in sentences."""
        return tuple(one.text for one in self.noted)

    @property
    def healthy(self) -> bool:
        """Whether every part works."""
        return self.database and self.storage
