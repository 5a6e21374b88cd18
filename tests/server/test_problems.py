"""Every error has its status, and tells no more than it should."""

from __future__ import annotations

import ast
import errno
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError, TransferEncodingError

from novel_tasks_core import (
    ArtifactNotFoundError,
    Complaint,
    DatabaseUnavailableError,
    DecodingError,
    DecodingProblem,
    DuplicateTaskError,
    EngineClosedError,
    FaultCode,
    FileStoreError,
    IllegalTransitionError,
    InvalidFilterError,
    InvalidOptionsError,
    LeaseLostError,
    PreconditionFailedError,
    SchemaError,
    SourceNotFoundError,
    TaskFailedError,
    TaskNotFoundError,
    UnknownProcessorError,
)
from novel_tasks_server.problems import TABLE, RequestRefusedError, problem_of
from novel_tasks_server.schemas.decoding import FieldFault, InvalidRequestError, MalformedBodyError

SOME_ID = uuid4()


def body_of(exc: Exception) -> dict[str, Any]:
    """Return the problem document of an error."""
    return problem_of(exc).body(request_id="r-1")


@pytest.mark.parametrize(
    ("exc", "status"),
    [
        (TaskNotFoundError(SOME_ID), 404),
        (ArtifactNotFoundError(SOME_ID, "x"), 404),
        (SourceNotFoundError("ab"), 404),
        (IllegalTransitionError(SOME_ID, "pending", "requeue"), 409),
        (LeaseLostError(SOME_ID, 1), 409),
        (DuplicateTaskError("key", SOME_ID), 409),
        (TaskFailedError(SOME_ID, "failed", "x"), 409),
        (PreconditionFailedError(SOME_ID, "v2"), 412),
        (InvalidFilterError("cursor", "broken"), 422),
        (UnknownProcessorError("x", ["y"]), 422),
        (InvalidOptionsError("x", [("/a", "wrong")]), 422),
        (DecodingError("no text"), 422),
        (InvalidRequestError(FieldFault("/a", Complaint("wrong"))), 422),
        (MalformedBodyError("broken"), 400),
        (ContentEncodingError("broken"), 400),
        (TransferEncodingError("broken"), 400),
        (web.RequestPayloadError("broken"), 400),
        (DatabaseUnavailableError("refused"), 503),
        (EngineClosedError(), 503),
        (FileStoreError("full", errno=errno.ENOSPC), 507),
        (FileStoreError("full", errno=errno.EDQUOT), 507),
        (FileStoreError("read-only", errno=errno.EROFS), 500),
        (SchemaError("older"), 500),
        (web.HTTPNotFound(), 404),
        (web.HTTPRequestEntityTooLarge(max_size=1, actual_size=2), 413),
        (RequestRefusedError(415, "kind", "no"), 415),
        (ValueError("secret detail"), 500),
    ],
)
def test_each_error_has_its_status(exc: Exception, status: int) -> None:
    """The table holds for every error, and every body has all members."""
    body = body_of(exc)
    assert body["status"] == status
    assert body["detail"] == body["error"]
    assert body["type"].startswith(("urn:novel-tasks:problem:", "about:blank"))
    assert {"title", "errors"} <= body.keys()
    assert body["request_id"] == "r-1"


@pytest.mark.parametrize(
    "exc",
    [ValueError("secret"), DatabaseUnavailableError("secret"), FileStoreError("secret"), SchemaError("secret")],
)
def test_our_own_faults_tell_no_details(exc: Exception) -> None:
    """What went wrong on our side is for the log."""
    assert "secret" not in str(body_of(exc))


def test_try_again_later_is_said_with_a_time() -> None:
    """A client knows when to come back."""
    assert problem_of(DatabaseUnavailableError("x")).headers["Retry-After"]
    assert problem_of(EngineClosedError()).headers["Retry-After"]


def test_options_are_pointed_at() -> None:
    """Faults of options lie below /options."""
    problems = [("/a/0", "wrong"), ("b", "unknown")]
    assert [e["pointer"] for e in body_of(InvalidOptionsError("x", problems))["errors"]] == [
        "/options/a/0",
        "/options/b",
    ]


def test_faults_name_the_rule_that_is_broken() -> None:
    """By a code and its values; what a processor says in words of its own has none."""
    problems = [("/a", Complaint("must have at most 5 characters", FaultCode.LONG, n=5)), ("/b", "I do not like it")]

    assert body_of(InvalidOptionsError("x", problems))["errors"] == [
        {"pointer": "/options/a", "detail": "must have at most 5 characters", "code": "long", "values": {"n": 5}},
        {"pointer": "/options/b", "detail": "I do not like it", "code": None, "values": {}},
    ]


def test_why_bytes_are_no_text_is_told_by_a_code() -> None:
    """With what is known of them."""
    exc = DecodingError("the file is a picture", offset=0, kind=DecodingProblem.OTHER_FORMAT, format="png")

    (fault,) = body_of(exc)["errors"]

    assert (fault["code"], fault["values"]) == ("undecodable", {"kind": "other_format", "format": "png", "offset": 0})


def test_fields_of_errors_become_members() -> None:
    """Programs need not read sentences."""
    assert body_of(DuplicateTaskError("key", SOME_ID))["task_id"] == f"task-{SOME_ID.hex}"
    assert body_of(PreconditionFailedError(SOME_ID, "v2"))["version"] == "v2"
    assert body_of(IllegalTransitionError(SOME_ID, "pending", "requeue"))["task_status"] == "pending"


def test_a_clients_own_surrogates_do_not_break_the_answer() -> None:
    """What cannot be encoded is shown as a question mark, and long text is cut."""
    response = problem_of(InvalidRequestError(FieldFault("/\ud800", Complaint("x" * 10_000)))).response(request_id="r")
    assert isinstance(response.body, bytes)
    assert len(response.body) < 8000


ROOT = Path(__file__).parents[2]


def _refusals() -> set[tuple[str, int]]:
    """Return kind and status of every refusal in the code of the server."""
    found = set()
    for path in (ROOT / "novel_tasks_server").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "RequestRefusedError":
                status, kind = (argument.value for argument in node.args[:2] if isinstance(argument, ast.Constant))
                found.add((str(kind), int(str(status))))
    return found


def test_every_code_of_a_fault_is_in_the_docs() -> None:
    """The second table of docs/problems.md has each code, and no other."""
    page = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8").partition("## What is wrong with a value")[2]
    told = [code for row in re.findall(r"^\| (`.+?) \|", page, re.MULTILINE) for code in re.findall("`([a-z_]+)`", row)]

    assert sorted(told) == sorted(FaultCode)


def test_every_kind_of_problem_is_in_the_docs() -> None:
    """The table of docs/problems.md has each kind that the code knows, with its status, and no other."""
    known = _refusals() | {(kind, status) for status, kind in TABLE.values()}
    known |= {("internal-error", 500), ("storage-full", 507)}
    page = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    told = {(kind, int(status)) for kind, status in re.findall(r"^\| `([a-z-]+)` \| ([0-9]+) \|", page, re.MULTILINE)}
    assert told == known
