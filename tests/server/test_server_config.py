"""Settings of the server: names, defaults, and one clear line for each wrong value."""

from __future__ import annotations

from pathlib import Path

import pytest

from novel_tasks_core import ConfigError
from novel_tasks_server.config import Environment, LogFormat, LogThreshold, ServerConfig


def config_of(**values: str) -> ServerConfig:
    """Read settings from these values alone."""
    return ServerConfig.from_env(values, dotenv=None)


def test_defaults() -> None:
    """Nothing needs to be set."""
    config = config_of()
    assert (config.host, config.port, config.max_file_size) == ("127.0.0.1", 8000, 10 * 1024 * 1024)
    assert config.allowed_extensions == (".txt", ".md")
    assert config.default_processor == "analyze"
    assert config.environment is Environment.DEVELOPMENT
    assert config.engine.shutdown_grace_seconds == 30


def test_an_old_dotenv_works(tmp_path: Path) -> None:
    """The settings file of the service before this one is understood; what means nothing now is named once."""
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        "DATABASE_URL=postgresql+asyncpg://u:p@h:5432/d\n"
        "REDIS_URL=redis://localhost\nAPI_HOST=0.0.0.0\nAPI_RELOAD=true\nALGORITHM=HS256\n"
        "CORS_ORIGINS=http://localhost:5173, http://localhost:3000\n"
        "MAX_FILE_SIZE=10485760  # 10MB in bytes\n"
        'ALLOWED_EXTENSIONS=[".TXT", "md"]\n'
        "TASK_TIMEOUT_SECONDS=300\n"
    )
    config = ServerConfig.from_env({"API_PORT": "9000", "API_HOST": "127.0.0.2"}, dotenv=dotenv)
    assert config.engine.database_url == "postgresql://u:p@h:5432/d"
    assert config.engine.task_timeout_seconds == 300
    assert config.cors_origins == ("http://localhost:5173", "http://localhost:3000")
    assert config.allowed_extensions == (".txt", ".md")
    assert (config.host, config.port) == ("127.0.0.2", 9000)
    assert config.ignored == ("REDIS_URL", "ALGORITHM", "API_RELOAD")


def test_a_missing_dotenv_is_none(tmp_path: Path) -> None:
    """There need not be a settings file."""
    assert ServerConfig.from_env({}, dotenv=tmp_path / ".env") == config_of()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("API_PORT", "65536"),
        ("API_PORT", "http"),
        ("ENVIRONMENT", "staging"),
        ("MAX_FILE_SIZE", "0"),
        ("MAX_FILE_SIZE", "10MB"),
        ("ALLOWED_EXTENSIONS", "[1]"),
        ("ALLOWED_EXTENSIONS", ","),
        ("ALLOWED_EXTENSIONS", "../x"),
        ("CORS_ORIGINS", "localhost"),
        ("CORS_ORIGINS", "https://a.example/path"),
        ("CORS_ORIGINS", '["http://a", 5]'),
        ("METRICS_PUBLIC", "maybe"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("DATABASE_URL", "sqlite:///x.db"),
        ("SHUTDOWN_GRACE_SECONDS", "-1"),
    ],
)
def test_a_wrong_value_names_its_variable(variable: str, value: str) -> None:
    """The error says which variable, and never repeats the value, which may be a secret."""
    with pytest.raises(ConfigError) as caught:
        config_of(**{variable: value})
    assert caught.value.variable == variable


def test_production_wants_a_database() -> None:
    """The embedded database is for development."""
    with pytest.raises(ConfigError) as caught:
        config_of(ENVIRONMENT="production")
    assert caught.value.variable == "DATABASE_URL"
    assert config_of(ENVIRONMENT="production", DATABASE_URL="postgresql://h/d").environment is Environment.PRODUCTION


def test_log_format_follows_the_environment_unless_set() -> None:
    """JSON in production, for people elsewhere, and always what was asked for."""
    production = {"ENVIRONMENT": "production", "DATABASE_URL": "postgresql://h/d"}
    assert config_of().effective_log_format is LogFormat.CONSOLE
    assert config_of(**production).effective_log_format is LogFormat.JSON
    assert config_of(**production, LOG_FORMAT="console").effective_log_format is LogFormat.CONSOLE
    assert config_of(LOG_LEVEL="WARNING").log_level is LogThreshold.WARNING


def test_origins_are_compared_without_case() -> None:
    """An origin is allowed when the settings name it, or any with `*`."""
    config = config_of(CORS_ORIGINS="https://Novels.Example")
    assert config.allows_origin("https://novels.example")
    assert not config.allows_origin("https://novels.example.evil")
    assert config_of(CORS_ORIGINS="*").allows_origin("https://any.example")


def test_secrets_stay_out_of_the_repr() -> None:
    """A logged configuration shows no password."""
    assert "hunter2" not in repr(config_of(DATABASE_URL="postgresql://u:hunter2@h/d"))
