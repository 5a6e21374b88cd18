"""From bytes and text to request classes, and every fault by its JSON pointer."""

from __future__ import annotations

import json
import math
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeVar

import attrs
import cattrs
from attrs import Attribute, evolve, frozen
from cattrs.gen import make_dict_structure_fn, override

from novel_tasks_core import Complaint, FaultCode, complaint_of
from novel_tasks_server.schemas.access import Scope

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

_MAX_DEPTH = 64
_MAX_INT = 2**63
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)

_A_NUMBER = Complaint("must be a number", FaultCode.NUMBER)
_A_WHOLE_NUMBER = Complaint("must be a whole number", FaultCode.INTEGER)
_TRUE_OR_FALSE = Complaint("must be true or false", FaultCode.BOOLEAN)
_AN_OBJECT = Complaint("must be a JSON object", FaultCode.OBJECT)
_A_MOMENT = Complaint("must be a time with its zone as in RFC 3339: 2026-01-31T12:00:00Z", FaultCode.MOMENT)


@frozen
class FieldFault:
    """One thing wrong with a request: where, as a JSON pointer, and what would be right."""

    pointer: str
    detail: Complaint


class MalformedBodyError(Exception):
    """The body is not what its media type says: `detail` tells how."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidRequestError(Exception):
    """The request can be read, but its values cannot be used: `faults` lists all that is wrong."""

    def __init__(self, *faults: FieldFault) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
        self.faults = faults


def text_fault(text: str) -> Complaint | None:
    """Return why this text cannot be stored, None when it can."""
    match = _UNSTORABLE.search(text)
    if match is None:
        return None
    what = "NUL" if match[0] == "\x00" else "a lone surrogate"
    return Complaint(f"must not contain {what}", FaultCode.UNSTORABLE)


def json_faults(value: Any, pointer: str = "") -> Iterator[FieldFault]:
    """Yield what the database could not store in a JSON value: NUL, lone surrogates, huge numbers, great depth."""
    pending = [(value, pointer, 0)]
    while pending:
        item, at, depth = pending.pop()
        fault = _scalar_fault(item) if depth <= _MAX_DEPTH else _TOO_DEEP
        if fault:
            yield FieldFault(at, fault)
        elif isinstance(item, dict):
            pending.extend((name, f"{at}/{_escape(name)}", depth) for name in item)
            pending.extend((inner, f"{at}/{_escape(name)}", depth + 1) for name, inner in item.items())
        elif isinstance(item, list):
            pending.extend((inner, f"{at}/{index}", depth + 1) for index, inner in enumerate(item))


_TOO_DEEP = Complaint(f"must not be nested deeper than {_MAX_DEPTH} levels", FaultCode.DEEP, n=_MAX_DEPTH)


def _scalar_fault(item: Any) -> Complaint | None:
    if isinstance(item, str):
        return text_fault(item)
    if isinstance(item, float) and not math.isfinite(item):
        return Complaint("must be a finite number", FaultCode.FINITE)
    if isinstance(item, int) and not -_MAX_INT <= item < _MAX_INT:
        return Complaint("must fit in 64 bits", FaultCode.BITS)
    return None


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def parse_json(data: bytes | str) -> Any:
    """Read one JSON value in UTF-8.

    Raises: MalformedBodyError; InvalidRequestError for what cannot be stored.
    """
    try:
        value = json.loads(data if isinstance(data, str) else data.decode(), parse_constant=_refuse_constant)
    except RecursionError:
        raise MalformedBodyError("The JSON is nested too deeply.") from None
    except ValueError as exc:
        raise MalformedBodyError(f"This is not JSON: {exc}") from None
    if faults := tuple(json_faults(value)):
        raise InvalidRequestError(*faults[:20])
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number in JSON")


def decode_json(data: bytes, cls: type[T]) -> T:
    """Read a request class from a JSON body. Raises: MalformedBodyError, InvalidRequestError."""
    return _structure(_JSON, parse_json(data), cls)


def decode_text(values: Mapping[str, str], cls: type[T]) -> T:
    """Read a request class from query parameters or form fields. Raises: InvalidRequestError."""
    return _structure(_TEXT, values, cls)


def _structure(converter: cattrs.Converter, value: Any, cls: type[T]) -> T:
    if not isinstance(value, Mapping):
        raise InvalidRequestError(FieldFault("", _AN_OBJECT))
    try:
        return converter.structure(value, cls)
    except cattrs.BaseValidationError as exc:
        raise InvalidRequestError(*_faults_of(exc)) from None


def _faults_of(exc: BaseException, pointer: str = "") -> Iterator[FieldFault]:
    match exc:
        case InvalidRequestError():
            yield from (evolve(fault, pointer=pointer + fault.pointer) for fault in exc.faults)
        case cattrs.ForbiddenExtraKeysError():
            unknown = Complaint("unknown field", FaultCode.UNKNOWN)
            yield from (FieldFault(f"{pointer}/{_escape(name)}", unknown) for name in sorted(exc.extra_fields))
        case cattrs.ClassValidationError():
            named, others = exc.group_exceptions()
            for inner, note in named:
                yield from _faults_of(inner, f"{pointer}/{_escape(note.name)}")
            for inner in others:
                yield from _faults_of(inner, pointer)
        case KeyError():
            yield FieldFault(pointer, Complaint("is required", FaultCode.REQUIRED))
        case _:
            yield FieldFault(pointer, Complaint.of(exc.args[0] if exc.args else "is not valid"))


def _converter(readers: Mapping[Any, Callable[[Any], Any]]) -> cattrs.Converter:
    """Make a converter for request classes: one reader per type, validators field by field, no unknown fields."""
    converter = cattrs.Converter(detailed_validation=True)

    def read_as(value: Any, wanted: Any) -> Any:
        if isinstance(wanted, type) and issubclass(wanted, Enum):
            return _enum(value, wanted)
        if isinstance(wanted, type) and attrs.has(wanted):
            return converter.structure(_object(value), wanted)
        return readers[wanted](value)

    def factory(cls: type[Any]) -> Any:
        attrs.resolve_types(cls)
        fields = {a.name: override(struct_hook=_field_reader(a, read_as)) for a in attrs.fields(cls)}
        # the overrides share their parameter's type with the flags that come before them
        return make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True, **fields)  # type: ignore[arg-type]

    converter.register_structure_hook_factory(attrs.has, factory)
    return converter


def _field_reader(attribute: Attribute[Any], read_as: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return what reads one field and then asks its validator, whose complaint so gets the field's pointer."""
    inner = [arg for arg in typing.get_args(attribute.type) if arg is not type(None)]
    is_optional = type(None) in typing.get_args(attribute.type)
    wanted = inner[0] if is_optional else attribute.type

    def read(value: Any, _: Any) -> Any:
        made = None if is_optional and value is None else read_as(value, wanted)
        if attribute.validator is not None:
            try:
                attribute.validator(None, attribute, made)
            except ValueError as exc:
                raise ValueError(complaint_of(exc, attribute.validator, made)) from None
        return made

    return read


def _enum(value: Any, wanted: type[E]) -> E:
    try:
        return wanted(value)
    except ValueError:
        choices = ", ".join(str(member.value) for member in wanted)
        raise ValueError(Complaint(f"must be one of {choices}", FaultCode.CHOICE)) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(Complaint("must be a string", FaultCode.TEXT))
    if fault := text_fault(value):
        raise ValueError(fault)
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(_A_NUMBER)
    return float(value)


def _integer(value: Any) -> int:
    """Read a whole number; JSON knows no difference between 5 and 5.0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not float(value).is_integer():
        raise ValueError(_A_WHOLE_NUMBER)
    return int(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(_TRUE_OR_FALSE)
    return value


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(_AN_OBJECT)
    return value


def _scopes(value: Any) -> list[Scope]:
    if not isinstance(value, list):
        raise ValueError(Complaint("must be a list of scopes", FaultCode.LIST))
    return [_enum(word, Scope) for word in value]


def _boolean_of_text(value: str) -> bool:
    if value not in ("true", "false"):
        raise ValueError(_TRUE_OR_FALSE)
    return value == "true"


def _number_of_text(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(_A_NUMBER)
    return number


def _integer_of_text(value: str) -> int:
    if not _INTEGER.fullmatch(value.strip()):
        raise ValueError(_A_WHOLE_NUMBER)
    return int(value)


def _moment(value: Any) -> datetime:
    try:
        text = _text(value).upper()
        if not _MOMENT.fullmatch(text):
            raise ValueError
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(_A_MOMENT) from None


def _object_of_text(value: str) -> dict[str, Any]:
    try:
        made = parse_json(value)
    except MalformedBodyError as exc:
        raise ValueError(Complaint(exc.detail, FaultCode.JSON, reason=exc.detail)) from None
    return _object(made)


_JSON = _converter(
    {
        str: _text,
        bool: _boolean,
        int: _integer,
        float: _number,
        datetime: _moment,
        dict[str, Any]: _object,
        list[Scope]: _scopes,
    }
)
_TEXT = _converter(
    {
        str: _text,
        bool: _boolean_of_text,
        int: _integer_of_text,
        float: _number_of_text,
        datetime: _moment,
        dict[str, Any]: _object_of_text,
    }
)
