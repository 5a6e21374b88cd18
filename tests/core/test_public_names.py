"""The public names: complete, importable, and light to import."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import novel_tasks_core


def declared_names() -> dict[str, str]:
    """Return the names that type checkers see, with the module that each comes from."""
    tree = ast.parse(Path(novel_tasks_core.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.name: (node.module or "").removeprefix("novel_tasks_core.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_what_type_checkers_see_is_what_programs_get() -> None:
    """The names for type checkers, `__all__` and the names loaded on first use are the same."""
    assert declared_names() == novel_tasks_core._HOME_OF
    assert sorted(novel_tasks_core.__all__) == sorted(novel_tasks_core._HOME_OF)


def test_every_public_name_can_be_had_and_is_documented() -> None:
    """Each name loads, and each class and function of ours has a docstring."""
    for name in novel_tasks_core.__all__:
        value = getattr(novel_tasks_core, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), name


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A name that does not exist fails as it would in any module."""
    assert not hasattr(novel_tasks_core, "no_such_name")
