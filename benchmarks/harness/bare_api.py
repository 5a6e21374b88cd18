"""The bound of reads: an aiohttp server with one query a request, on the tables of the service, and nothing else.

`python -m benchmarks.harness.bare_api PORT DATABASE_URL`
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import asyncpg
import msgspec
from aiohttp import web

from benchmarks.harness.machine import runner

_COLUMNS = (
    "id, lane, owner, priority, source_size, source_name, extra_data, status, attempt, result_url, error, started_at, "
    "finished_at, created_at, last_seq"
)
_ONE = f"select {_COLUMNS} from tasks where id = $1"
_PAGE = f"select {_COLUMNS} from tasks order by id desc limit $1 offset $2"
_COUNTS = "select status, sum(tasks)::bigint as tasks, sum(duration_ms)::bigint as ms from task_counts group by status"
_CONNECTIONS = 32


def make_app(url: str) -> web.Application:
    """Build the application."""

    async def database(app: web.Application) -> AsyncIterator[None]:
        async with asyncpg.create_pool(url, min_size=1, max_size=_CONNECTIONS) as pool:
            app["pool"] = pool
            yield

    async def show_task(request: web.Request) -> web.Response:
        row = await request.app["pool"].fetchrow(_ONE, UUID(request.match_info["task_id"].removeprefix("task-")))
        return _answer(dict(row))

    async def list_tasks(request: web.Request) -> web.Response:
        page, size = int(request.query["page"]), int(request.query["page_size"])
        rows = await request.app["pool"].fetch(_PAGE, size, (page - 1) * size)
        return _answer({"tasks": [dict(row) for row in rows]})

    async def show_statistics(request: web.Request) -> web.Response:
        rows = await request.app["pool"].fetch(_COUNTS)
        return _answer({row["status"]: [row["tasks"], row["ms"]] for row in rows})

    app = web.Application()
    app.cleanup_ctx.append(database)
    app.router.add_get("/api/v1/tasks", list_tasks)
    app.router.add_get("/api/v1/tasks/statistics", show_statistics)
    app.router.add_get("/api/v1/tasks/{task_id}", show_task)
    return app


def _answer(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")


def main(arguments: Sequence[str]) -> None:
    """Serve until SIGTERM."""
    port, url = arguments
    with runner() as loops:
        app = make_app(url)
        web.run_app(app, host="127.0.0.1", port=int(port), print=None, access_log=None, loop=loops.get_loop())


if __name__ == "__main__":
    main(sys.argv[1:])
