"""Whose task it is: what is not the caller's does not exist for them."""

from __future__ import annotations

from aiohttp import web

from novel_tasks_core import Task, TaskId, TaskNotFoundError, parse_task_id
from novel_tasks_server.keys import ENGINE, PRINCIPAL
from novel_tasks_server.problems import RequestRefusedError


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


def visible_owner(request: web.Request, wanted: str | None) -> str | None:
    """Return whose tasks to look at for somebody who asks for those of `wanted`: None is everybody.

    Raises: RequestRefusedError (403) when they are others' and the caller is no admin: to look at the caller's own
    instead could change tasks that were never meant.
    """
    sees = request[PRINCIPAL].sees
    if sees is None or wanted is None:
        return wanted if sees is None else sees
    if wanted != sees:
        raise RequestRefusedError(403, "foreign-owner", "Only admins may ask for the tasks of others.")
    return sees
