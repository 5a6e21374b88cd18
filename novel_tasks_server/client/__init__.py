"""A small typed client of the server: upload a file, follow its task, fetch what it made.

async with Client("http://127.0.0.1:8000") as client:
    upload = await client.upload(Path("novel.txt"), wanted=UploadOptions(processor="analyze"))
    async for event in client.watch(upload.task_id):
        print(event)
    for artifact in await client.artifacts(upload.task_id):
        await client.download(upload.task_id, artifact.name, to=Path("report") / artifact.name)
"""

from __future__ import annotations

from novel_tasks_server.client.errors import (
    DamagedDownloadError,
    Fault,
    ServerRefusedError,
    ServerUnreachableError,
    UnexpectedAnswerError,
)
from novel_tasks_server.client.facade import Client
from novel_tasks_server.client.models import (
    RemoteArtifact,
    RemoteAttempt,
    RemoteLimits,
    RemoteLogEntry,
    RemoteProcessor,
    RemoteQueue,
    RemoteStatistics,
    RemoteTask,
    RemoteWorker,
    ServerMeta,
    TaskPage,
    TaskUpdate,
    Upload,
    UploadOptions,
    Wanted,
)

__all__ = [
    "Client",
    "DamagedDownloadError",
    "Fault",
    "RemoteArtifact",
    "RemoteAttempt",
    "RemoteLimits",
    "RemoteLogEntry",
    "RemoteProcessor",
    "RemoteQueue",
    "RemoteStatistics",
    "RemoteTask",
    "RemoteWorker",
    "ServerMeta",
    "ServerRefusedError",
    "ServerUnreachableError",
    "TaskPage",
    "TaskUpdate",
    "UnexpectedAnswerError",
    "Upload",
    "UploadOptions",
    "Wanted",
]
