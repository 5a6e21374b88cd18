"""One action on all tasks that a filter matches."""

from __future__ import annotations

from typing import assert_never

from aiohttp import web

from novel_tasks_core import BulkResult, TaskEngine, TaskFilter
from novel_tasks_server.keys import ENGINE
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.routes.access import visible_owner
from novel_tasks_server.routes.replies import body_of, json_response, naming_filters
from novel_tasks_server.schemas.access import Scope
from novel_tasks_server.schemas.requests import BulkAction, BulkRequest
from novel_tasks_server.schemas.views import BulkView


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [
        Operation(
            "POST",
            "/api/v1/tasks/bulk",
            change_tasks,
            tag=Tag.TASKS,
            scope=Scope.WRITE,
            body=BulkRequest,
            answers={200: BulkView},
        )
    ]


async def change_tasks(request: web.Request) -> web.Response:
    """Do one thing to all tasks of the caller that the filter matches; to everybody's for admins.

    The filter must be there, and may be empty: `{}` stands for all tasks. What cannot be changed is left as it
    is, and counted by reason. `dry_run` changes nothing, and counts exactly what would be.
    """
    wanted = await body_of(request, BulkRequest)
    chosen = wanted.filter.filter(visible_owner(request, wanted.filter.owner))
    with naming_filters("/filter"):
        result = await _change(request.app[ENGINE], wanted, chosen)
    return json_response(BulkView.of(wanted.action, result))


async def _change(engine: TaskEngine, wanted: BulkRequest, chosen: TaskFilter) -> BulkResult:
    match wanted.action:
        case BulkAction.RETRY:
            return await engine.requeue_all(chosen, dry_run=wanted.dry_run)
        case BulkAction.CANCEL:
            return await engine.cancel_all(chosen, dry_run=wanted.dry_run)
        case BulkAction.DELETE:
            return await engine.delete_all(chosen, dry_run=wanted.dry_run)
        case BulkAction.REPRIORITIZE:
            assert wanted.priority is not None, "its request class checks that"
            return await engine.reprioritize_all(chosen, wanted.priority, dry_run=wanted.dry_run)
    assert_never(wanted.action)
