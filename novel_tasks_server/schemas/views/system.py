"""What the system is and how it is, as admins get to see it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from novel_tasks_core import Condition


class CheckStatus(StrEnum):
    """What a check found."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@frozen(kw_only=True, slots=False)
class CheckView:
    """One check, by a name that no other has: what it found and, unless all is well, how to mend it.

    `conditions` say what was found one by one, each with a code that does not change and its values, so that it can
    be said in other words; their sentences together are `detail`.
    """

    name: str
    status: CheckStatus
    detail: str
    advice: str
    conditions: list[Condition]


@frozen(kw_only=True, slots=False)
class StorageView:
    """How much is stored, and how much room the disk of the files has, in bytes; null where nobody can say now."""

    files_bytes: int | None
    free_bytes: int | None
    total_bytes: int | None
    database_bytes: int | None
    tasks: int | None
    tasks_is_estimate: bool


@frozen(kw_only=True, slots=False)
class SettingView:
    """A setting by its variable. Of a secret one no value is shown, or only what is not secret of it; see `is_set`."""

    name: str
    value: str | int | float | bool | list[str] | None
    is_default: bool
    is_secret: bool
    is_set: bool


@frozen(kw_only=True, slots=False)
class SystemView:
    """Whether all is well, which versions run, how much is stored, and how the process that answers is set."""

    checks: list[CheckView]
    versions: Mapping[str, str | None]
    storage: StorageView
    settings: list[SettingView]
    started_at: datetime
    host: str
    pid: int
