"""The tree of errors: one root, fields instead of sentences."""

from __future__ import annotations

import pickle
from typing import Any
from uuid import UUID

import pytest

from novel_tasks_core import errors
from novel_tasks_core.errors import NovelTasksError

ID = UUID(int=0xAB)
SHOWN = f"task-{ID.hex}"

MADE: list[tuple[type[NovelTasksError], tuple[Any, ...], dict[str, Any], dict[str, Any], str]] = [
    (
        errors.ConfigError,
        ("PORT", "must be set"),
        {},
        {"variable": "PORT", "reason": "must be set"},
        "PORT: must be set",
    ),
    (errors.InvalidInputError, ("a.b", "no"), {}, {"field": "a.b", "reason": "no"}, "a.b: no"),
    (errors.InvalidFilterError, ("limit", "no"), {}, {"field": "limit", "reason": "no"}, "limit: no"),
    (
        errors.InvalidOptionsError,
        ("split", [("x.y", "no"), ("z", "never")]),
        {},
        {"processor": "split", "field": "x.y", "problems": (("x.y", "no"), ("z", "never"))},
        "options of split: x.y: no; z: never",
    ),
    (errors.InvalidProcessorError, ("function", "no"), {}, {"field": "function"}, "function: no"),
    (
        errors.UnknownProcessorError,
        ("x", ["b", "a"]),
        {},
        {"field": "processor", "name": "x", "known": ("a", "b")},
        "processor: unknown processor 'x'; known: a, b",
    ),
    (
        errors.DecodingError,
        ("bad byte",),
        {"encoding": "utf-8", "offset": 3},
        {"field": "file", "reason": "bad byte", "encoding": "utf-8", "offset": 3},
        "bad byte",
    ),
    (errors.TaskNotFoundError, (ID,), {}, {"task_id": ID}, f"Task {SHOWN} not found"),
    (errors.TaskNotFoundError, ("nonsense",), {}, {"task_id": "nonsense"}, "Task nonsense not found"),
    (errors.ArtifactNotFoundError, (ID, "n"), {}, {"task_id": ID, "name": "n"}, f"Task {SHOWN} has no artifact 'n'"),
    (errors.TokenNotFoundError, (ID,), {}, {"token_id": ID}, f"Token {ID} not found"),
    (errors.SourceNotFoundError, ("ab",), {}, {"sha256": "ab"}, "no stored file has the SHA-256 ab"),
    (
        errors.IllegalTransitionError,
        (ID, "failed", "cancel it"),
        {},
        {"task_id": ID, "status": "failed", "action": "cancel it"},
        f"Task {SHOWN} is failed: cannot cancel it",
    ),
    (errors.DuplicateTaskError, ("k", ID), {}, {"key": "k", "existing": ID}, f"{SHOWN} already holds the key 'k'"),
    (
        errors.PreconditionFailedError,
        (ID, "2.1.0"),
        {},
        {"task_id": ID, "version": "2.1.0"},
        f"Task {SHOWN} has changed: it is now at version 2.1.0",
    ),
    (
        errors.LeaseLostError,
        (ID, 3),
        {},
        {"task_id": ID, "attempt": 3},
        f"the lease of attempt 3 of {SHOWN} is lost",
    ),
    (errors.TaskProcessingError, ("no",), {"type": "Odd"}, {"detail": "no", "type": "Odd"}, "no"),
    (errors.TaskTimeoutError, (2.5,), {}, {"seconds": 2.5, "type": "TaskTimeoutError"}, "did not finish within 2.5 s"),
    (errors.ChildCrashedError, ("died",), {"exit_code": -9}, {"exit_code": -9, "type": "ChildCrashedError"}, "died"),
    (
        errors.TaskFailedError,
        (ID, "failed", "why"),
        {},
        {"task_id": ID, "status": "failed"},
        f"{SHOWN} failed: why",
    ),
    (errors.StorageError, ("no",), {}, {}, "no"),
    (errors.DatabaseUnavailableError, ("gone",), {}, {"reason": "gone"}, "database unavailable: gone"),
    (errors.SchemaError, ("old",), {"found": 1, "wanted": 2}, {"found": 1, "wanted": 2}, "old"),
    (errors.FileStoreError, ("full",), {"errno": 28}, {"errno": 28}, "full"),
    (
        errors.EmbeddedServerError,
        ("/d", "no"),
        {},
        {"directory": "/d", "reason": "no"},
        "embedded PostgreSQL in /d: no",
    ),
    (errors.EngineClosedError, (), {}, {}, "the engine is closed"),
]


@pytest.mark.parametrize(("cls", "args", "kwargs", "fields", "sentence"), MADE)
def test_an_error_has_fields_and_a_sentence(
    cls: type[NovelTasksError], args: tuple[Any, ...], kwargs: dict[str, Any], fields: dict[str, Any], sentence: str
) -> None:
    """Every error can be read by its fields; the sentence is made from them."""
    error = cls(*args, **kwargs)
    assert {name: getattr(error, name) for name in fields} == fields
    assert str(error) == sentence


def test_every_error_stands_in_the_drawn_tree_and_in_this_table() -> None:
    """The module docstring, the classes and this table name the same errors."""
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, NovelTasksError)]
    assert {cls.__name__ for cls in classes} - {"NovelTasksError"} == {made[0].__name__ for made in MADE}
    assert all(f"-- {cls.__name__}" in (errors.__doc__ or "") for cls in classes if cls is not NovelTasksError)


def test_a_decoding_error_survives_pickling() -> None:
    """A child process sends it whole, with all fields."""
    error = pickle.loads(pickle.dumps(errors.DecodingError("bad", encoding="utf-8", offset=7)))
    assert (error.reason, error.encoding, error.offset) == ("bad", "utf-8", 7)


def test_a_config_error_does_not_keep_the_value() -> None:
    """What was configured may be a secret: neither the fields nor the sentence hold it."""
    error = errors.ConfigError("DATABASE_URL", "must be a URL")
    assert vars(error) == {"variable": "DATABASE_URL", "reason": "must be a URL"}


def test_options_without_a_named_problem_are_still_refused_with_a_sentence() -> None:
    """An empty list of problems does not make an empty error."""
    assert errors.InvalidOptionsError("split", []).problems == (("options", "not accepted"),)
