"""What the page says: both languages the same, all that the server can say by codes, one name for one act; and when
each part of it is loaded."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import novel_tasks_core
import novel_tasks_server
from novel_tasks_core import (
    ConditionCode,
    DecodingProblem,
    FaultCode,
    NovelTasksError,
    OutcomeKind,
    Reason,
    SkipReason,
    TaskStatus,
)
from novel_tasks_core.events import STORED_EVENTS
from novel_tasks_core.processors.report.chinese import CHINESE
from novel_tasks_core.text import formats
from novel_tasks_server.findings import Code
from novel_tasks_server.routes.dashboard import Assets

SERVER, CORE = Path(novel_tasks_server.__file__).parent, Path(novel_tasks_core.__file__).parent
FOLDER = SERVER / "dashboard"
ROOT = SERVER.parent

_TEXT = re.compile(r'^  "([^"]+)":(.+?)(?=^  "|^};)', re.MULTILINE | re.DOTALL)
"""A key of a file of words, and all that stands behind it."""


def _books() -> Iterator[tuple[Path, dict[str, str], dict[str, str]]]:
    """Yield each file of words with what it says in English and in Chinese."""
    for path in sorted(FOLDER.glob("app/**/*words.js")):
        parts = path.read_text(encoding="utf-8").split("export const zh")
        if len(parts) == 2:
            english, chinese = (dict(_TEXT.findall(part)) for part in parts)
            yield path, english, chinese


def _places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text)) - {"n"}


def test_every_text_is_there_in_both_languages() -> None:
    """What English says Chinese says too, with the same places to fill in."""
    for path, english, chinese in _books():
        assert english.keys() <= chinese.keys(), path
        for name, text in english.items():
            assert _places(text) == _places(chinese[name]), (path, name)


def test_every_text_that_is_asked_for_is_there() -> None:
    """No part of the page asks for words that nobody wrote."""
    known = {name for _, english, _ in _books() for name in english}
    for path in FOLDER.glob("app/**/*.js"):
        asked = set(re.findall(r"""\bt\(\s*["']([\w.-]+)["']""", path.read_text(encoding="utf-8")))
        assert asked <= known, path


def _linked(page: str) -> tuple[set[str], dict[str, set[str]]]:
    """Return the modules that a page loads at once, and those of each view that is loaded later."""
    first, *later = re.split(r'<template data-view="', page)
    linked = [set(re.findall(r'modulepreload" href="dashboard/[^/]+/([^"]+)"', part)) for part in (first, *later)]
    return linked[0], dict(zip((part.partition('"')[0] for part in later), linked[1:], strict=True))


def test_views_are_loaded_when_they_are_opened() -> None:
    """At once comes what the list needs, all of it and no more; every other file belongs to a view that comes later."""
    assets = Assets.read()
    first, later = _linked(assets.page.data.decode())
    modules = {name for name in assets.files if name.endswith((".js", ".mjs"))} - {"first.js"}
    assert first | set().union(*later.values()) == modules
    assert later.keys() == {"task", "queue", "system"}
    for view, names in later.items():
        assert f"app/{view}/view.js" in names
        assert not names & first
    assert not [name for name in first if name.startswith(("app/task/", "app/queue/", "app/system/", "vendor/uplot"))]


def test_texts_come_with_those_who_ask_for_them() -> None:
    """What is loaded at once asks for no words that come later, nor does a view for those of another."""
    assets = Assets.read()
    first, later = _linked(assets.page.data.decode())
    words = {path.relative_to(FOLDER).as_posix(): english.keys() for path, english, _ in _books()}
    every = set().union(*words.values())
    for names in (first, *(first | part for part in later.values())):
        known = {word for name in names & words.keys() for word in words[name]}
        for name in names:
            for asked, end in re.findall(r"""["'`]([\w-]+\.[\w.-]+)(["'`]|\$\{)""", assets.files[name].data.decode()):
                wanted = {word for word in every if (word.startswith(asked) if end == "${" else word == asked)}
                assert wanted <= known, name


def _calls(*names: str, within: tuple[str, ...] = ("checks.py", "routes/system.py")) -> Iterator[ast.Call]:
    """Yield the calls of functions of these names."""
    for path in within:
        for node in ast.walk(ast.parse((SERVER / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names:
                yield node


def _check_names() -> set[str]:
    """Return the names of all checks that the system shows, but those of the optional parts."""
    first = {call.args[0] for call in _calls("ok", "warning", "problem", "_together")}
    names = {str(one.value) for one in first if isinstance(one, ast.Constant)} - {"program"}
    return {name.replace(" ", "-") for name in names} | {"extra", "upload-folder", "upload-flush"}


def _codes_in(node: ast.AST) -> set[str]:
    """Return the codes that are named below a node."""
    return {
        one.attr.lower()
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute) and getattr(one.value, "id", "") in ("Code", "ConditionCode")
    }


def _stages() -> set[str]:
    """Return the stages that processors have names for."""
    return {
        keyword.value.value
        for path in (CORE / "processors").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "stage" and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str)
    }


def _errors(cls: type[Exception] = NovelTasksError) -> Iterator[str]:
    """Yield the names of our own errors."""
    if cls.__module__ == NovelTasksError.__module__:
        yield cls.__name__
    for sub in cls.__subclasses__():
        yield from _errors(sub)


def _said() -> dict[str, set[str]]:
    """Return all that the server says by a code, by the beginning of the key of its words."""
    problems = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    found = {*Code, *ConditionCode}
    good = set().union(*(_codes_in(call) for call in _calls("ok")))
    return {
        "problem": set(re.findall(r"^\| `([a-z-]+)` \| [0-9]", problems, re.MULTILINE)),
        "form": set(FaultCode),
        "failure": {*_errors(), "worker_lost", "ExternalError", "Cancelled", "Retry", "Snooze"},
        "failure.DecodingError": set(DecodingProblem),
        "failure.format": {name for _, (name, _) in (*formats._MAGIC, *formats._ZIP_KINDS)} | {"mobi"},
        "check": _check_names(),
        "found": set(found),
        "mend": found - good,
        "stage": _stages(),
        "status": set(TaskStatus),
        "task.why": set(Reason) - {Reason.COMPLETED, Reason.FAILED, Reason.CANCELLED, Reason.RUNNING},
        "task.event": {kind for kind in STORED_EVENTS if kind != "log"},
        "task.outcome": set(OutcomeKind),
        "bulk.reason": set(SkipReason),
    }


@pytest.mark.parametrize("area", _said())
def test_what_the_server_says_by_a_code_is_said_in_chinese(area: str) -> None:
    """No refusal, failure, finding, state or reason is English on a Chinese page for want of words."""
    chinese = {name for _, _, words in _books() for name in words}
    said = _said()[area]
    assert said
    assert {name for name in said if f"{area}.{name}" not in chinese} == set()


def test_reasons_of_chapters_are_said_as_in_the_report() -> None:
    """The page has the report's table, to the letter; that it has words for every reason is tested with the report."""
    file = (FOLDER / "app" / "reasons.js").read_text(encoding="utf-8")
    table = [(pattern, re.sub(r"\\(\d)", r"$\1", words)) for pattern, words in CHINESE.reasons]
    rows = [f'  [/{pattern}/g, "{words}"],' for pattern, words in table]

    assert file.partition("const CHINESE = [\n")[2].partition("\n];")[0].split("\n") == rows


def _values() -> dict[str, set[str]]:
    """Return the values that come with each code: those of the call, and of the dicts that are made beside it."""
    values: dict[str, set[str]] = {}
    for path in (*SERVER.rglob("*.py"), *CORE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        makers = [one for one in functions if any(argument.arg == "code" for argument in one.args.args)]
        shared = set().union(*map(_keys_in, makers))
        for function in functions:
            for code in _codes_in(function):
                values.setdefault(code, set()).update(_keys_in(function) | shared)
    return values


def _keys_in(function: ast.AST) -> set[str]:
    """Return the keys of the dicts, and the keywords of the calls, in a function."""
    nodes = list(ast.walk(function))
    keys = [key for node in nodes if isinstance(node, ast.Dict) for key in node.keys]
    named = {str(node.arg) for node in nodes if isinstance(node, ast.keyword)}
    return named | {str(key.value) for key in keys if isinstance(key, ast.Constant)}


def _complaints() -> Iterator[tuple[str, ast.Call]]:
    """Yield each complaint that is made with its code named, and the call that makes it."""
    for path in (*SERVER.rglob("*.py"), *CORE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Complaint":
                for one in ast.walk(node):
                    if isinstance(one, ast.Attribute) and getattr(one.value, "id", "") == "FaultCode":
                        yield one.attr.lower(), node


def test_faults_are_told_with_values_that_come_with_them() -> None:
    """No place in the words of a fault stays empty."""
    chinese = {name: text for _, _, words in _books() for name, text in words.items()}
    found = list(_complaints())
    assert len(found) > 50
    for code, call in found:
        values = {keyword.arg for keyword in call.keywords}
        assert _places(chinese[f"form.{code}"]) | _counts(chinese[f"form.{code}"]) <= values | {"reason"}, code


def _counts(text: str) -> set[str]:
    return {"n"} & set(re.findall(r"\{(\w+)\}", text))


_REFUSING = [
    *(f"processors/{name}.py" for name in ("options", "decoding", "epub/__init__", "clean/options")),
    *("text/rule.py", "conversion.py", "engine/checks.py", "engine/tokens.py"),
    *(f"storage/{name}.py" for name in ("listing", "lists", "looking")),
]
"""The modules of the core that refuse what can come over HTTP."""

_OTHERWISE = re.compile("must be a Source|64 hex digits|not a number in JSON")
"""What only a program that uses the library can do wrong, and what becomes part of another sentence."""


def test_every_refusal_of_a_value_has_a_code() -> None:
    """What can be wrong with a field has a code beside its sentence, so that it can be said in any language."""
    ours = [path for folder in ("schemas", "routes") for path in (SERVER / folder).glob("*.py")]
    bare = {
        f"{path.name}: {ast.unparse(said)}"
        for path in (*ours, *(CORE / name for name in _REFUSING))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        if getattr(node.func, "id", "") in ("ValueError", "InvalidInputError", "InvalidFilterError", "FieldFault")
        for said in node.args[-1:]
        if isinstance(said, ast.Constant | ast.JoinedStr) and not _OTHERWISE.search(ast.unparse(said))
    }

    assert bare == set()


def test_findings_are_told_with_values_that_come_with_them() -> None:
    """No place in the words of a finding stays empty."""
    values = _values()
    for _, _, chinese in _books():
        for name, text in chinese.items():
            area, _, code = name.partition(".")
            if area in ("found", "mend"):
                assert _places(text) <= values.get(code, set()), name


_NAMES = {
    "act.retry": ("Retry", "重试"),
    "act.again": ("Process again", "再次处理"),
    "error.again": ("Try again", "再试一次"),
}
"""To retry a task, to process its novel again as another one, to try again what the page itself has asked for."""

_OTHER_NAMES = re.compile("round again|begun anew|重新来过|再来一次|重跑")


def test_an_act_has_one_name() -> None:
    """Each has its name, which stands in one place, and no other: on the page, in the commands, in the documents."""
    for language in (0, 1):
        words = {
            name: text.strip(" ,\n").strip('"') for _, *books in _books() for name, text in books[language].items()
        }
        for act, names in _NAMES.items():
            assert [name for name, text in words.items() if text == names[language]] == [act]
    files = [
        *(FOLDER / "app").rglob("*.js"),
        *SERVER.rglob("*.py"),
        *(ROOT / "docs").glob("*.*"),
        *ROOT.glob("README*.md"),
    ]
    assert [str(path) for path in files if _OTHER_NAMES.search(path.read_text(encoding="utf-8"))] == []
