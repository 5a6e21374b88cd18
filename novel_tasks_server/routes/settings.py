"""The settings as they may be shown: without anything that is secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl

import attrs
from attrs import AttrsInstance

from novel_tasks_server.config import ServerConfig
from novel_tasks_server.schemas.views import SettingView

_HIDDEN = "***"
_CREDENTIALS = re.compile(r"(?<=://)[^/?#\s]*@")
_DATABASE_URL = re.compile(
    r"(?P<scheme>[a-z+]+)://(?:(?P<user>[^:@/?#]+)?(?P<password>:[^@/?#]*)?@)?(?P<place>[^@?#]*)(?:\?(?P<query>[^@#]*))?",
    re.ASCII,
)
_SHOWN_PARAMETERS = {
    "host",
    "port",
    "dbname",
    "database",
    "user",
    "sslmode",
    "target_session_attrs",
    "application_name",
}


def shown_settings(config: ServerConfig) -> Iterator[SettingView]:
    """Yield every setting by its variable, in the order of the documentation; those of the engine come last."""
    yield from _of(config)
    yield from _of(config.engine)


def _of(config: AttrsInstance) -> Iterator[SettingView]:
    for field in attrs.fields(type(config)):
        variable = field.metadata.get("variable")
        if variable is None:
            continue
        value, is_secret = getattr(config, field.name), field.metadata["secret"]
        yield SettingView(
            name=variable,
            value=_secret(variable, value) if is_secret else _shown(value),
            is_default=value == _default(field),
            is_secret=is_secret,
            is_set=value is not None,
        )


def _default(field: attrs.Attribute[Any]) -> Any:
    default: Any = field.default
    return default.factory() if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]


def _secret(variable: str, value: str | None) -> str | None:
    """Return what may be shown of a secret: of the place of the database all but the password."""
    return mask_database_url(value) if variable == "DATABASE_URL" and value is not None else None


def _shown(value: Any) -> str | int | float | bool | list[str] | None:
    """Write a value as JSON can; should somebody have put a name and a password into a URL, they are left out."""
    if isinstance(value, tuple):
        return [_text(one) for one in value]
    if isinstance(value, bool | int | float | None) and not isinstance(value, Enum):
        return value
    return _text(value)


def _text(value: object) -> str:
    return _CREDENTIALS.sub(f"{_HIDDEN}@", str(value))


def mask_database_url(url: str) -> str:
    """Return a database's URL without its password, nor any parameter that may hold one.

    One that is not written as it should be hides all: who knows where its password ends.
    """
    parts = _DATABASE_URL.fullmatch(url)
    if parts is None:
        return f"{url.partition('://')[0]}://{_HIDDEN}"
    password = f":{_HIDDEN}" if parts["password"] else ""
    login = f"{parts['user'] or ''}{password}@" if parts["user"] or password else ""
    given = parse_qsl(parts["query"] or "", keep_blank_values=True)
    shown = [f"{name}={value}" for name, value in given if name in _SHOWN_PARAMETERS]
    query = "&".join(shown if len(shown) == len(given) else [*shown, _HIDDEN])
    return f"{parts['scheme']}://{login}{parts['place']}{'?' if query else ''}{query}"
