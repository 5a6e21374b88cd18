"""JSON schemas of request and answer classes: types by msgspec, bounds from the validators that enforce them."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import Enum
from typing import Any

import attrs
import msgspec

from novel_tasks_core import StoredEvent, validator_bounds
from novel_tasks_server.schemas.views import EventListView

Schema = dict[str, Any]

REFERENCE = "#/components/schemas/{name}"
"""Where in the document a class is described."""

_STORABLE = r"^[^\x00]*$"


def class_schemas(*, requests: Iterable[type], answers: Iterable[type]) -> dict[str, Schema]:
    """Return the schemas of classes, and of all that they are made of, by name.

    What is no field of a request class is refused; answers may get new fields at any time.
    """
    asked, answered = set(_reachable(requests)), set(_reachable(answers))
    _, schemas = msgspec.json.schema_components(sorted(asked | answered, key=_name), ref_template=REFERENCE)
    for cls in sorted(asked | answered, key=_name):
        _refine(schemas[cls.__name__], cls, is_request=cls in asked)
    if EventListView in answered:
        schemas |= _event_schemas(schemas)
    return dict(sorted(schemas.items()))


def reference(cls: type) -> Schema:
    """Return the schema that refers to a class's own."""
    return {"$ref": REFERENCE.format(name=cls.__name__)}


def _name(cls: type) -> str:
    return cls.__name__


def _reachable(classes: Iterable[type]) -> Iterator[type]:
    """Yield classes and enumerations, and those of their fields, once each."""
    seen: set[type] = set()
    pending: list[Any] = list(classes)
    while pending:
        cls = pending.pop()
        if cls in seen or not isinstance(cls, type) or not (attrs.has(cls) or issubclass(cls, Enum)):
            pending.extend(typing.get_args(cls))
            continue
        seen.add(cls)
        yield cls
        if attrs.has(cls):
            pending.extend(typing.get_type_hints(cls).values())


def _refine(schema: Schema, cls: type[Any], *, is_request: bool) -> None:
    """Add what msgspec does not know of: formats, bounds, what else is refused."""
    schema["description"] = inspect.cleandoc(cls.__doc__ or "")
    if issubclass(cls, Enum):
        schema["type"] = "string"
        return
    hints = typing.get_type_hints(cls)
    for attribute in attrs.fields(cls):
        found = schema["properties"][attribute.name]
        inner = found.get("anyOf", [found])[0]
        inner.update(validator_bounds(attribute.validator, of_array=inner.get("type") == "array"))
        if "examples" in attribute.metadata:
            inner["examples"] = list(attribute.metadata["examples"])
        if datetime in (hints[attribute.name], *typing.get_args(hints[attribute.name])):
            inner["format"] = "date-time"
        elif is_request and inner.get("type") == "string" and not inner.keys() & {"enum", "pattern"}:
            inner["pattern"] = _STORABLE
    if is_request:
        schema["additionalProperties"] = False
    if not schema["required"]:
        del schema["required"]


def _event_schemas(schemas: dict[str, Schema]) -> dict[str, Schema]:
    """Return the schemas of all kinds of stored events, and make the list of events one of them."""
    kinds: tuple[type, ...] = typing.get_args(StoredEvent)
    _, found = msgspec.json.schema_components(kinds, ref_template=REFERENCE)
    for cls in kinds:
        schema = found[cls.__name__]
        _refine(schema, cls, is_request=False)
        del schema["properties"]["task_id"]
        schema["properties"] = {"kind": {"const": getattr(cls, "kind")}, **schema["properties"]}  # noqa: B009 - of every kind
        schema["required"] = ["kind", *(name for name in schema["required"] if name != "task_id")]
    schemas[EventListView.__name__]["properties"]["events"]["items"] = {"oneOf": [reference(cls) for cls in kinds]}
    return {name: schema for name, schema in found.items() if name not in schemas}
