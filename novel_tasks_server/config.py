"""What the server can be told: one frozen value, read from the environment over a `.env` file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from attrs import evolve, field, frozen
from dotenv import dotenv_values

from novel_tasks_core import ConfigError, EngineConfig, between, load_settings, setting

LEGACY_VARIABLES = ("REDIS_URL", "ALGORITHM", "API_RELOAD", "DATABASE_SYNC_URL", "ACCESS_TOKEN_EXPIRE_MINUTES")
"""Settings of the service before this one; they change nothing here and are told of once."""

_EXAMPLE = re.compile(
    r"your[-_ ]?(secret|key)|secret[-_ ]?key|change[-_ ]?(me|this|it|in)|example|insecure|placeholder"
    r"|^(secret|password)",
    re.ASCII | re.IGNORECASE,
)
_FEWEST_CHARACTERS = 8
_FILES_TO_COME = 20
"""So many of the largest files there should be room for."""

_EXTENSION = re.compile(r"\.[a-z0-9]{1,16}", re.ASCII)


class Environment(StrEnum):
    """Where the server runs.

    ======================  =====================  ============
    \\                      development            production
    ======================  =====================  ============
    no DATABASE_URL         embedded               refused
    LOG_FORMAT unset        console                json
    SECRET_KEY known        accepted               refused
    no token, not loopback  one is made and shown  none is made
    ======================  =====================  ============
    """

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    """How log lines look: for people, or one JSON object a line."""

    CONSOLE = "console"
    JSON = "json"


class LogThreshold(StrEnum):
    """The least important level that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


def parse_list(text: str) -> tuple[str, ...]:
    """Read a JSON array of strings, or words separated by commas; empty words are left out."""
    if not text.startswith("["):
        return tuple(word.strip() for word in text.split(",") if word.strip())
    try:
        words = json.loads(text)
    except ValueError:
        words = None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError("must be a JSON array of strings, or words separated by commas")
    return tuple(word.strip() for word in words if word.strip())


def parse_extensions(text: str) -> tuple[str, ...]:
    """Read file extensions; case and a missing dot are forgiven, `txt` means `.txt`."""
    extensions = tuple(f".{word.lower().removeprefix('.')}" for word in parse_list(text))
    if not extensions or not all(_EXTENSION.fullmatch(extension) for extension in extensions):
        raise ValueError("must be file extensions such as .txt,.md")
    return extensions


def parse_origins(text: str) -> tuple[str, ...]:
    """Read web origins (`https://novels.example`), or `*` for any."""
    origins = parse_list(text)
    for origin in origins:
        url = urlsplit(origin)
        is_bare = url.netloc and origin.lower() == f"{url.scheme}://{url.netloc}".lower()
        if origin != "*" and not (is_bare and url.scheme in ("http", "https")):
            raise ValueError("must be origins such as https://novels.example,http://localhost:3000, without a path")
    return tuple(origin.lower() for origin in origins)


def parse_rate(text: str) -> str | None:
    """Read a rate such as `100/minute`, several divided by semicolons; `off` is None, no limit."""
    import limits  # half a second that commands without limits need not pay

    if text.lower() == "off":
        return None
    try:
        limits.parse_many(text)
    except ValueError:
        raise ValueError("must be a rate such as 100/minute or 10/second;1000/hour, or off") from None
    return text


def parse_networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read addresses and networks of proxies: `127.0.0.1,10.0.0.0/8`."""
    try:
        return tuple(ip_network(word) for word in parse_list(text))
    except ValueError:
        raise ValueError("must be addresses or networks such as 127.0.0.1,10.0.0.0/8") from None


def is_known_secret(secret: str) -> bool:
    """Say whether this stands in an example, or is hardly a secret: few different characters."""
    return _EXAMPLE.search(secret) is not None or len(set(secret)) < _FEWEST_CHARACTERS


@frozen(kw_only=True)
class ServerConfig:
    """Every setting of the server; `engine` holds those of the task engine, from the same variables.

    `max_file_size` is in bytes and holds for the file alone. `log_format` None is console in
    development and JSON in production. `runs_worker` False makes a server that only accepts and shows
    tasks. `ignored` names the variables of an older service that were found and mean nothing now.
    """

    engine: EngineConfig = field(factory=EngineConfig)
    host: str = setting("API_HOST", default="127.0.0.1")
    port: int = setting("API_PORT", default=8000, validator=between(0, 65535))
    title: str = setting("API_TITLE", default="Novel Task Manager")
    version: str = setting("API_VERSION", default="1.0.0")
    environment: Environment = setting("ENVIRONMENT", default=Environment.DEVELOPMENT)
    cors_origins: tuple[str, ...] = setting("CORS_ORIGINS", default=(), parse=parse_origins)
    max_file_size: int = setting("MAX_FILE_SIZE", default=10 * 1024 * 1024, validator=between(1, 1 << 40))
    allowed_extensions: tuple[str, ...] = setting("ALLOWED_EXTENSIONS", default=(".txt", ".md"), parse=parse_extensions)
    default_processor: str = setting("DEFAULT_PROCESSOR", default="analyze")
    metrics_public: bool = setting("METRICS_PUBLIC", default=False)
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = setting(
        "TRUSTED_PROXIES", default=(), parse=parse_networks
    )
    rate_limit: str | None = setting("RATE_LIMIT", default="100/minute", parse=parse_rate)
    upload_rate_limit: str | None = setting("UPLOAD_RATE_LIMIT", default="1000/hour", parse=parse_rate)
    secret_key: str | None = setting("SECRET_KEY", default=None, secret=True)
    jwt_algorithm: str | None = setting("JWT_ALGORITHM", default=None)
    jwt_key: str | None = setting("JWT_KEY", default=None, secret=True)
    jwt_audience: str | None = setting("JWT_AUDIENCE", default=None)
    jwt_issuer: str | None = setting("JWT_ISSUER", default=None)
    log_level: LogThreshold = setting("LOG_LEVEL", default=LogThreshold.INFO)
    log_format: LogFormat | None = setting("LOG_FORMAT", default=None)
    runs_worker: bool = True
    ignored: tuple[str, ...] = ()

    @classmethod
    def from_env(cls, values: Mapping[str, str] | None = None, *, dotenv: Path | None = Path(".env")) -> ServerConfig:
        """Read the settings from `values`, by default the environment; the file `dotenv` lies below them.

        Raises: ConfigError naming the variable that is wrong.
        """
        merged = {**read_dotenv(dotenv), **(os.environ if values is None else values)}
        config = evolve(
            load_settings(cls, merged),
            engine=EngineConfig.from_env(merged),
            ignored=tuple(name for name in LEGACY_VARIABLES if merged.get(name)),
        )
        if config.environment is Environment.PRODUCTION:
            config.require_production()
        return config

    def require_production(self) -> None:
        """Check what only production asks for. Raises: ConfigError."""
        if self.engine.database_url is None:
            raise ConfigError("DATABASE_URL", "must be set in production: the embedded database is for development")
        if self.secret_key is not None and is_known_secret(self.secret_key):
            raise ConfigError("SECRET_KEY", "must be a secret of your own in production, not one from an example")

    @property
    def little_room_bytes(self) -> int:
        """Below how much free room a disk has little: a task takes a few times its file, and several run at once."""
        return _FILES_TO_COME * self.max_file_size

    @property
    def effective_log_format(self) -> LogFormat:
        """The log format that was asked for, or that of the environment."""
        if self.log_format is not None:
            return self.log_format
        return LogFormat.JSON if self.environment is Environment.PRODUCTION else LogFormat.CONSOLE

    def allows_origin(self, origin: str) -> bool:
        """Say whether pages of this other `origin` may use the API."""
        return "*" in self.cors_origins or origin.lower() in self.cors_origins


def read_dotenv(path: Path | None) -> dict[str, str]:
    """Read the variables of a settings file; none when there is no file. Raises: ConfigError when it cannot be read."""
    if path is None:
        return {}
    try:
        return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value is not None}
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(str(path), f"cannot be read: {exc}") from exc
