"""A small typed client of the server: upload a file, follow its task, fetch what it made.

async with Client("http://127.0.0.1:8000") as client:
    upload = await client.upload(Path("novel.txt"), processor="analyze")
    task = (await client.wait([upload.task_id]))[upload.task_id]
    for artifact in await client.artifacts(task.id):
        await client.download(task.id, artifact.name, to=Path("report") / artifact.name)
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote
from uuid import uuid4

import aiohttp
import cattrs
from attrs import Factory, frozen

from novel_tasks_core import NovelTasksError, TaskStatus

T = TypeVar("T")

_CONVERTER = cattrs.Converter()
_READ_TIMEOUT_SECONDS = 60.0
_SILENCE_SECONDS = 10.0
"""After so long without news the socket is doubted and the tasks are asked for: one may have been deleted."""


class ServerRefusedError(NovelTasksError):
    """The server answered, and said no: `status` is the HTTP status, `detail` its reason."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{detail} (HTTP {status})")
        self.status = status
        self.detail = detail


class ServerUnreachableError(NovelTasksError):
    """Nothing that speaks HTTP answers at `url`, or the connection broke; `reason` says how."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"no server at {url}: {reason}")
        self.url = url
        self.reason = reason


class UnexpectedAnswerError(NovelTasksError):
    """What answers at `url` is not this service, or speaks another version of its language."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"unexpected answer from {url}: {reason}")
        self.url = url
        self.reason = reason


@frozen(kw_only=True)
class Upload:
    """What the server says of an accepted file. `duplicate` means that `task_id` existed before."""

    task_id: str
    file_name: str
    file_size: int
    status: TaskStatus
    duplicate: bool = False
    message: str = ""


@frozen(kw_only=True)
class RemoteTask:
    """A task as the server shows it: `progress` is 0..100, the times are RFC 3339. One without a file has no name."""

    id: str
    file_name: str | None
    file_size: int | None
    status: TaskStatus
    progress: float
    priority: int
    uploaded_at: str
    started_at: str | None = None
    completed_at: str | None = None
    result_url: str | None = None
    error_message: str | None = None
    processor: str = ""
    stage: str | None = None
    extra_data: Mapping[str, Any] | None = None


@frozen(kw_only=True)
class TaskUpdate:
    """News of a task that is being followed: `progress` is 0..100."""

    task_id: str
    status: TaskStatus
    progress: float
    result_url: str | None = None
    error_message: str | None = None


@frozen(kw_only=True)
class RemoteArtifact:
    """Named bytes that a task made; `size` in bytes."""

    name: str
    size: int
    content_type: str = "application/octet-stream"
    sha256: str = ""


@frozen(kw_only=True)
class UploadOptions:
    """What may be asked for with an upload; what is None or empty is left to the server."""

    processor: str | None = None
    options: Mapping[str, Any] = Factory(dict)
    priority: int | None = None
    on_duplicate: str | None = None

    def fields(self) -> dict[str, str]:
        """Return the form fields that say it."""
        wanted = {
            "processor": self.processor,
            "options": json.dumps(dict(self.options), ensure_ascii=False) if self.options else None,
            "priority": None if self.priority is None else str(self.priority),
            "on_duplicate": self.on_duplicate,
        }
        return {name: text for name, text in wanted.items() if text is not None}


class Client:
    """Talks to one server; an async context manager that owns its connections.

    Every method raises ServerUnreachableError, ServerRefusedError (with the server's own reason) or
    UnexpectedAnswerError, and may be cancelled at any time.
    """

    def __init__(self, url: str, *, patience_seconds: float = 30.0) -> None:
        """`patience_seconds` is how long `wait` puts up with a server that does not answer."""
        self.url = url.rstrip("/")
        self.patience_seconds = patience_seconds
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=_READ_TIMEOUT_SECONDS)
        self._session = aiohttp.ClientSession(timeout=timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def upload(self, path: Path, *, name: str | None = None, wanted: UploadOptions | None = None) -> Upload:
        """Send the file at `path`, streamed; when this returns, the server has it for good.

        `name` is what the server shall call it, by default the name of the path.

        Raises: OSError when the file cannot be read.
        """
        form = aiohttp.FormData(quote_fields=False)
        for field, text in (wanted or UploadOptions()).fields().items():
            form.add_field(field, text)
        with await asyncio.to_thread(path.open, "rb") as file:
            form.add_field("file", file, filename=name or path.name, content_type="application/octet-stream")
            return self._structured(await self._json("POST", "/api/v1/tasks/upload", data=form), Upload)

    async def get(self, task_id: str) -> RemoteTask:
        """Return the task as it is now."""
        return self._structured(await self._json("GET", f"/api/v1/tasks/{quote(task_id, safe='')}"), RemoteTask)

    async def result(self, task_id: str) -> Any:
        """Return the JSON value that a completed task ended with.

        Raises: ServerRefusedError (409) while there is none.
        """
        return await self._json("GET", f"/api/v1/tasks/{quote(task_id, safe='')}/result")

    async def health(self) -> dict[str, Any]:
        """Return what the server says of its own health. Raises: ServerRefusedError (503) when it is unwell."""
        answer = await self._json("GET", "/health")
        return self._structured(answer, dict[str, Any])

    async def artifacts(self, task_id: str) -> list[RemoteArtifact]:
        """Return the list of what the task made."""
        answer = await self._json("GET", f"/api/v1/tasks/{quote(task_id, safe='')}/artifacts")
        listed = answer.get("artifacts") if isinstance(answer, Mapping) else answer
        return self._structured(listed, list[RemoteArtifact])

    async def download(self, task_id: str, name: str, *, to: Path) -> None:
        """Write the artifact `name` to the file `to`, streamed; its folder is made.

        Raises: OSError when it cannot be written.
        """
        path = f"/api/v1/tasks/{quote(task_id, safe='')}/artifacts/{quote(name, safe='')}"
        await asyncio.to_thread(to.parent.mkdir, parents=True, exist_ok=True)
        try:
            async with self._open.get(self.url + path) as response:
                await self._check(response)
                with await asyncio.to_thread(to.open, "wb") as file:
                    async for chunk in response.content.iter_chunked(1 << 18):
                        await asyncio.to_thread(file.write, chunk)
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise self._unreachable(exc) from exc

    async def wait(
        self,
        task_ids: Iterable[str],
        *,
        on_update: Callable[[TaskUpdate], None] | None = None,
        poll_seconds: float = 1.0,
    ) -> dict[str, RemoteTask]:
        """Follow the tasks until each has finished; return them as they ended.

        Follows over one WebSocket; while there is none, asks every `poll_seconds`.

        Raises: ServerUnreachableError once the server has been silent for `patience_seconds`,
        ServerRefusedError (404) when a task was deleted meanwhile.
        """
        waiting = dict.fromkeys(task_ids)
        finished: dict[str, RemoteTask] = {}
        tell = on_update or _ignore
        while waiting:
            await self._follow(waiting, tell)
            for task in await self._fetch(waiting):
                tell(_as_update(task))
                if task.status.is_final:
                    finished[task.id] = task
                    waiting.pop(task.id, None)
            if waiting:
                await asyncio.sleep(poll_seconds)
        return finished

    async def _fetch(self, task_ids: Iterable[str]) -> list[RemoteTask]:
        """Get the tasks one by one, patient with a server that is being restarted."""
        deadline = asyncio.get_running_loop().time() + self.patience_seconds
        found = []
        for task_id in list(task_ids):
            while True:
                try:
                    found.append(await self.get(task_id))
                    break
                except (ServerUnreachableError, ServerRefusedError) as exc:
                    if _is_final_refusal(exc) or asyncio.get_running_loop().time() > deadline:
                        raise
                await asyncio.sleep(0.2)
        return found

    async def _follow(self, task_ids: Iterable[str], tell: Callable[[TaskUpdate], None]) -> None:
        """Pass on updates over a WebSocket until all have finished, or there is no socket (any more)."""
        waiting = set(task_ids)
        try:
            async with self._open.ws_connect(f"{self.url}/api/v1/ws/tasks/{uuid4().hex}", heartbeat=25) as socket:
                for task_id in waiting.copy():
                    await socket.send_json({"type": "subscribe", "task_id": task_id})
                while waiting and not socket.closed:
                    update = self._read_update(await socket.receive(timeout=_SILENCE_SECONDS))
                    if update is not None and update.task_id in waiting:
                        tell(update)
                        if update.status.is_final:
                            waiting.discard(update.task_id)
        except (aiohttp.ClientError, TimeoutError):
            return  # the caller asks over plain HTTP, and learns there what is wrong

    def _read_update(self, message: aiohttp.WSMessage) -> TaskUpdate | None:
        if message.type is not aiohttp.WSMsgType.TEXT:
            return None
        content = json.loads(message.data)
        return self._structured(content, TaskUpdate) if content.get("type") == "task_update" else None

    @property
    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the client is not open: use `async with Client(...)`")
        return self._session

    async def _json(self, method: str, path: str, *, data: Any = None) -> Any:
        try:
            async with self._open.request(method, self.url + path, data=data) as response:
                await self._check(response)
                return await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise self._unreachable(exc) from exc
        except ValueError as exc:
            raise UnexpectedAnswerError(self.url + path, "it is not JSON") from exc

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        """Raise ServerRefusedError, with the reason from the body, unless the server said yes."""
        if response.status < 400:
            return
        try:
            problem = await response.json(content_type=None)
        except ValueError:
            problem = None
        detail = problem.get("detail") if isinstance(problem, Mapping) else None
        raise ServerRefusedError(response.status, str(detail or response.reason or "refused"))

    def _unreachable(self, error: Exception) -> ServerUnreachableError:
        if isinstance(error, aiohttp.InvalidURL):
            return ServerUnreachableError(self.url, "this is not a URL such as http://127.0.0.1:8000")
        if isinstance(error, aiohttp.ClientConnectorError) and error.errno:
            return ServerUnreachableError(self.url, os.strerror(error.errno))
        return ServerUnreachableError(self.url, str(error) or type(error).__name__)

    def _structured(self, content: Any, kind: type[T]) -> T:
        try:
            return _CONVERTER.structure(content, kind)
        except (cattrs.BaseValidationError, ValueError, TypeError) as exc:
            problems = (
                "; ".join(cattrs.transform_error(exc)) if isinstance(exc, cattrs.BaseValidationError) else str(exc)
            )
            raise UnexpectedAnswerError(self.url, problems) from exc


def _ignore(update: TaskUpdate) -> None:
    """Take an update that nobody wants."""


def _as_update(task: RemoteTask) -> TaskUpdate:
    return TaskUpdate(
        task_id=task.id,
        status=task.status,
        progress=task.progress,
        result_url=task.result_url,
        error_message=task.error_message,
    )


def _is_final_refusal(error: NovelTasksError) -> bool:
    """Whether asking again cannot help: the server said no, and not for being busy."""
    return isinstance(error, ServerRefusedError) and error.status < 500 and error.status != 429
