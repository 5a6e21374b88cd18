"""Whose task it is: what is not the caller's does not exist for them."""

from __future__ import annotations

from aiohttp import web

from novel_tasks_core import Task, TaskId, TaskNotFoundError, parse_task_id
from novel_tasks_server.keys import ENGINE, PRINCIPAL


async def require_visible(request: web.Request) -> TaskId:
    """Return the id in the path, of a task that the caller may know of.

    For admins nothing is looked up: what they then do with a task that is gone tells them so.

    Raises: TaskNotFoundError for a foreign task as for one that there is not.
    """
    task_id = parse_task_id(request.match_info["task_id"])
    principal = request[PRINCIPAL]
    if not principal.is_admin and not principal.may_see(await request.app[ENGINE].owner_of(task_id)):
        raise TaskNotFoundError(task_id)
    return task_id


async def visible_task(request: web.Request) -> Task:
    """Return the task whose id is in the path. Raises: TaskNotFoundError, as `require_visible` does."""
    task = await request.app[ENGINE].get(parse_task_id(request.match_info["task_id"]))
    if not request[PRINCIPAL].may_see(task.owner):
        raise TaskNotFoundError(task.id)
    return task
