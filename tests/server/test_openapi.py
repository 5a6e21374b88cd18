"""The document that describes the API, and the page that shows it."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Any

import attrs
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from attrs import field, frozen
from attrs import validators as must
from openapi_spec_validator import validate

from novel_tasks_server.app import create_app
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.openapi import OPERATIONS, Operation, Tag, add_operations, documented
from novel_tasks_server.openapi.classes import class_schemas
from novel_tasks_server.problems import RequestRefusedError, problem_of
from novel_tasks_server.routes.reference import DOCUMENT
from novel_tasks_server.schemas.views import ProblemView
from tests.checks import vendored

Client = TestClient[web.Request, web.Application]
ROOT = Path(__file__).parents[2]
SNAPSHOT = ROOT / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def bare_app() -> web.Application:
    """The application by default settings; it is never started."""
    return create_app(ServerConfig())


@pytest.fixture(scope="module")
def document(bare_app: web.Application) -> dict[str, Any]:
    """The document of the application by default settings."""
    made: dict[str, Any] = json.loads(bare_app[DOCUMENT].text)
    return made


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """The document keeps the rules of OpenAPI 3.1."""
    validate(document)


def test_the_document_is_the_one_that_is_committed(bare_app: web.Application) -> None:
    """Every change of the contract shows in a diff: `novel-tasks openapi > docs/openapi.json` takes it over."""
    assert bare_app[DOCUMENT].text == SNAPSHOT.read_text(encoding="utf-8")


def test_the_command_prints_the_document(tmp_path: Path) -> None:
    """The command needs no server and no database, and prints what the server serves."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "novel_tasks_server", "openapi"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path, env=environment).stdout
    assert printed == SNAPSHOT.read_text(encoding="utf-8")


async def test_the_document_is_served(client: Client) -> None:
    """Everybody may read the document, and need not read it twice."""
    response = await client.get("/api/openapi.json")
    assert (response.status, response.content_type) == (200, "application/json")
    assert (await response.json())["openapi"] == "3.1.0"
    again = await client.get("/api/openapi.json", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status == 304


def test_every_public_route_is_in_it(bare_app: web.Application, document: dict[str, Any]) -> None:
    """What the router knows and the document tells are the same, with the scope that is asked for."""
    told = {
        (method.upper(), path): operation["security"]
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    known = {
        (operation.method, operation.path): [{"bearer": [operation.scope]}] if operation.scope else []
        for operation in bare_app[OPERATIONS].values()
        if operation.is_public
    }
    assert told == known


def test_a_route_without_a_description_stops_the_start() -> None:
    """What cannot be documented is no route."""

    async def nameless(request: web.Request) -> web.Response:
        return web.Response()

    with pytest.raises(RuntimeError, match="has no description"):
        add_operations(web.Application(), [Operation("GET", "/x", nameless, tag=Tag.TASKS, scope=None)])


def test_two_operations_of_one_name_are_refused() -> None:
    """A client generator makes a method of each operation: they need names of their own."""

    async def show(request: web.Request) -> web.Response:
        """Show it."""
        return web.Response()

    app = web.Application()
    add_operations(app, [Operation("GET", path, show, tag=Tag.TASKS, scope=None) for path in ("/x", "/y")])
    with pytest.raises(RuntimeError, match="two operations are named show"):
        documented(app)


class Colour(StrEnum):
    """Some colours."""

    RED = "red"


@frozen(kw_only=True)
class Inner:
    """A class within."""

    name: str


@frozen(kw_only=True)
class Sample:
    """A class with every kind of bound."""

    whole: int = field(validator=must.and_(must.ge(1), must.lt(10)))
    real: float | None = field(default=None, validator=must.optional(must.and_(must.gt(0), must.le(1.5))))
    word: str | None = field(default=None, validator=must.optional(must.max_len(5)))
    choice: str = field(default="a", validator=must.in_(("a", "b")))
    match: str = field(default="x", validator=must.matches_re("x+"))
    colour: Colour = Colour.RED
    inner: Inner | None = None
    inners: list[Inner] = field(factory=list, validator=must.max_len(3))


def test_bounds_come_from_the_validators() -> None:
    """Each validator that checks a field bounds it in the document too, beside null where that is allowed."""
    schema = class_schemas(requests=[Sample], answers=[])["Sample"]
    fields = schema["properties"]
    assert (fields["whole"]["minimum"], fields["whole"]["exclusiveMaximum"]) == (1, 10)
    real, null = fields["real"]["anyOf"]
    assert (real["exclusiveMinimum"], real["maximum"], null) == (0, 1.5, {"type": "null"})
    assert fields["word"]["anyOf"][0]["maxLength"] == 5
    assert fields["choice"]["enum"] == ["a", "b"]
    assert fields["match"]["pattern"] == "x+"
    assert fields["inner"]["anyOf"][0] == {"$ref": "#/components/schemas/Inner"}
    assert (fields["inners"]["maxItems"], fields["inners"]["items"]) == (3, {"$ref": "#/components/schemas/Inner"})
    assert (schema["required"], schema["additionalProperties"]) == (["whole"], False)


def test_what_is_nested_is_described_too() -> None:
    """Classes and enumerations that a class is made of have schemas of their own."""
    schemas = class_schemas(requests=[Sample], answers=[])
    assert schemas.keys() == {"Sample", "Inner", "Colour"}
    assert (schemas["Colour"]["type"], schemas["Colour"]["enum"]) == ("string", ["red"])
    assert schemas["Inner"]["properties"]["name"]["pattern"] == r"^[^\x00]*$"


def test_problems_have_all_members_that_the_document_promises() -> None:
    """The body of every problem has the members of its class."""
    body = problem_of(RequestRefusedError(415, "kind", "no")).body(request_id="r")
    assert body.keys() == {attribute.name for attribute in attrs.fields(ProblemView)}


FILES = ["/api/docs", "/api/docs/start.js", "/api/docs/swagger-ui-bundle.js", "/api/docs/swagger-ui.css"]


@pytest.mark.parametrize("path", FILES)
async def test_the_reference_is_served_under_a_strict_policy(path: str, client: Client) -> None:
    """The page and its files come with a policy that lets nothing else run, compressed only for who can read it."""
    response = await client.get(path)
    assert response.status == 200
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert await plain.read() == await response.read()


async def test_the_page_has_no_code_of_its_own(client: Client) -> None:
    """Scripts and styles are files, which the policy allows; all addresses are relative."""
    page = await (await client.get("/api/docs")).text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bon\w+=|style=", page) == []
    assert re.findall(r'(?:src|href)="(?:/|https?:)', page) == []


def test_vendored_files_are_those_of_their_makers() -> None:
    """The files of other projects are, byte for byte, what the pinned versions hold."""
    assert [fault for package in vendored.PACKAGES for fault in vendored.faults(package)] == []


def test_a_changed_vendored_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte more, or a missing file, is told."""
    package = vendored.PACKAGES[0]
    monkeypatch.setattr(vendored, "ROOT", tmp_path)
    folder = tmp_path / package.folder
    folder.mkdir(parents=True)
    for name in package.files:
        original = ROOT / package.folder / name
        data = original.read_bytes() if original.exists() else gzip.decompress(Path(f"{original}.gz").read_bytes())
        (folder / name).write_bytes(data)
    assert list(vendored.faults(package)) == []
    (folder / "LICENSE").write_bytes((folder / "LICENSE").read_bytes() + b" ")
    (folder / "NOTICE").unlink()
    assert len(list(vendored.faults(package))) == 2
