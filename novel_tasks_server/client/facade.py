"""The client as programs use it: one method for each thing that the server can do."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

from attrs import frozen

from novel_tasks_core import (
    BulkResult,
    Event,
    LogLevel,
    QueueStatus,
    StoredEvent,
    TaskLogged,
    TaskStatus,
    parse_task_id,
)
from novel_tasks_server.client import downloading, uploading
from novel_tasks_server.client.events import read_event
from novel_tasks_server.client.models import (
    RemoteArtifact,
    RemoteAttempt,
    RemoteLogEntry,
    RemoteProcessor,
    RemoteQueue,
    RemoteStatistics,
    RemoteTask,
    ServerMeta,
    TaskPage,
    TaskUpdate,
    Upload,
    UploadOptions,
    Wanted,
)
from novel_tasks_server.client.patience import OnPause
from novel_tasks_server.client.transport import Transport
from novel_tasks_server.client.waiting import Waiter
from novel_tasks_server.client.watching import Watcher

T = TypeVar("T")

_API = "/api/v1"
_LEVELS = tuple(LogLevel)
_HARMLESS_TWICE = (None, "return", "replace")
"""The answers to duplicates by which an upload that arrives twice makes one task in the end."""


@frozen
class _Made:
    task_id: str


class Client:
    """Talks to one server; an async context manager that owns its connections.

    `url` is the server's address, `token` the bearer token to show, by default what NOVEL_TASKS_TOKEN holds.

    Every method raises ServerUnreachableError, ServerRefusedError (with the server's own reason) or
    UnexpectedAnswerError, and may be cancelled at any time. A server that is busy (429) or being restarted (503)
    is asked again when it says, within `patience_seconds`; what changes something is not sent twice unless that
    is harmless. Where a method takes `if_version`, it changes the task only while that is its `version`, and is
    refused (412) otherwise.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        patience_seconds: float = 75.0,
        obeys_limits: bool = False,
        on_pause: OnPause | None = None,
    ) -> None:
        """`patience_seconds` is how long to put up with a server that is busy or, where that is said, away.

        With `obeys_limits` a limit of requests (429) is waited out however long it lasts. `on_pause` is told of
        each pause: the error it is made for, and its seconds.

        Raises: ConfigError for a token that cannot be sent.
        """
        shown = os.environ.get("NOVEL_TASKS_TOKEN") if token is None else token
        self._transport = Transport(
            url,
            token=(shown or "").strip() or None,
            patience_seconds=patience_seconds,
            obeys_limits=obeys_limits,
            on_pause=on_pause,
        )

    @property
    def url(self) -> str:
        """The server's address."""
        return self._transport.url

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, tb)

    async def upload(
        self,
        content: Path | bytes | AsyncIterator[bytes],
        *,
        name: str | None = None,
        wanted: UploadOptions | None = None,
        progress: uploading.Progress | None = None,
    ) -> Upload:
        """Send a file, streamed; when this returns, the server has it for good.

        `name` is what the server shall call it, by default the name of the path; bytes and iterators need one.
        `progress` is told how many bytes of the file have left, and of how many (None for an iterator).
        A file or bytes are sent again from the start when the connection breaks or the server is busy, within
        the patience; the answer then says `duplicate` if the first try had arrived after all. An iterator is
        sent once.

        Raises: OSError when the file cannot be read, ValueError when there is no name.
        """
        asked = wanted or UploadOptions()
        body = await uploading.Body.of(content, name=name, fields=asked.fields(), progress=progress)
        sender = uploading.Sender(self._transport, body, may_arrive_twice=asked.on_duplicate in _HARMLESS_TWICE)
        return await sender.send(f"{_API}/tasks/upload")

    async def get(self, task_id: str) -> RemoteTask:
        """Return the task as it is now."""
        return await self._ask("GET", _one(task_id), RemoteTask)

    async def page(
        self,
        wanted: Wanted | None = None,
        *,
        page: int = 1,
        page_size: int = 20,
        cursor: str | None = None,
        sort_by: str = "uploaded_at",
        order: str = "desc",
    ) -> TaskPage:
        """Return one page of the tasks that match: by number, or after the cursor of another page.

        `sort_by` is uploaded_at, file_name, status or priority; `order` asc or desc; `page_size` 1..100.
        """
        place = {"page": str(page)} if cursor is None else {"cursor": cursor}
        query = {"page_size": str(page_size), "sort_by": sort_by, "order": order, **place}
        return await self._ask("GET", f"{_API}/tasks", TaskPage, query=(wanted or Wanted()).query() | query)

    async def pages(
        self, wanted: Wanted | None = None, *, page_size: int = 100, sort_by: str = "uploaded_at", order: str = "desc"
    ) -> AsyncGenerator[TaskPage, None]:
        """Yield the pages of all tasks that match, one after the other, each when it is asked for; as `page`.

        By cursor where the order has one, so that tasks that come or go meanwhile shift nothing.
        """
        number, cursor = 1, None
        while True:
            found = await self.page(
                wanted, page=number, page_size=page_size, cursor=cursor, sort_by=sort_by, order=order
            )
            yield found
            at_end = cursor is not None or number * found.page_size >= found.total
            cursor = found.next_cursor
            if not found.tasks or (cursor is None and at_end):
                return
            number += 1

    async def list(
        self, wanted: Wanted | None = None, *, page_size: int = 100, sort_by: str = "uploaded_at", order: str = "desc"
    ) -> AsyncGenerator[RemoteTask, None]:
        """Yield all tasks that match; as `pages`."""
        pages = self.pages(wanted, page_size=page_size, sort_by=sort_by, order=order)
        async with aclosing(pages):
            async for page in pages:
                for task in page.tasks:
                    yield task

    async def statistics(self) -> RemoteStatistics:
        """Return the counts of the caller's tasks; of all for admins."""
        return await self._ask("GET", f"{_API}/tasks/statistics", RemoteStatistics)

    async def process(self, task_id: str, *, artifact: str | None = None, wanted: UploadOptions | None = None) -> str:
        """Ask for more work on the novel of a task, or on an artifact of it; return the id of the new task."""
        body = (wanted or UploadOptions()).members() | ({} if artifact is None else {"artifact": artifact})
        return (await self._ask("POST", f"{_one(task_id)}/process", _Made, body=body)).task_id

    async def retry(self, task_id: str, *, if_version: str | None = None) -> RemoteTask:
        """Retry a finished task. Raises: ServerRefusedError (409) for one that has not finished."""
        return await self._ask("POST", f"{_one(task_id)}/retry", RemoteTask, if_version=if_version)

    async def cancel(self, task_id: str, *, if_version: str | None = None) -> RemoteTask:
        """Cancel a task; one that runs is asked to stop, and is still processing in the answer.

        Raises: ServerRefusedError (409) for one that has finished.
        """
        return await self._ask("POST", f"{_one(task_id)}/cancel", RemoteTask, if_version=if_version)

    async def delete(self, task_id: str, *, if_version: str | None = None) -> None:
        """Delete a task with all its history and artifacts."""
        await self._ask("DELETE", _one(task_id), dict[str, Any], if_version=if_version)

    async def report(
        self,
        task_id: str,
        *,
        status: TaskStatus | None = None,
        progress: float | None = None,
        result_url: str | None = None,
        error_message: str | None = None,
        if_version: str | None = None,
    ) -> RemoteTask:
        """Tell how far an outside service is with a task of the processor `external`; `progress` is 0..100.

        Raises: ServerRefusedError (409) for a task that the server itself runs.
        """
        told = {"status": status, "progress": progress, "result_url": result_url, "error_message": error_message}
        body = {name: value for name, value in told.items() if value is not None}
        return await self._ask("PATCH", _one(task_id), RemoteTask, body=body, if_version=if_version)

    async def bulk(
        self, action: str, wanted: Wanted, *, dry_run: bool = False, priority: int | None = None
    ) -> BulkResult:
        """Do one thing to all tasks that match: retry, cancel, delete, or reprioritize (to `priority`).

        With `dry_run` nothing is changed, and the counts say what would be.
        """
        body = {"action": action, "filter": wanted.query(), "dry_run": dry_run}
        body |= {} if priority is None else {"priority": priority}
        return await self._ask("POST", f"{_API}/tasks/bulk", BulkResult, body=body)

    async def events(self, task_id: str, *, after: int = 0, limit: int = 1000) -> tuple[StoredEvent, ...]:
        """Return up to `limit` (at most 1,000) stored events with a seq above `after`, in order.

        Kinds that this client does not know are left out.

        Raises: TaskNotFoundError for what is no id.
        """
        known = parse_task_id(task_id)
        query = {"after": str(after), "limit": str(limit)}
        found = await self._ask_list(f"{_one(task_id)}/events", "events", dict[str, Any], query=query)
        events = (self._transport.guarded(read_event, known, content) for content in found)
        return tuple(event for event in events if isinstance(event, StoredEvent))

    async def logs(
        self, task_id: str, *, level: LogLevel | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[RemoteLogEntry, ...]:
        """Return up to `limit` (at most 1,000) log entries of at least `level` with a seq above `after`, in order."""
        query = {"after": str(after), "limit": str(limit)} | ({} if level is None else {"level": level.value})
        return await self._ask_list(f"{_one(task_id)}/logs", "logs", RemoteLogEntry, query=query)

    async def follow_logs(
        self, task_id: str, *, level: LogLevel | None = None, after: int = 0, poll_seconds: float = 1.0
    ) -> AsyncGenerator[RemoteLogEntry, None]:
        """Yield the log entries of at least `level` as they come, until the task has finished; as `watch`."""
        wanted = _LEVELS if level is None else _LEVELS[_LEVELS.index(level) :]
        async with aclosing(self.watch(task_id, after=after, poll_seconds=poll_seconds)) as events:
            async for event in events:
                if isinstance(event, TaskLogged) and event.level in wanted:
                    yield RemoteLogEntry(
                        seq=event.seq, at=event.at, level=event.level, message=event.message, attempt=event.attempt
                    )

    async def attempts(self, task_id: str) -> tuple[RemoteAttempt, ...]:
        """Return the finished attempts of a task, first to last."""
        return await self._ask_list(f"{_one(task_id)}/attempts", "attempts", RemoteAttempt)

    async def result(self, task_id: str) -> Any:
        """Return the JSON value that a completed task ended with. Raises: ServerRefusedError (409) without one."""
        return await self._ask("GET", f"{_one(task_id)}/result", Any)

    async def why(self, task_id: str) -> dict[str, Any]:
        """Return why the task is where it is: `reason`, `explanation` (a sentence), and the facts."""
        return await self._ask("GET", f"{_one(task_id)}/why", dict[str, Any])

    async def artifacts(self, task_id: str) -> tuple[RemoteArtifact, ...]:
        """Return the list of what the task made."""
        return await self._ask_list(f"{_one(task_id)}/artifacts", "artifacts", RemoteArtifact)

    async def download(
        self, task_id: str, name: str, *, to: Path, progress: downloading.Progress | None = None
    ) -> None:
        """Write the artifact `name` to the file `to`, whose folder is made.

        The file appears, or is replaced, when all of it has arrived and has the digest that the server told. A
        download that breaks off is taken up where it broke, within the patience.

        Raises: DamagedDownloadError; OSError when it cannot be written.
        """
        path = f"{_one(task_id)}/artifacts/{quote(name, safe='')}"
        await downloading.download(self._transport, path, to, progress=progress)

    async def download_source(self, task_id: str, *, to: Path, progress: downloading.Progress | None = None) -> None:
        """Write the uploaded original of a task to the file `to`; as `download`."""
        await downloading.download(self._transport, f"{_one(task_id)}/source", to, progress=progress)

    async def processors(self) -> tuple[RemoteProcessor, ...]:
        """Return every kind of work that can be asked for."""
        return await self._ask_list(f"{_API}/processors", "processors", RemoteProcessor)

    async def meta(self) -> ServerMeta:
        """Return what the server can do, and how much of it one may ask for."""
        return await self._ask("GET", f"{_API}/meta", ServerMeta)

    async def queue(self) -> RemoteQueue:
        """Return the queues of all processors and the workers of all processes."""
        return await self._ask("GET", f"{_API}/queue", RemoteQueue)

    async def pause(self, processor: str) -> QueueStatus:
        """Start no more tasks of a processor; those that run go on. Needs an admin's token."""
        return await self._ask("POST", f"{_API}/queue/{quote(processor, safe='')}/pause", QueueStatus)

    async def resume(self, processor: str) -> QueueStatus:
        """Start tasks of a processor again. Needs an admin's token."""
        return await self._ask("POST", f"{_API}/queue/{quote(processor, safe='')}/resume", QueueStatus)

    async def health(self) -> dict[str, Any]:
        """Return what the server says of its own health, asked once.

        Raises: ServerRefusedError (503) when it is unwell.
        """
        return await self._transport.ask_once("GET", "/health", dict[str, Any])

    async def wait(
        self,
        task_ids: str | Iterable[str],
        *,
        on_update: Callable[[TaskUpdate], object] | None = None,
        poll_seconds: float = 1.0,
    ) -> dict[str, RemoteTask]:
        """Follow the tasks, or the one task, until each has finished; return them by id, as they ended.

        Follows over one WebSocket; while there is none, asks every `poll_seconds`. A server that is away, to be
        started again, is waited for.

        Raises: ServerUnreachableError once the server has been away for longer than the patience,
        ServerRefusedError (404) when a task was deleted meanwhile.
        """
        wanted = (task_ids,) if isinstance(task_ids, str) else task_ids
        return await Waiter(self._transport, _one, on_update).wait(wanted, poll_seconds=poll_seconds)

    def watch(self, task_id: str, *, after: int = 0, poll_seconds: float = 1.0) -> AsyncGenerator[Event, None]:
        """Follow a task: the stored events with a seq above `after`, then live ones and progress.

        As `TaskEngine.watch`: ends after the event that finishes the task, or TaskDeleted. A connection that
        breaks, and a server that is restarted, cost neither a gap nor a repeat: it is taken up after the last
        event. A server or proxy that cannot stream is asked every `poll_seconds`.

        Raises: TaskNotFoundError for what is no id, ServerRefusedError (404) for a task that there is not,
        ServerUnreachableError once the server has been away for longer than the patience.
        """
        known = parse_task_id(task_id)
        watcher = Watcher(self._transport, _one(task_id), known, after=after, poll_seconds=poll_seconds)
        return watcher.events()

    async def _ask(
        self,
        method: str,
        path: str,
        kind: type[T],
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        if_version: str | None = None,
    ) -> T:
        return await self._transport.ask(method, path, kind, query=query, body=body, if_version=if_version)

    async def _ask_list(
        self, path: str, name: str, kind: type[T], *, query: Mapping[str, str] | None = None
    ) -> tuple[T, ...]:
        """Return the list that the answer has under `name`."""
        answer = await self._ask("GET", path, dict[str, Any], query=query)
        return self._transport.structure(answer.get(name), tuple[kind, ...])  # type: ignore[valid-type]


def _one(task_id: str) -> str:
    return f"{_API}/tasks/{quote(task_id, safe='')}"
