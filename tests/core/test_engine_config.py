"""Settings: read from a mapping, checked once, and never shown when they are secret."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from novel_tasks_core.config import EngineConfig, load_settings, setting
from novel_tasks_core.errors import ConfigError

WRONG = [
    ("DATABASE_URL", "mysql://localhost/db"),
    ("DATABASE_URL", "localhost"),
    ("DATABASE_URL", "postgresql://user:secret@host:port/database"),
    ("DATABASE_URL", "postgresql://user:secret@one:5432,two:5432x/database"),
    ("DATABASE_URL", "postgresql://[::1]:pg/database"),
    ("DATABASE_POOL_SIZE", "1"),
    ("DATABASE_POOL_SIZE", "many"),
    ("DATABASE_POOL_SIZE", "9" * 400),
    ("DATABASE_POOL_SIZE", "9" * 5000),
    ("DATABASE_POOL_SIZE", "4.5"),
    ("DATABASE_MAX_OVERFLOW", "-1"),
    ("DATABASE_POOL_RECYCLE", "0"),
    ("DATABASE_CONNECT_TIMEOUT", "0"),
    ("DATABASE_CONNECT_TIMEOUT", "nan"),
    ("DATABASE_COMMAND_TIMEOUT", "inf"),
    ("DATABASE_COMMAND_TIMEOUT", "1e9"),
    ("LEASE_TTL_SECONDS", "0.1"),
    ("HEARTBEAT_SECONDS", "0"),
    ("HEARTBEAT_SECONDS", "20"),
    ("POLL_MIN_SECONDS", "0"),
    ("POLL_MIN_SECONDS", "50"),
    ("POLL_MAX_SECONDS", "soon"),
    ("MAX_CONCURRENT_TASKS", "0"),
    ("TASK_TIMEOUT_SECONDS", "-5"),
    ("CANCEL_GRACE_SECONDS", "-1"),
    ("SHUTDOWN_GRACE_SECONDS", "90000"),
    ("CHILD_MEMORY_MB", "16"),
    ("RETENTION_DAYS", "forever"),
    ("UPLOAD_DIR", "~no-such-user/files"),
    ("DATA_DIR", "~no-such-user/data"),
]


@pytest.mark.parametrize(("variable", "value"), WRONG, ids=lambda v: str(v)[:30])
def test_a_wrong_value_is_one_clear_error(variable: str, value: str) -> None:
    """It names the variable and says what would be right, and repeats nothing of the value."""
    with pytest.raises(ConfigError, match="must") as caught:
        EngineConfig.from_env({variable: value})
    assert caught.value.variable == variable
    assert len(value) < 3 or value not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@h:5432/d",
        "postgresql://u:p:w/x@h/d",
        "postgresql://one:1,two:2/d",
        "postgresql://u@[::1]:5432/d?sslmode=require",
        "postgresql://u@/d?host=/run/postgresql",
        "postgresql:///d",
    ],
)
def test_urls_of_every_kind_are_taken(url: str) -> None:
    """Several hosts, IPv6, a socket, none at all, and what is odd in a password."""
    assert EngineConfig.from_env({"DATABASE_URL": url}).database_url == url


def test_every_setting_can_be_given() -> None:
    """All variables are read, converted, and find their field."""
    config = EngineConfig.from_env(
        {
            "DATABASE_URL": "postgresql+asyncpg://u:p@h:1/d",
            "DATA_DIR": "/data",
            "UPLOAD_DIR": "~/up",
            "DATABASE_POOL_SIZE": "3",
            "DATABASE_MAX_OVERFLOW": "0",
            "DATABASE_POOL_RECYCLE": "60",
            "DATABASE_CONNECT_TIMEOUT": "1",
            "DATABASE_COMMAND_TIMEOUT": "2.5",
            "LEASE_TTL_SECONDS": "8",
            "HEARTBEAT_SECONDS": "4",
            "POLL_MIN_SECONDS": "0.5",
            "POLL_MAX_SECONDS": "0.5",
            "MAX_CONCURRENT_TASKS": "7",
            "TASK_TIMEOUT_SECONDS": "9",
            "CANCEL_GRACE_SECONDS": "0",
            "SHUTDOWN_GRACE_SECONDS": "0",
            "CHILD_MEMORY_MB": "64",
            "RETENTION_DAYS": "0.5",
        }
    )
    assert config == EngineConfig(
        database_url="postgresql://u:p@h:1/d",
        data_dir=Path("/data"),
        files_dir=Path.home() / "up",
        pool_size=3,
        pool_overflow=0,
        pool_recycle_seconds=60,
        connect_timeout_seconds=1,
        command_timeout_seconds=2.5,
        lease_ttl_seconds=8,
        heartbeat_seconds=4,
        poll_min_seconds=0.5,
        poll_max_seconds=0.5,
        slots=7,
        task_timeout_seconds=9,
        cancel_grace_seconds=0,
        shutdown_grace_seconds=0,
        child_memory_mb=64,
        retention_days=0.5,
    )
    assert config.files == Path.home() / "up"


def test_what_is_missing_or_empty_takes_the_default() -> None:
    """An empty variable is a missing one; other variables are nobody's business."""
    config = EngineConfig.from_env({"DATA_DIR": "  ", "RETENTION_DAYS": "", "PATH": "/bin"})
    assert (config.data_dir, config.retention_days) == (Path("novel-tasks-data"), None)
    assert config.files == Path("novel-tasks-data/files")
    assert config.slots >= 1


def test_the_environment_is_read_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """`from_env` without a mapping looks at the process, at the time of the call."""
    monkeypatch.setenv("MAX_CONCURRENT_TASKS", "11")
    assert EngineConfig.from_env().slots == 11


def test_a_password_is_not_shown() -> None:
    """The repr, which ends in logs, does not hold the URL of the database."""
    assert "hunter2" not in repr(EngineConfig(database_url="postgresql://u:hunter2@h/d"))


def test_settings_that_contradict_each_other_are_refused() -> None:
    """A heartbeat must fit twice into a lease, and polls must not be ordered wrongly."""
    with pytest.raises(ConfigError, match="HEARTBEAT_SECONDS"):
        EngineConfig(lease_ttl_seconds=5, heartbeat_seconds=2.6)
    with pytest.raises(ConfigError, match="POLL_MIN_SECONDS"):
        EngineConfig(poll_min_seconds=2, poll_max_seconds=1)


class Mood(StrEnum):
    """A closed set."""

    GAY = "gay"
    SAD = "sad"


@frozen(kw_only=True)
class Sample:
    """Settings of every type that the loader reads."""

    needed: str = setting("NEEDED")
    mood: Mood = setting("MOOD", default=Mood.SAD)
    loud: bool = setting("LOUD", default=False)
    maybe: int | None = setting("MAYBE", default=None)
    pair: tuple[str, ...] = setting("PAIR", default=(), parse=lambda text: tuple(text.split(",")))
    derived: str = "not a setting"


def test_the_loader_reads_every_type() -> None:
    """Enums by value, booleans by the usual words, optional values, and fields with a parser of their own."""
    sample = load_settings(Sample, {"NEEDED": "x", "MOOD": "GAY", "LOUD": "Yes", "MAYBE": "3", "PAIR": "a,b"})
    assert sample == Sample(needed="x", mood=Mood.GAY, loud=True, maybe=3, pair=("a", "b"))
    assert load_settings(Sample, {"NEEDED": "x", "LOUD": "off"}) == Sample(needed="x")


@pytest.mark.parametrize(
    ("values", "variable", "reason"),
    [
        ({}, "NEEDED", "must be set"),
        ({"NEEDED": "x", "MOOD": "angry"}, "MOOD", "must be one of gay, sad"),
        ({"NEEDED": "x", "LOUD": "very"}, "LOUD", "must be true or false"),
        ({"NEEDED": "x", "MAYBE": "perhaps"}, "MAYBE", "must be a whole number"),
    ],
)
def test_the_loader_says_what_would_be_right(values: dict[str, Any], variable: str, reason: str) -> None:
    """One error for the first wrong variable."""
    with pytest.raises(ConfigError) as caught:
        load_settings(Sample, values)
    assert (caught.value.variable, caught.value.reason) == (variable, reason)
