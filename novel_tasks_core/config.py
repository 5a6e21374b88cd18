"""Settings as frozen attrs values, and the one loader that fills them from a mapping of strings.

Nothing here reads the environment at import; `load_settings` is given a mapping, usually
`os.environ` over the values of a `.env` file.
"""

from __future__ import annotations

import math
import os
import re
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import attrs
from attrs import Attribute, field, frozen

from novel_tasks_core.errors import ConfigError
from novel_tasks_core.models import TaskStatus

S = TypeVar("S")

MAX_RETENTION_DAYS = 36_500
_PORT = re.compile(r"\d{0,5}", re.ASCII)


def setting(
    variable: str,
    *,
    default: Any = attrs.NOTHING,
    factory: Callable[[], Any] | None = None,
    parse: Callable[[str], Any] | None = None,
    validator: Callable[[Any, Attribute[Any], Any], None] | None = None,
    secret: bool = False,
) -> Any:
    """Declare an attrs field that is read from the environment variable `variable`.

    `parse` turns the text into the value where the field's type does not say how; it raises ValueError
    with what would be right. `secret` keeps the value out of the repr; the field's metadata tell it, and the variable.
    """
    made: dict[str, Any] = {"factory": factory} if factory is not None else {"default": default}
    metadata = {"variable": variable, "parse": parse, "secret": secret}
    return field(**made, validator=validator, repr=not secret, metadata=metadata)


def between(low: float, high: float) -> Callable[[Any, Attribute[Any], Any], None]:
    """Make a validator for numbers from `low` to `high`, both included; None passes."""

    def check(instance: object, attribute: Attribute[Any], value: float | None) -> None:
        if value is not None and not low <= value <= high:
            raise ConfigError(
                attribute.metadata.get("variable") or attribute.name,
                f"must be between {low:g} and {high:g}",
            )

    return check


def load_settings(cls: type[S], values: Mapping[str, str]) -> S:
    """Build the attrs class `cls` from text values by the names that its `setting` fields declare.

    A variable that is missing or empty takes the default.

    Raises: ConfigError naming the variable and what would be right; never repeats the value, which may
    be a secret.
    """
    hints = typing.get_type_hints(cls)
    chosen: dict[str, Any] = {}
    for attribute in attrs.fields(cls):  # type: ignore[arg-type]
        variable = attribute.metadata.get("variable")
        if variable is None:
            continue
        text = values.get(variable, "").strip()
        if not text:
            if attribute.default is attrs.NOTHING:
                raise ConfigError(variable, "must be set")
            continue
        parse = attribute.metadata["parse"] or _parser(hints[attribute.name])
        try:
            chosen[attribute.alias or attribute.name] = parse(text)
        except ValueError as exc:
            raise ConfigError(variable, str(exc)) from exc
    return cls(**chosen)


def _parser(hint: Any) -> Callable[[str], Any]:
    """Return the reader for values of type `hint`; Optional types read as what they wrap."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(arg for arg in typing.get_args(hint) if arg is not type(None))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _parse_enum(hint)
    return _PARSERS[hint]


def _parse_enum(hint: type[Enum]) -> Callable[[str], Enum]:
    def parse(text: str) -> Enum:
        try:
            return hint(text.lower())
        except ValueError:
            raise ValueError(f"must be one of {', '.join(str(m.value) for m in hint)}") from None

    return parse


def _parse_bool(text: str) -> bool:
    lowered = text.lower()
    if lowered in ("1", "true", "yes", "on"):
        return True
    if lowered in ("0", "false", "no", "off"):
        return False
    raise ValueError("must be true or false")


def _parse_int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("must be a whole number") from None


def _parse_float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError("must be a number")
    return value


def _parse_path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError("must be a path; there is no such user after the ~") from None


_PARSERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: _parse_int,
    float: _parse_float,
    bool: _parse_bool,
    Path: _parse_path,
}


def parse_database_url(text: str) -> str:
    """Check a PostgreSQL URL; the driver of an SQLAlchemy URL (`postgresql+asyncpg://`) is taken off."""
    scheme, separator, rest = text.partition("://")
    is_ours = separator and scheme.split("+")[0] in ("postgresql", "postgres")
    if not is_ours or not all(map(_PORT.fullmatch, _ports(rest))):
        raise ValueError("must be a PostgreSQL URL such as postgresql://user:password@host:5432/database")
    return f"postgresql://{rest}"


def _ports(rest: str) -> list[str]:
    """Return the ports of a URL's hosts, "" for those without one; `rest` is what follows the scheme."""
    hosts = re.split("[/?]", rest.rpartition("@")[2])[0]
    return [host.rpartition("]")[2].partition(":")[2] for host in hosts.split(",")]


def default_slots() -> int:
    """Return how many attempts a worker runs at once unless told: one per usable core."""
    return max(1, len(os.sched_getaffinity(0)))


@frozen(kw_only=True)
class EngineConfig:
    """Everything the engine can be told, with its defaults.

    Without `database_url` a private PostgreSQL runs in `data_dir`/postgres (extra `embedded`). Files
    live in `files_dir`, by default `data_dir`/files. A lease lasts `lease_ttl_seconds` and is renewed
    every `heartbeat_seconds`; a worker that cannot renew for half of it stops its own work.
    `child_memory_mb` bounds the address space of a child process. A warning is logged when a transaction of
    anybody has kept old rows for `oldest_transaction_warning_seconds`, or when a busy table has
    `dead_rows_warning` dead rows more than a fifth of its live ones.

    Finished tasks are deleted `retention_days` after they finished, those that completed, failed or were
    cancelled after `retention_days_completed`, `..._failed` and `..._cancelled` where these are set. Without
    any they are kept for ever; 36,500 keeps one kind for a century.
    """

    database_url: str | None = setting("DATABASE_URL", default=None, parse=parse_database_url, secret=True)
    data_dir: Path = setting("DATA_DIR", default=Path("novel-tasks-data"))
    files_dir: Path | None = setting("UPLOAD_DIR", default=None)
    pool_size: int = setting("DATABASE_POOL_SIZE", default=20, validator=between(2, 1000))
    pool_overflow: int = setting("DATABASE_MAX_OVERFLOW", default=40, validator=between(0, 1000))
    pool_recycle_seconds: float = setting("DATABASE_POOL_RECYCLE", default=3600.0, validator=between(1, 1e7))
    connect_timeout_seconds: float = setting("DATABASE_CONNECT_TIMEOUT", default=10.0, validator=between(0.1, 600))
    command_timeout_seconds: float = setting("DATABASE_COMMAND_TIMEOUT", default=30.0, validator=between(0.1, 3600))
    lease_ttl_seconds: float = setting("LEASE_TTL_SECONDS", default=30.0, validator=between(0.5, 3600))
    heartbeat_seconds: float = setting("HEARTBEAT_SECONDS", default=5.0, validator=between(0.05, 600))
    poll_min_seconds: float = setting("POLL_MIN_SECONDS", default=0.05, validator=between(0.001, 60))
    poll_max_seconds: float = setting("POLL_MAX_SECONDS", default=1.0, validator=between(0.001, 600))
    slots: int = setting("MAX_CONCURRENT_TASKS", factory=default_slots, validator=between(1, 10_000))
    task_timeout_seconds: float = setting("TASK_TIMEOUT_SECONDS", default=1800.0, validator=between(0.01, 31 * 86400))
    cancel_grace_seconds: float = setting("CANCEL_GRACE_SECONDS", default=3.0, validator=between(0, 600))
    shutdown_grace_seconds: float = setting("SHUTDOWN_GRACE_SECONDS", default=30.0, validator=between(0, 86400))
    child_memory_mb: int = setting("CHILD_MEMORY_MB", default=4096, validator=between(64, 1 << 20))
    retention_days: float | None = setting("RETENTION_DAYS", default=None, validator=between(0, MAX_RETENTION_DAYS))
    retention_days_completed: float | None = setting(
        "RETENTION_DAYS_COMPLETED", default=None, validator=between(0, MAX_RETENTION_DAYS)
    )
    retention_days_failed: float | None = setting(
        "RETENTION_DAYS_FAILED", default=None, validator=between(0, MAX_RETENTION_DAYS)
    )
    retention_days_cancelled: float | None = setting(
        "RETENTION_DAYS_CANCELLED", default=None, validator=between(0, MAX_RETENTION_DAYS)
    )
    oldest_transaction_warning_seconds: float = setting(
        "OLDEST_TRANSACTION_WARNING_SECONDS", default=300.0, validator=between(0, 1e7)
    )
    dead_rows_warning: int = setting("DEAD_ROWS_WARNING", default=1_000_000, validator=between(0, 1e12))

    def __attrs_post_init__(self) -> None:
        if self.heartbeat_seconds * 2 > self.lease_ttl_seconds:
            raise ConfigError("HEARTBEAT_SECONDS", "must be at most half of LEASE_TTL_SECONDS")
        if self.poll_min_seconds > self.poll_max_seconds:
            raise ConfigError("POLL_MIN_SECONDS", "must not be more than POLL_MAX_SECONDS")

    @property
    def files(self) -> Path:
        """The folder of the file store."""
        return self.files_dir or self.data_dir / "files"

    def retention_of(self, status: TaskStatus) -> float | None:
        """Return after how many days tasks that finished like this are deleted, None for never."""
        own = {
            TaskStatus.COMPLETED: self.retention_days_completed,
            TaskStatus.FAILED: self.retention_days_failed,
            TaskStatus.CANCELLED: self.retention_days_cancelled,
        }[status]
        return self.retention_days if own is None else own

    @classmethod
    def from_env(cls, values: Mapping[str, str] | None = None) -> EngineConfig:
        """Read the settings from `values`, by default the environment of this process.

        Raises: ConfigError naming the variable that is wrong.
        """
        return load_settings(cls, os.environ if values is None else values)
