"""Every setting: documented, shown with its default, and one clear line when its value is wrong."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

import attrs
import pytest

from novel_tasks_core import ConfigError, EngineConfig
from novel_tasks_server.config import Environment, ServerConfig

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")

NUMBERS = {
    "API_PORT": ["65536", "-1"],
    "MAX_FILE_SIZE": ["0", "10MB"],
    "DATABASE_POOL_SIZE": ["1", "1001"],
    "DATABASE_MAX_OVERFLOW": ["-1", "1001"],
    "DATABASE_POOL_RECYCLE": ["0", "nan"],
    "DATABASE_CONNECT_TIMEOUT": ["0", "601"],
    "DATABASE_COMMAND_TIMEOUT": ["0", "inf"],
    "LEASE_TTL_SECONDS": ["0.1", "3601"],
    "HEARTBEAT_SECONDS": ["0", "16"],
    "POLL_MIN_SECONDS": ["0", "2"],
    "POLL_MAX_SECONDS": ["0", "0.01"],
    "MAX_CONCURRENT_TASKS": ["0", "1.5"],
    "TASK_TIMEOUT_SECONDS": ["0", "9999999"],
    "CANCEL_GRACE_SECONDS": ["-1", "601"],
    "SHUTDOWN_GRACE_SECONDS": ["-1", "90000"],
    "CHILD_MEMORY_MB": ["63", "2000000"],
    "RETENTION_DAYS": ["-1", "36501"],
    "RETENTION_DAYS_COMPLETED": ["-1", "36501"],
    "RETENTION_DAYS_FAILED": ["-1", "36501"],
    "RETENTION_DAYS_CANCELLED": ["-1", "36501"],
    "OLDEST_TRANSACTION_WARNING_SECONDS": ["-1", "1e9"],
    "DEAD_ROWS_WARNING": ["-1", "ten"],
}
"""Values that a number may not have; what is no number at all is tried of each."""

OTHERS = {
    "ENVIRONMENT": ["staging", "prod"],
    "CORS_ORIGINS": ["somewhere", "https://a.example/path", '["http://a", 5]', "[http://a]", "ftp://a.example"],
    "ALLOWED_EXTENSIONS": [",", "../x", "[1]", '{"a": 1}'],
    "METRICS_PUBLIC": ["maybe", "2"],
    "TRUSTED_PROXIES": ["proxy.example", "10.0.0.0/99", "10.0.0.1/8"],
    "RATE_LIMIT": ["many", "100", "100/fortnight", "-1/minute"],
    "UPLOAD_RATE_LIMIT": ["many", "100", "100/fortnight"],
    "LOG_LEVEL": ["loud", "warn"],
    "LOG_FORMAT": ["xml", "text"],
    "DATABASE_URL": ["sqlite+aiosqlite:///./test.db", "localhost", "postgresql://u:p@h:port/d", "mysql://h/d"],
    "DATA_DIR": ["~no-such-user/data"],
    "UPLOAD_DIR": ["~no-such-user/files"],
}

ANY_TEXT = {
    "API_HOST", "API_TITLE", "API_VERSION", "DEFAULT_PROCESSOR",
    "SECRET_KEY", "JWT_ALGORITHM", "JWT_KEY", "JWT_AUDIENCE", "JWT_ISSUER",
}  # fmt: skip
"""What may be any text as far as the loader can tell; the server looks at them when it starts."""

WRONG = [
    *((name, value) for name, values in NUMBERS.items() for value in (*values, "many", "1 2", "0x10")),
    *((name, value) for name, values in OTHERS.items() for value in values),
]


def settings() -> dict[str, Any]:
    """Return the attrs fields of all settings, by their variables."""
    return {
        field.metadata["variable"]: field
        for kind in (EngineConfig, ServerConfig)
        for field in attrs.fields(kind)
        if field.metadata.get("variable")
    }


def shown(field: Any) -> str:
    """Write a default as a person would set it; nothing where unset is the default."""
    if isinstance(field.default, attrs.Factory):  # type: ignore[arg-type]
        return "one per core"
    match field.default:
        case None | ():
            return ""
        case bool(value):
            return str(value).lower()
        case StrEnum() as choice:
            return choice.value
        case tuple(values):
            return ",".join(map(str, values))
        case float(value):
            return f"{value:.10g}"
        case value:
            return str(value)


def test_every_setting_is_tried() -> None:
    """The tables of wrong values name every setting that can be wrong."""
    assert NUMBERS.keys() | OTHERS.keys() | ANY_TEXT == settings().keys()


@pytest.mark.parametrize(("variable", "value"), WRONG)
def test_a_wrong_value_is_one_line_that_names_its_variable(variable: str, value: str) -> None:
    """It says what would be right, and repeats nothing of the value, which may be a secret."""
    with pytest.raises(ConfigError, match="must") as caught:
        ServerConfig.from_env({variable: value}, dotenv=None)
    told = str(caught.value)
    assert told.startswith(f"{variable}: ") or {variable, caught.value.variable} <= {
        "HEARTBEAT_SECONDS", "LEASE_TTL_SECONDS", "POLL_MIN_SECONDS", "POLL_MAX_SECONDS",
    }  # fmt: skip
    assert len(told.splitlines()) == 1
    assert len(value) < 6 or value not in told


def rows() -> dict[str, list[str]]:
    """Return the rows of the page's tables, by variable."""
    found = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| (.*) \|$", PAGE, re.MULTILINE)
    assert len(found) == len({name for name, *_ in found}), "a setting is listed twice"
    return {name: rest for name, *rest in found}


def test_the_page_lists_every_setting_with_its_default() -> None:
    """Names and defaults are those of the program, and each row says what the setting does."""
    listed = rows()
    assert listed.keys() == settings().keys() | {"NOVEL_TASKS_SERVER", "NOVEL_TASKS_TOKEN", "NOVEL_TASKS_DEBUG"}
    for name, field in settings().items():
        default = shown(field)
        assert listed[name][0] == (f"`{default}`" if default and default != "one per core" else default or "unset"), (
            name
        )
    assert all(meaning.endswith((".", ")")) and len(meaning) > 20 for _, meaning in listed.values())


def test_the_example_file_shows_the_defaults() -> None:
    """Whoever takes the `#` off a line of .env.example changes nothing, but for those that have no default to show."""
    lines = dict(re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    unlike = {"DATABASE_URL", "UPLOAD_DIR", "MAX_CONCURRENT_TASKS", "LOG_FORMAT", "DATA_DIR", "SECRET_KEY"}
    kept = {name: value for name, value in lines.items() if name not in unlike}
    assert ServerConfig.from_env(kept, dotenv=None) == ServerConfig.from_env({}, dotenv=None)


def test_the_page_says_what_production_changes() -> None:
    """The table is that of the class that decides it."""
    code = [
        re.split(r"\s{2,}", line.strip()) for line in (Environment.__doc__ or "").splitlines() if "  " in line.strip()
    ]
    in_code = {tuple(cells) for cells in code if not cells[0].startswith(("=", "\\"))}
    table = PAGE.partition("| | development | production |\n|---|---|---|\n")[2].partition("\n\n")[0]
    on_page = {
        tuple(cell.strip().replace("`", "") for cell in line.strip("|").split("|")) for line in table.splitlines()
    }
    assert on_page == in_code
    assert in_code
