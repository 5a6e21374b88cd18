"""Schemathesis holds the server to its own document: every check, on a real socket, engine and database.

What it generates is bounded and the same in every run. NOVEL_TASKS_CONTRACT_EXAMPLES asks for more.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import threading
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import schemathesis
from aiohttp import web
from attrs import frozen
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import initialize
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.generation.stateful.state_machine import StepInput
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.python._constants.orchestrator import make_constants_value_source
from schemathesis.specs.openapi.checks import positive_data_acceptance

from novel_tasks_core import EngineConfig
from novel_tasks_server.access.rates import RATES, RateLimit
from novel_tasks_server.app import create_app
from novel_tasks_server.app.answering import Runner
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.keys import ENGINE
from novel_tasks_server.routes.reference import DOCUMENT
from novel_tasks_server.schemas.access import Scope
from tests.conftest import TEMPLATE, on_database

pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
"""Schemathesis does that itself; it makes nothing less deterministic, since Hypothesis seeds it."""

EXAMPLES = int(os.environ.get("NOVEL_TASKS_CONTRACT_EXAMPLES", "10"))
"""How many examples of each operation are tried, and how many ways through all of them."""

SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


METHODS = ("delete", "get", "patch", "post", "put")


def document() -> dict[str, Any]:
    """Return the document without what is no exchange of a request and an answer: the WebSocket, the endless stream."""
    whole: dict[str, Any] = json.loads(create_app(ServerConfig())[DOCUMENT].text)
    for path in ("/api/v1/ws/tasks/{client_id}", "/api/v1/events"):
        del whole["paths"][path]
    return whole


WHOLE = document()
OPERATIONS = [(path, method) for path, item in WHOLE["paths"].items() for method in item if method in METHODS]
schema = schemathesis.openapi.from_dict(WHOLE)

BEYOND_SCHEMAS = {
    # A cursor is good for one list, which gave it out; pages by number end at 10,000 tasks, whatever their size;
    # other sorts are not for cursors.
    "list_tasks": ("/cursor", "/page"),
    # Which processors there are, and what each makes of its options, GET /processors tells: they may come from any
    # installed package, and some check more than a schema could say, such as the name of an encoding. And any JSON
    # will do for these two as long as the database can hold it: numbers of 64 bits, 64 levels, no NUL.
    "upload": ("/processor", "/options", "/extra_data"),
    "process_task": ("/processor", "/options", "/extra_data"),
    # Nor is it told which bytes are text.
    "preview_chapters": ("/options", "/file"),
    # No schema knows what time it is.
    "create_token": ("/expires_at",),
    # A priority belongs to one action, and is needed there.
    "change_tasks": ("/priority",),
}
"""The places where a value may be refused that the schema allows, by operation, each for a reason."""


@schemathesis.check
def valid_data_is_accepted(ctx: schemathesis.CheckContext, response: schemathesis.Response, case: Any) -> None:
    """Check what `positive_data_acceptance` checks, but for what no schema can know."""
    if response.status_code == 422 and _is_beyond_schemas(response, case):
        return
    if response.status_code == 412 and "If-Match" in response.request.headers:
        return  # the version that a task has changes with every step
    if response.status_code == 416 and "Range" in response.request.headers:
        return  # how long a file is no schema knows
    positive_data_acceptance(ctx, response, case)


def _is_beyond_schemas(response: schemathesis.Response, case: Any) -> bool:
    """Say whether every fault that is told is at one of the places in `BEYOND_SCHEMAS`."""
    places = BEYOND_SCHEMAS.get(case.operation.definition.raw["operationId"], ())
    pointers = [error["pointer"] for error in response.json()["errors"]]
    return bool(pointers) and all(any(f"{at}/".startswith(f"{place}/") for place in places) for at in pointers)


@frozen
class Server:
    """Where the server is, and the token of an admin."""

    url: str
    token: str

    def clear(self) -> None:
        """Delete all tasks."""
        body = json.dumps({"action": "delete", "filter": {}}).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v1/tasks/bulk", data=body, headers=headers)
        urllib.request.urlopen(request, timeout=60).close()

    @property
    def call(self) -> dict[str, Any]:
        """What every call needs."""
        return {"base_url": self.url, "headers": {"Authorization": f"Bearer {self.token}"}}


@pytest.fixture(scope="module")
def server(template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a database of its own, in a thread with a loop of its own."""
    ready, stop = threading.Event(), threading.Event()
    found: list[Server] = []

    async def run() -> None:
        async with serving(template, tmp_path_factory.mktemp("contract")) as server:
            found.append(server)
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        assert ready.wait(60), "the server did not start"
        yield found[0]
    finally:
        stop.set()
        thread.join()


@asynccontextmanager
async def serving(template: str, folder: Path) -> AsyncIterator[Server]:
    """Serve on a free port, on a new database, for whoever has the token."""
    name = f"contract_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(template)
    await admin.execute(f'create database "{name}" template "{TEMPLATE}"')
    engine = EngineConfig(database_url=on_database(template, name), data_dir=folder, slots=1)
    config = ServerConfig(
        engine=engine,
        default_processor="external",
        rate_limit=None,
        upload_rate_limit=None,
        runs_worker=False,  # its pace would decide what can be cancelled, otherwise in every run
    )
    app = create_app(config)
    app[RATES].failures = RateLimit("1000000/minute")  # wrong tokens come by the hundred, all from one address
    runner = Runner(app, shutdown_timeout=1)
    try:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        token, _ = await app[ENGINE].tokens.create(owner="tester", scopes=[Scope.ADMIN])
        yield Server(f"http://127.0.0.1:{runner.addresses[0][1]}", token)
    finally:
        await runner.cleanup()
        await admin.execute(f'drop database if exists "{name}" with (force)')
        await admin.close()


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage meanwhile: CPython 3.11 fails to parse code when a finalizer parses some in between."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_each_operation_keeps_its_contract(path: str, method: str, server: Server) -> None:
    """Valid and invalid requests to one operation are answered as the document says."""

    @SETTINGS
    def keep(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(**server.call, excluded_checks=[positive_data_acceptance])

    load_all_checks()
    feedback = FeedbackSources(constants_value_source=make_constants_value_source(schema))
    # What `schema.parametrize()` does for all operations, and for whoever only lists the tests: it takes seconds.
    with uncollected():
        contract = build_operation_test(
            config=schema.config, operation=schema[path][method], test_func=keep, given_kwargs={}, feedback=feedback
        )
    contract()


def test_ways_through_all_operations_keep_the_contract(server: Server) -> None:
    """Tasks that are made, shown, changed, retried, cancelled and deleted one after the other keep it too."""
    done: set[str] = set()
    ways = schema.include(path_regex="^/api/v1/tasks")
    ways.config.phases.stateful.generation.modes = [GenerationMode.POSITIVE]  # wrong requests lead nowhere
    machine: Any = ways.as_state_machine()
    uploads = ways["/api/v1/tasks/upload"]["POST"].as_strategy(generation_mode=GenerationMode.POSITIVE)

    class Way(machine):  # type: ignore[misc]
        def setup(self) -> None:
            server.clear()  # a way that is tried again must find what it found before

        # Schemathesis takes session_id for the id of something that nothing makes, and would never upload first.
        @initialize(target=machine.bundles["POST /api/v1/tasks/upload -> 200"], case=uploads)
        def upload(self, case: schemathesis.Case[Any]) -> Any:
            assert isinstance(case.body, dict)
            case.body = {name: value for name, value in case.body.items() if name not in ("processor", "options")}
            first = StepInput.initial(case)
            self.recorder.record_case(case=case)
            self.control.record_step(first, self.recorder)
            return self.step(first)

        def get_call_kwargs(self, case: schemathesis.Case[Any]) -> dict[str, Any]:
            return server.call

        def validate_response(
            self, response: schemathesis.Response, case: schemathesis.Case[Any], **kwargs: Any
        ) -> None:
            if response.status_code < 300:
                done.add(case.operation.definition.raw["operationId"])
            case.validate_response(
                response,
                excluded_checks=[positive_data_acceptance],
                transport_kwargs=kwargs,
                recorder=self.recorder,
            )

    Way.run(settings=settings(SETTINGS, max_examples=2 * EXAMPLES, stateful_step_count=12))
    assert {"upload", "show_task", "process_task", "cancel_task", "requeue_task", "delete_task"} <= done, done
