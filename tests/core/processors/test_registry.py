"""Processors are registered by name, checked at once, and say which options they take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum, IntEnum, StrEnum
from importlib.metadata import EntryPoint
from typing import Any, Literal

import pytest
from attrs import field, frozen, validators

from novel_tasks_core import (
    AttemptContext,
    Complaint,
    FaultCode,
    InvalidOptionsError,
    InvalidProcessorError,
    Processors,
    RetryPolicy,
    UnknownProcessorError,
)
from novel_tasks_core.processors import registry
from novel_tasks_core.processors.base import ChildContext, Processor
from novel_tasks_core.processors.options import options_schema, structure_options, validate_options


class Colour(Enum):
    """An option with few values."""

    RED = "red"
    BLUE = "blue"


@frozen(kw_only=True)
class Inner:
    """Options inside options."""

    depth: int = 1


@frozen(kw_only=True)
class ManyOptions:
    """One option of every kind."""

    size: int = field(validator=[validators.ge(1), validators.le(9)], metadata={"description": "How big."})
    ratio: float = 0.5
    name: str = field(default="x", validator=validators.max_len(5))
    colour: Colour = Colour.RED
    mode: Literal["fast", "slow"] = "fast"
    words: list[str] = field(factory=list)
    encoding: str | None = None
    inner: Inner = field(factory=Inner)
    loud: bool = False


async def grow(ctx: AttemptContext, options: ManyOptions) -> None:
    """Grow a novel.

    More about it.
    """


def shrink(ctx: ChildContext) -> None:
    """Shrink a novel."""


def with_options() -> Processors:
    """Return processors with one that takes many options."""
    processors = Processors()
    processors.register("grow", grow)
    return processors


def test_the_built_in_processors() -> None:
    """`analyze` comes first, for it is the default; `external` has no code."""
    processors = Processors.builtin()

    assert processors.names() == ("analyze", "split", "clean", "epub", "external")
    assert processors.get("external").function is None
    assert processors.get("analyze").target == "novel_tasks_core.processors.analyze:analyze"
    assert processors.get("split").runs_in_child
    assert all(processors.get(name).description for name in processors.names())


def test_instances_do_not_share_what_they_know() -> None:
    """A processor registered in one instance is unknown to another."""
    Processors.builtin().register("shrink", shrink)

    with pytest.raises(UnknownProcessorError, match="known: analyze, clean, epub, external, split"):
        Processors.builtin().get("shrink")


def test_registers_directly_and_as_a_decorator() -> None:
    """Both return the function unchanged; the docstring's first line describes it."""
    processors = Processors()

    @processors.register("local", timeout_seconds=5, retry=RetryPolicy.never(), version="7")
    async def local(ctx: AttemptContext) -> None:
        """Do little."""

    assert processors.register("shrink", shrink) is shrink
    made = processors.get("local")
    assert (made.function, made.timeout_seconds, made.retry.max_attempts, made.version) == (local, 5, 1, "7")
    assert made.description == "Do little."
    assert processors.get("shrink").options_type is None


@pytest.mark.parametrize("name", ["", "Grow", "a b", "-x", "x-", "x" * 65, "é", "a/b", "a\n"])
def test_refuses_odd_names(name: str) -> None:
    """Names go into addresses and file names, so they are plain."""
    with pytest.raises(InvalidProcessorError, match="name"):
        Processors().register(name, shrink)


def test_refuses_a_name_twice() -> None:
    """Two processors cannot share a name."""
    processors = Processors.builtin()

    with pytest.raises(InvalidProcessorError, match="already registered"):
        processors.register("split", shrink)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e9, float("nan")])
def test_refuses_an_impossible_timeout(seconds: float) -> None:
    """A timeout is more than nothing and at most a month."""
    with pytest.raises(InvalidProcessorError, match="timeout_seconds"):
        Processors().register("shrink", shrink, timeout_seconds=seconds)


def test_refuses_what_a_child_could_not_find() -> None:
    """A plain function inside another cannot be imported by a child process, a coroutine need not be."""

    def nested(ctx: ChildContext) -> None: ...

    async def nested_async(ctx: AttemptContext) -> None: ...

    processors = Processors()
    with pytest.raises(InvalidProcessorError, match="child process"):
        processors.register("nested", nested)
    processors.register("nested", nested_async)


def test_options_are_made_canonical() -> None:
    """Defaults are filled in, enums are their values, whole numbers will do for floats."""
    assert with_options().validate("grow", {"size": 3, "ratio": 1, "colour": "blue", "inner": {"depth": 2}}) == {
        "size": 3, "ratio": 1.0, "name": "x", "colour": "blue", "mode": "fast", "words": [], "encoding": None,
        "inner": {"depth": 2}, "loud": False,
    }  # fmt: skip


def test_every_problem_is_told_with_its_path() -> None:
    """All faults of the options are listed at once."""
    options: Mapping[str, Any] = {
        "size": "3", "name": "toolong", "words": ["a", 2], "loud": 1, "inner": {"depth": True, "x": 1},
        "sise": 1, "mode": "mid", "colour": "green", "ratio": "1",
    }  # fmt: skip

    with pytest.raises(InvalidOptionsError) as caught:
        with_options().validate("grow", options)

    assert {path for path, _ in caught.value.problems} == {
        "/size", "/name", "/words/1", "/loud", "/inner/depth", "/inner/x", "/sise", "/mode", "/colour", "/ratio",
    }  # fmt: skip
    assert caught.value.processor == "grow"


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({}, "/size"),
        ({"size": 0}, "/size"),
        ({"size": 3, "words": "abc"}, "/words"),
        ({"size": 3, "name": "a\0"}, "/name"),
        ({"size": 3, "name": "\ud800"}, "/name"),
        ({"size": 3, "ratio": float("nan")}, "/ratio"),
        ({"size": 3, "inner": None}, "/inner"),
        ({1: 2}, "/"),
        ([], "/"),
        ({"size": 3, "words": {"a"}}, "/words"),
    ],
)
def test_refuses_options_that_do_not_fit(options: Any, path: str) -> None:
    """A missing, wrong or unstorable value is named by its path."""
    with pytest.raises(InvalidOptionsError) as caught:
        with_options().validate("grow", options)

    assert caught.value.field == path


def test_options_without_a_class_are_any_json() -> None:
    """A processor that reads its options by itself gets them as they came, if they can be stored."""
    processors = Processors.builtin()

    assert processors.validate("external", {"a": [1, {"b": None}]}) == {"a": [1, {"b": None}]}
    assert processors.validate("external", None) == {}
    deep: Any = "x"
    for _ in range(50):
        deep = [deep]
    with pytest.raises(InvalidOptionsError, match="levels deep"):
        processors.validate("external", {"a": deep})


def test_options_are_described_as_a_json_schema() -> None:
    """Types, bounds, choices, defaults and descriptions come from the class."""
    schema = with_options().options_schema("grow")

    assert schema["required"] == ["size"]
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    assert properties["size"] == {"type": "integer", "minimum": 1, "maximum": 9, "description": "How big."}
    assert properties["name"] == {"type": "string", "maxLength": 5, "default": "x"}
    assert properties["colour"] == {"enum": ["red", "blue"], "default": "red"}
    assert properties["mode"] == {"enum": ["fast", "slow"], "default": "fast"}
    assert properties["words"] == {"type": "array", "items": {"type": "string"}, "default": []}
    assert properties["encoding"] == {"type": ["string", "null"], "default": None}
    assert properties["inner"]["properties"]["depth"] == {"type": "integer", "default": 1}
    assert Processors.builtin().options_schema("external")["type"] == "object"


@frozen(kw_only=True)
class BoundOptions:
    """Options with bounds of every kind."""

    tone: str | None = field(default=None, validator=validators.optional(validators.in_(("warm", "cold"))))
    words: list[str] = field(factory=list, validator=validators.and_(validators.min_len(0), validators.max_len(3)))
    code: str = field(default="a", validator=validators.matches_re("[a-z]"))


async def bounded(ctx: AttemptContext, options: BoundOptions) -> None:
    """Take bound options."""


def test_bounds_of_options_are_told_as_they_are_enforced() -> None:
    """A choice beside null, the length of a list and a pattern come from the validators."""
    processors = Processors()
    processors.register("bounded", bounded)
    properties = processors.options_schema("bounded")["properties"]
    assert properties["tone"]["enum"] == ["warm", "cold", None]
    assert (properties["words"]["minItems"], properties["words"]["maxItems"]) == (0, 3)
    assert properties["code"]["pattern"] == "[a-z]"


@pytest.mark.parametrize(
    ("options", "code", "values"),
    [
        ({"tone": "loud"}, FaultCode.CHOICE, {}),
        ({"words": list("abcd")}, FaultCode.MANY, {"n": 3}),
        ({"code": "1"}, FaultCode.PATTERN, {"pattern": "[a-z]"}),
        ({"code": 1}, FaultCode.TEXT, {}),
        ({"words": "a"}, FaultCode.LIST, {}),
        ({"code": "\0"}, FaultCode.UNSTORABLE, {}),
        ({"size": 1}, FaultCode.UNKNOWN, {}),
    ],
)
def test_what_is_wrong_with_an_option_has_a_code(
    options: dict[str, Any], code: FaultCode, values: dict[str, Any]
) -> None:
    """Beside the sentence stands the rule that is broken, also where a validator of attrs says so."""
    processors = Processors()
    processors.register("bounded", bounded)

    with pytest.raises(InvalidOptionsError) as refused:
        processors.validate("bounded", options)

    ((_, said),) = refused.value.problems
    assert isinstance(said, Complaint)
    assert (said.code, said.values) == (code, values)


@pytest.mark.parametrize(
    ("options", "code", "values"),
    [
        ({"size": 0}, FaultCode.MINIMUM, {"limit": 1}),
        ({"size": 10}, FaultCode.MAXIMUM, {"limit": 9}),
        ({"size": 1.5}, FaultCode.INTEGER, {}),
        ({"size": 2, "name": "longer"}, FaultCode.LONG, {"n": 5}),
        ({"size": 2, "mode": "idle"}, FaultCode.CHOICE, {}),
        ({}, FaultCode.REQUIRED, {}),
    ],
)
def test_bounds_that_are_broken_are_told_as_values(
    options: dict[str, Any], code: FaultCode, values: dict[str, Any]
) -> None:
    """A program needs not read the sentence to know the limit."""
    with pytest.raises(InvalidOptionsError) as refused:
        with_options().validate("grow", options)

    ((_, said),) = refused.value.problems
    assert isinstance(said, Complaint)
    assert (said.code, said.values) == (code, values)


def test_entry_points_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed packages offer functions and ready processors; what cannot be loaded is named."""
    here = __name__
    offered = [
        EntryPoint("from-function", "novel_tasks_core.processors.split:split", registry.ENTRY_POINTS),
        EntryPoint("ready", "novel_tasks_core.processors.external:PROCESSOR", registry.ENTRY_POINTS),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: offered if group == registry.ENTRY_POINTS else [])
    processors = Processors()

    processors.load_entry_points()

    assert processors.names() == ("from-function", "external")
    assert isinstance(processors.get("external"), Processor)
    offered[:] = [EntryPoint("broken", f"{here}.nowhere:nothing", registry.ENTRY_POINTS)]
    with pytest.raises(InvalidProcessorError, match="broken"):
        Processors().load_entry_points()
    offered[:] = [EntryPoint("odd", "novel_tasks_core.processors.split:SCHEMA", registry.ENTRY_POINTS)]
    with pytest.raises(InvalidProcessorError, match="odd"):
        Processors().load_entry_points()
    offered[:] = [EntryPoint("taken", "novel_tasks_core.processors.split:PROCESSOR", registry.ENTRY_POINTS)]
    with pytest.raises(InvalidProcessorError, match=r"taken .*'split' is already registered"):
        Processors.builtin().load_entry_points()


class Case(StrEnum):
    """An option whose values are texts."""

    UPPER = "upper"
    LOWER = "lower"


class Size(IntEnum):
    """An option whose values are numbers."""

    SMALL = 1
    LARGE = 2


@frozen(kw_only=True)
class ChoiceOptions:
    """Options that are members of enumerations, and a tuple."""

    case: Case = Case.UPPER
    size: Size = Size.SMALL
    words: tuple[str, ...] = ()


def test_enumerations_of_texts_and_numbers_arrive_as_members() -> None:
    """From JSON and back: a processor gets members and tuples, what is stored is plain JSON."""
    plain = {"case": "lower", "size": 2, "words": ["a"]}

    assert structure_options("p", ChoiceOptions, plain) == ChoiceOptions(case=Case.LOWER, size=Size.LARGE, words=("a",))
    stored = validate_options("p", ChoiceOptions, {"case": Case.LOWER, "size": Size.LARGE, "words": ("a",)})
    assert json.dumps(stored) == json.dumps(plain)


class Paper(Enum):
    """An option that is neither text nor number in a program."""

    BOOK = "book"
    NEWSPRINT = "newsprint"


@frozen(kw_only=True)
class SomeOptions:
    """An option that takes some members of enumerations, and a number."""

    paper: Literal[Paper.BOOK, Case.LOWER, 1]


@pytest.mark.parametrize(("plain", "chosen"), [("book", Paper.BOOK), ("lower", Case.LOWER), (1, 1)])
def test_some_members_may_be_named(plain: Any, chosen: Any) -> None:
    """By their values, as the schema lists them: what a processor gets are members."""
    assert structure_options("p", SomeOptions, {"paper": plain}).paper is chosen
    assert plain in options_schema(SomeOptions)["properties"]["paper"]["enum"]


@pytest.mark.parametrize("other", ["newsprint", True, 2, [], None])
def test_others_may_not(other: Any) -> None:
    """The error names those that may; true is no 1."""
    with pytest.raises(InvalidOptionsError) as caught:
        validate_options("p", SomeOptions, {"paper": other})
    assert caught.value.problems == (("/paper", "must be one of 'book', 'lower', 1"),)


@pytest.mark.parametrize(("name", "values"), [("case", "'upper', 'lower'"), ("size", "1, 2")])
def test_what_is_no_member_is_refused(name: str, values: str) -> None:
    """The error names the members."""
    with pytest.raises(InvalidOptionsError) as caught:
        validate_options("p", ChoiceOptions, {name: "sideways"})
    assert caught.value.problems == ((f"/{name}", f"must be one of {values}"),)
