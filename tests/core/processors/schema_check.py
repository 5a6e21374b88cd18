"""Checks a JSON value against a JSON schema, as far as our own schemas go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
_KNOWN = {
    "$schema", "$id", "$defs", "title", "description", "type", "properties", "required", "additionalProperties",
    "items",
    "prefixItems", "minItems", "maxItems", "minimum", "maximum", "const", "enum", "anyOf", "$ref",
}  # fmt: skip


def schema(name: str) -> dict[str, Any]:
    """Read a schema that the package ships."""
    text = files("novel_tasks_core.processors").joinpath("schemas", name).read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def faults(value: Any, rule: dict[str, Any], root: dict[str, Any], at: str = "$") -> Iterator[str]:
    """Yield what in a value the schema forbids; fails for a keyword that is not known here."""
    assert set(rule) <= _KNOWN, sorted(set(rule) - _KNOWN)
    if "$ref" in rule:
        yield from faults(value, root["$defs"][rule["$ref"].rpartition("/")[2]], root, at)
    if "anyOf" in rule and all(list(faults(value, one, root, at)) for one in rule["anyOf"]):
        yield f"{at}: none of the alternatives"
    if "const" in rule and value != rule["const"]:
        yield f"{at}: not {rule['const']!r}"
    if "enum" in rule and value not in rule["enum"]:
        yield f"{at}: {value!r} is none of {rule['enum']}"
    kinds = rule.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and (isinstance(value, bool) or not any(isinstance(value, _TYPES[kind]) for kind in kinds)):
        yield f"{at}: {value!r} is no {kinds}"
        return
    if isinstance(value, dict):
        yield from _object_faults(value, rule, root, at)
    elif isinstance(value, list):
        yield from _array_faults(value, rule, root, at)
    elif isinstance(value, int | float) and not rule.get("minimum", value) <= value <= rule.get("maximum", value):
        yield f"{at}: {value} is out of bounds"


def _object_faults(value: dict[str, Any], rule: dict[str, Any], root: dict[str, Any], at: str) -> Iterator[str]:
    members = rule.get("properties", {})
    yield from (f"{at}: no {name}" for name in rule.get("required", []) if name not in value)
    for name, member in value.items():
        if name in members:
            yield from faults(member, members[name], root, f"{at}.{name}")
        elif rule.get("additionalProperties") is False:
            yield f"{at}: {name} is unknown"


def _array_faults(value: list[Any], rule: dict[str, Any], root: dict[str, Any], at: str) -> Iterator[str]:
    if not rule.get("minItems", 0) <= len(value) <= rule.get("maxItems", len(value)):
        yield f"{at}: {len(value)} items"
    rules = [*rule.get("prefixItems", [])]
    for place, item in enumerate(value):
        each = rules[place] if place < len(rules) else rule.get("items", {})
        yield from faults(item, each, root, f"{at}[{place}]")
