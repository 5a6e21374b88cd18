"""What a task made, as clients get to see it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote

from attrs import frozen

from novel_tasks_core import Artifact, format_task_id


@frozen(kw_only=True, slots=False)
class ArtifactView:
    """Named bytes that a task made, and the path at which they are. `size` is in bytes."""

    name: str
    content_type: str
    size: int
    sha256: str
    attempt: int
    url: str

    @classmethod
    def of(cls, artifact: Artifact) -> ArtifactView:
        """Show `artifact`."""
        path = f"/api/v1/tasks/{format_task_id(artifact.task_id)}/artifacts/{quote(artifact.name, safe='')}"
        return cls(
            name=artifact.name,
            content_type=artifact.content_type,
            size=artifact.size,
            sha256=artifact.sha256,
            attempt=artifact.attempt,
            url=path,
        )


@frozen(kw_only=True, slots=False)
class ArtifactListView:
    """The artifacts of the result that is shown, by name."""

    artifacts: list[ArtifactView]

    @classmethod
    def of(cls, artifacts: Iterable[Artifact]) -> ArtifactListView:
        """Show `artifacts`."""
        return cls(artifacts=[ArtifactView.of(artifact) for artifact in artifacts])


@frozen(kw_only=True, slots=False)
class LinkView:
    """A path that needs no token until `expires_at`."""

    url: str
    expires_at: datetime


@frozen(kw_only=True, slots=False)
class UploadView:
    """What an upload answers. `duplicate` says that the task was there before."""

    task_id: str
    file_name: str
    file_size: int
    status: str
    message: str
    duplicate: bool


@frozen(kw_only=True, slots=False)
class ProcessingView:
    """What asking for more work on a task's novel answers. `duplicate` says that the task was there before."""

    task_id: str
    status: str
    message: str
    duplicate: bool
