"""Options of a processor: checked against its attrs class, made canonical JSON, described as JSON schema."""

from __future__ import annotations

import math
import operator
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal

import attrs

from novel_tasks_core.complaints import Complaint, FaultCode
from novel_tasks_core.errors import InvalidOptionsError

if TYPE_CHECKING:
    from cattrs import Converter

_DEEPEST = 32
_LONGEST_TEXT = 100_000
_SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
_OF_ARRAYS = {"minLength": "minItems", "maxLength": "maxItems"}
_BOUNDS = {">=": "minimum", ">": "exclusiveMinimum", "<=": "maximum", "<": "exclusiveMaximum"}

Problem = tuple[str, Complaint]

_REQUIRED = Complaint("is required", FaultCode.REQUIRED)
_AN_OBJECT = Complaint("must be an object", FaultCode.OBJECT)


def validate_options(processor: str, options_type: type | None, options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the options as canonical JSON: every field of the class, defaults filled in.

    Without a class any JSON object will do. Strings with NUL or a lone surrogate, and numbers that are
    not finite, are refused everywhere: they cannot be stored.

    Raises: InvalidOptionsError with every problem and its path (`/name/0`).
    """
    given = {} if options is None else options
    if not isinstance(given, Mapping):
        raise InvalidOptionsError(processor, [("/", _AN_OBJECT)])
    problems = list(json_problems(given, ""))
    if problems:
        raise InvalidOptionsError(processor, problems)
    if options_type is None:
        return dict(given)
    made = structure_options(processor, options_type, given)
    canonical: dict[str, Any] = _converter().unstructure(made)
    return canonical


def structure_options(processor: str, options_type: type, options: Mapping[str, Any]) -> Any:
    """Return the instance of the attrs class that the options describe.

    Raises: InvalidOptionsError with every problem and its path.
    """
    fields = {attribute.alias or attribute.name: attribute for attribute in attrs.fields(options_type)}
    hints = _type_hints(options_type)
    unknown = Complaint(f"unknown option; known: {_listed(fields)}", FaultCode.UNKNOWN)
    problems = [(f"/{name}", unknown) for name in options if name not in fields]
    values: dict[str, Any] = {}
    for name, attribute in fields.items():
        if name in options:
            value, faults = _structure_field(attribute, hints[attribute.name], options[name], f"/{name}")
            values[name] = value
            problems += faults
        elif attribute.default is attrs.NOTHING:
            problems.append((f"/{name}", _REQUIRED))
    if problems:
        raise InvalidOptionsError(processor, problems)
    try:
        return options_type(**values)
    except (ValueError, TypeError) as exc:
        raise InvalidOptionsError(processor, [("/", _said(exc))]) from exc


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


_type_hints = lru_cache(maxsize=256)(typing.get_type_hints)
"""The same for a class each time; evaluating its annotations takes ten times as long as all the rest."""


def _structure_field(attribute: attrs.Attribute[Any], hint: Any, raw: Any, path: str) -> tuple[Any, list[Problem]]:
    """Return (value, problems) of one field: its type first, then its own validator."""
    try:
        value = _converter().structure(raw, hint)
    except Exception as exc:
        return None, list(_problems_of(exc, path))
    if attribute.validator is not None:
        try:
            attribute.validator(None, attribute, value)
        except (ValueError, TypeError) as exc:
            return None, [(path, complaint_of(exc, attribute.validator, value))]
    return value, []


def _said(error: BaseException) -> Complaint:
    return Complaint.of(error.args[0] if error.args else "not accepted")


def _problems_of(error: BaseException, path: str) -> Iterator[Problem]:
    """Walk what the converter raised down to the single faults."""
    from cattrs import AttributeValidationNote, ForbiddenExtraKeysError, IterableValidationNote

    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            path = f"{path}/{note.name}"
        elif isinstance(note, IterableValidationNote):
            path = f"{path}/{note.index}"
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _problems_of(inner, path)
    elif isinstance(error, ForbiddenExtraKeysError):
        unknown = Complaint("unknown option", FaultCode.UNKNOWN)
        yield from ((f"{path}/{name}", unknown) for name in sorted(error.extra_fields))
    elif isinstance(error, KeyError):
        yield f"{path}/{error.args[0]}", _REQUIRED
    else:
        yield path, _said(error)


def json_problems(value: Any, path: str, depth: int = 0) -> Iterator[Problem]:
    """Yield what keeps a value from being stored as JSON."""
    if depth > _DEEPEST:
        yield path, Complaint(f"nested more than {_DEEPEST} levels deep", FaultCode.DEEP, n=_DEEPEST)
    elif isinstance(value, str):
        fault = _text_fault(value)
        if fault:
            yield path or "/", fault
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield path or "/", Complaint("must be a finite number", FaultCode.FINITE)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _member_problems(name, inner, path, depth)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from json_problems(inner, f"{path}/{index}", depth + 1)
    elif value is not None and not isinstance(value, bool | int):
        kind = type(value).__name__
        yield path or "/", Complaint(f"is not JSON: {kind}", FaultCode.JSON, reason=kind)


def _member_problems(name: Any, value: Any, path: str, depth: int) -> Iterator[Problem]:
    if not isinstance(name, str):
        yield path or "/", Complaint("names must be strings", FaultCode.TEXT)
        return
    fault = _text_fault(name)
    if fault:
        yield path or "/", Complaint(f"a name {fault}", fault.code, **fault.values)
    else:
        yield from json_problems(value, f"{path}/{name}", depth + 1)


def _text_fault(text: str) -> Complaint | None:
    if len(text) > _LONGEST_TEXT:
        return Complaint(f"must not be longer than {_LONGEST_TEXT} characters", FaultCode.LONG, n=_LONGEST_TEXT)
    if "\0" in text:
        return Complaint("must not hold NUL", FaultCode.UNSTORABLE)
    try:
        text.encode()
    except UnicodeEncodeError:
        return Complaint("must not hold a lone surrogate", FaultCode.UNSTORABLE)
    return None


@cache
def _converter() -> Converter:
    """Make the converter that takes JSON as it is: nothing is coerced but whole numbers to float."""
    from cattrs import Converter
    from cattrs.cols import is_sequence, list_structure_factory

    converter = Converter(forbid_extra_keys=True)
    for kind, complaint in _KINDS.items():
        converter.register_structure_hook(kind, _strict(kind, complaint))

    @converter.register_structure_hook_factory(is_sequence)
    def _(hint: Any, converter: Converter) -> Any:
        inner = list_structure_factory(hint, converter)

        def structure(value: Any, kind: Any) -> Any:
            if not isinstance(value, list | tuple):
                raise ValueError(Complaint("must be a list", FaultCode.LIST))
            found = inner(value, kind)
            return tuple(found) if typing.get_origin(kind) is tuple else found

        return structure

    @converter.register_structure_hook_factory(_is_literal)
    def _(hint: Any) -> Any:
        return _literal(typing.get_args(hint))

    return converter


def _is_literal(hint: Any) -> bool:
    return typing.get_origin(hint) is Literal


def _literal(choices: tuple[Any, ...]) -> Any:
    def structure(value: Any, wanted: Any) -> Any:
        for choice in choices:
            named = _named_by(choice)
            if value == named and isinstance(value, bool) == isinstance(named, bool):
                return choice
        raise ValueError(_not_among(choices))

    return structure


def _named_by(choice: Any) -> Any:
    return choice.value if isinstance(choice, Enum) else choice


def _not_among(choices: Iterable[Any]) -> Complaint:
    return Complaint(f"must be one of {', '.join(repr(_named_by(choice)) for choice in choices)}", FaultCode.CHOICE)


_KINDS: dict[type, Complaint] = {
    str: Complaint("must be a string", FaultCode.TEXT),
    bool: Complaint("must be true or false", FaultCode.BOOLEAN),
    int: Complaint("must be a whole number", FaultCode.INTEGER),
    float: Complaint("must be a number", FaultCode.NUMBER),
}


def _strict(kind: type, complaint: Complaint) -> Any:
    def structure(value: Any, wanted: Any) -> Any:
        if issubclass(wanted, Enum):  # of a kind of text or number: cattrs takes it for that
            return _member(value, wanted)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ValueError(complaint)
        return value

    return structure


def _member(value: Any, wanted: type[Enum]) -> Any:
    """Return the member of an enumeration. Raises: ValueError naming them all."""
    try:
        return wanted(value)
    except ValueError as exc:
        raise ValueError(_not_among(wanted)) from exc


def options_schema(options_type: type | None) -> dict[str, Any]:
    """Return the JSON schema (2020-12) of an options class; any object without one.

    `description` comes from a field's metadata, bounds from its attrs validators.
    """
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**schema, **(_class_schema(options_type) if options_type else {"type": "object"})}


def _class_schema(options_type: type) -> dict[str, Any]:
    hints = _type_hints(options_type)
    fields = attrs.fields(options_type)
    schema: dict[str, Any] = {
        "type": "object",
        "title": options_type.__name__,
        "properties": {
            attribute.alias or attribute.name: _field_schema(attribute, hints[attribute.name]) for attribute in fields
        },
        "additionalProperties": False,
    }
    required = [attribute.alias or attribute.name for attribute in fields if attribute.default is attrs.NOTHING]
    return {**schema, "required": required} if required else schema


def _field_schema(attribute: attrs.Attribute[Any], hint: Any) -> dict[str, Any]:
    schema = _type_schema(hint)
    schema.update(validator_bounds(attribute.validator, of_array=schema.get("type") == "array"))
    if "enum" in schema and type(None) in typing.get_args(hint):
        schema["enum"] = [*schema["enum"], None]
    if "description" in attribute.metadata:
        schema["description"] = attribute.metadata["description"]
    schema.update(_default_schema(attribute.default))
    return schema


def _default_schema(default: Any) -> dict[str, Any]:
    if default is attrs.NOTHING or getattr(default, "takes_self", False):
        return {}
    factory = getattr(default, "factory", None)
    return {"default": _converter().unstructure(default if factory is None else factory())}


def _type_schema(hint: Any) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _SCALARS:
        return {"type": _SCALARS[hint]}
    if origin is Literal:
        return {"enum": [_named_by(argument) for argument in arguments]}
    if origin in (typing.Union, types.UnionType):
        return _union_schema([_type_schema(argument) for argument in arguments])
    if origin in (list, tuple, set, frozenset):
        return {"type": "array", "items": _type_schema(arguments[0])}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _type_schema(arguments[1])}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    return _class_schema(hint) if isinstance(hint, type) and attrs.has(hint) else {}


def _union_schema(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    if all(set(schema) == {"type"} for schema in schemas):
        return {"type": [schema["type"] for schema in schemas]}
    return {"anyOf": schemas}


def validator_bounds(validator: Any, *, of_array: bool = False) -> dict[str, Any]:
    """Return what the validators of attrs demand of a field, as keywords of JSON schema, those of arrays if it is one.

    Known are ge, gt, le, lt, max_len, min_len, in_ and matches_re, alone and within and_ and optional; whatever
    else has a `pattern` that is a compiled regular expression counts as matches_re.
    """
    return {_OF_ARRAYS.get(name, name) if of_array else name: bound for name, bound in _bounds(validator)}


_BROKEN: dict[str, tuple[FaultCode, Callable[[Any, Any], bool]]] = {
    "minimum": (FaultCode.MINIMUM, operator.lt),
    "exclusiveMinimum": (FaultCode.ABOVE, operator.le),
    "maximum": (FaultCode.MAXIMUM, operator.gt),
    "exclusiveMaximum": (FaultCode.BELOW, operator.ge),
    "minLength": (FaultCode.SHORT, lambda value, bound: len(value) < bound),
    "maxLength": (FaultCode.LONG, lambda value, bound: len(value) > bound),
    "enum": (FaultCode.CHOICE, lambda value, choices: value not in choices),
    "pattern": (FaultCode.PATTERN, lambda value, pattern: re.fullmatch(pattern, value) is None),
}
"""What each keyword of a schema is called when a value breaks it, and how to tell."""

_PLACES = {FaultCode.PATTERN: "pattern", FaultCode.SHORT: "n", FaultCode.LONG: "n"}
_OF_ITEMS = {FaultCode.SHORT: FaultCode.FEW, FaultCode.LONG: FaultCode.MANY}


def complaint_of(error: Exception, validator: Any, value: Any) -> Complaint:
    """Return what `validator` said of a value, with the rule that it breaks if `validator_bounds` knows that."""
    said = _said(error)
    if said.code is None:
        for keyword, bound in _bounds(validator):
            code, is_broken = _BROKEN[keyword]
            if is_broken(value, bound):
                return _named(said, code, bound, value)
    return said


def _named(said: str, code: FaultCode, bound: Any, value: Any) -> Complaint:
    if code is FaultCode.CHOICE:
        return Complaint(said, code)
    named = code if isinstance(value, str) else _OF_ITEMS.get(code, code)
    return Complaint(said, named, **{_PLACES.get(code, "limit"): bound})


def _bounds(validator: Any) -> Iterator[tuple[str, Any]]:
    for inner in getattr(validator, "_validators", ()):
        yield from _bounds(inner)
    inner = getattr(validator, "validator", None)
    if inner is not None:
        yield from _bounds(inner)
    if hasattr(validator, "compare_op"):
        yield _BOUNDS[validator.compare_op], validator.bound
    if hasattr(validator, "options"):
        yield "enum", list(validator.options)
    if hasattr(validator, "max_length"):
        yield "maxLength", validator.max_length
    if hasattr(validator, "min_length"):
        yield "minLength", validator.min_length
    if hasattr(validator, "pattern"):
        yield "pattern", validator.pattern.pattern
