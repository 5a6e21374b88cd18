"""What a check found, as a value: for people in a sentence, for programs by a code and its values."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import frozen

from novel_tasks_core import Condition


class Code(StrEnum):
    """What can be found; what the engine itself finds is a ConditionCode. These names do not change."""

    CLOCK_AHEAD = "clock_ahead"
    CLOCK_BEHIND = "clock_behind"
    CLOCK_RIGHT = "clock_right"
    CONNECTIONS_ENOUGH = "connections_enough"
    CONNECTIONS_FEW = "connections_few"
    DATABASE_ENCODING = "database_encoding"
    DATABASE_OLD = "database_old"
    DATABASE_REACHED = "database_reached"
    DATABASE_STANDBY = "database_standby"
    DATABASE_TO_BE_MADE = "database_to_be_made"
    DATABASE_UNREACHABLE = "database_unreachable"
    DEFAULT_UNKNOWN = "default_unknown"
    ENOUGH_SPACE = "enough_space"
    EXTRA_MISSING = "extra_missing"
    EXTRAS_ALL = "extras_all"
    EXTRAS_SOME = "extras_some"
    FLUSH_QUICK = "flush_quick"
    FLUSH_SLOW = "flush_slow"
    FOLDER_SILENT = "folder_silent"
    FOLDER_UNWRITABLE = "folder_unwritable"
    LITTLE_SPACE = "little_space"
    NO_FOLDER = "no_folder"
    NO_SPACE = "no_space"
    NO_WORKER = "no_worker"
    NOT_DURABLE = "not_durable"
    NOTHING_WRONG = "nothing_wrong"
    PRIVATE_DATABASE_UNREACHABLE = "private_database_unreachable"
    PROCESSOR_BROKEN = "processor_broken"
    PROCESSOR_PAUSED = "processor_paused"
    PROCESSORS_KNOWN = "processors_known"
    SCHEMA_BEHIND = "schema_behind"
    SCHEMA_CURRENT = "schema_current"
    SCHEMA_UNFIT = "schema_unfit"
    SERVICES_SILENT = "services_silent"
    SETTINGS_IGNORED = "settings_ignored"
    SETTINGS_READ = "settings_read"
    SETTINGS_UNREADABLE = "settings_unreadable"


class Verdict(StrEnum):
    """What a check found."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@frozen(kw_only=True)
class Finding:
    """What was checked and found; unless all is well, what mends it (a command, where one does) and why it matters.

    `told` says what was found once more, by codes and their values.
    """

    check: str
    verdict: Verdict
    found: str
    mend: str = ""
    why: str = ""
    told: tuple[Condition, ...] = ()


def ok(check: str, found: str, code: Code | None = None, **values: Any) -> Finding:
    """Say that all is well; `code` and `values` say it to programs, where any ask."""
    return Finding(check=check, verdict=Verdict.OK, found=found, told=_told(code, found, values))


def warning(check: str, found: str, mend: str, code: Code | None = None, *, why: str = "", **values: Any) -> Finding:
    """Say what works, but not as it should."""
    told = _told(code, found, values)
    return Finding(check=check, verdict=Verdict.WARNING, found=found, mend=mend, why=why, told=told)


def problem(check: str, found: str, mend: str, code: Code | None = None, *, why: str = "", **values: Any) -> Finding:
    """Say what cannot work."""
    told = _told(code, found, values)
    return Finding(check=check, verdict=Verdict.PROBLEM, found=found, mend=mend, why=why, told=told)


def _told(code: Code | None, found: str, values: Mapping[str, Any]) -> tuple[Condition, ...]:
    return (Condition(code=code, text=found, values=values),) if code else ()
