"""Every error that the library raises on purpose.

The tree, all under one root::

    NovelTasksError
    |-- ConfigError                    a setting is missing or wrong
    |-- InvalidInputError              a caller passed something that can never work
    |   |-- InvalidFilterError         a filter, sort order, limit or cursor
    |   |-- InvalidOptionsError        options that the processor does not accept
    |   |-- InvalidProcessorError      a function that cannot be registered
    |   |-- UnknownProcessorError      no processor has this name
    |   `-- DecodingError              the bytes are not text in any encoding we know, or not in the named one
    |-- TaskNotFoundError
    |-- ArtifactNotFoundError
    |-- SourceNotFoundError            the stored file of a task is gone
    |-- TokenNotFoundError
    |-- IllegalTransitionError         the task is not in a state that allows this
    |-- DuplicateTaskError             a live task holds the same key
    |-- PreconditionFailedError        the task changed since the caller looked
    |-- LeaseLostError                 the attempt is no longer ours; its output is dropped
    |-- TaskProcessingError            an attempt failed
    |   |-- TaskTimeoutError           it ran longer than it may
    |   |-- ChildCrashedError          its process died (signal, exit, out of memory)
    |   `-- TaskFailedError            awaiting the result of a task that failed or was cancelled
    |-- StorageError
    |   |-- DatabaseUnavailableError   not reachable, or not in time; trying again may help
    |   |-- SchemaError                the schema is missing, newer, or was changed by hand
    |   |-- FileStoreError             the disk refused (full, read-only, no permission)
    |   `-- EmbeddedServerError        the private PostgreSQL cannot be started
    `-- EngineClosedError              the engine is closing or closed

Errors carry fields; the sentence is made from them. Nothing may parse a message.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from novel_tasks_core.complaints import Complaint, FaultCode

if TYPE_CHECKING:
    from uuid import UUID


class NovelTasksError(Exception):
    """The root: catch this to catch everything the library raises on purpose."""


class ConfigError(NovelTasksError):
    """A setting is missing or wrong.

    `variable` is the setting's public name, `reason` says what would be right. The value itself is
    not kept: it may be a secret.
    """

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(f"{variable}: {reason}")
        self.variable = variable
        self.reason = reason


class InvalidInputError(NovelTasksError):
    """A caller passed something that can never work.

    `field` is the name of the offending argument, dotted for nested values; `reason` says what is
    wrong with it and what would be right.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class InvalidFilterError(InvalidInputError):
    """A filter, sort order, limit or cursor cannot be used."""


class InvalidOptionsError(InvalidInputError):
    """The processor does not accept these options.

    `problems` lists every fault as (path, reason); `field` is the first path.
    """

    def __init__(self, processor: str, problems: Iterable[tuple[str, str]]) -> None:
        self.processor = processor
        self.problems = tuple(problems) or (("options", "not accepted"),)
        super().__init__(self.problems[0][0], "; ".join(f"{path}: {reason}" for path, reason in self.problems))
        self.args = (f"options of {processor}: {self.reason}",)


class InvalidProcessorError(InvalidInputError):
    """A function cannot be registered as a processor; `reason` says how to mend it."""


class UnknownProcessorError(InvalidInputError):
    """No processor has this `name`; `known` are those that would work."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(sorted(known))
        said = f"unknown processor {name!r}; known: {', '.join(self.known) or 'none'}"
        super().__init__("processor", Complaint(said, FaultCode.PROCESSOR))


class DecodingProblem(StrEnum):
    """What keeps bytes from being read as text."""

    EMPTY = "empty"
    BLANK = "blank"
    """Nothing but blank space."""
    OTHER_FORMAT = "other_format"
    """A file of another format, such as a picture."""
    BINARY = "binary"
    """Control bytes that no text has."""
    OTHER_ENCODING = "other_encoding"
    """Not text in the encoding that was asked for."""
    UNKNOWN = "unknown"


class DecodingError(InvalidInputError):
    """The bytes are not text, or not text in the named encoding.

    `kind` is what is wrong. `offset` is the first offending byte where one can be named, `encoding` the codec that was
    asked for, None when every known one was tried, `format` a short name of the other format that the file has.
    """

    def __init__(
        self,
        reason: str,
        *,
        encoding: str | None = None,
        offset: int | None = None,
        kind: DecodingProblem = DecodingProblem.UNKNOWN,
        format: str | None = None,
    ) -> None:
        super().__init__("file", reason)
        self.encoding = encoding
        self.offset = offset
        self.kind = DecodingProblem(kind)  # a processor's own may be plain text
        self.format = format

    def __str__(self) -> str:
        return self.reason  # which speaks of the file by itself

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_decoding_error, (self.reason, self.encoding, self.offset, self.kind, self.format))


def _rebuild_decoding_error(
    reason: str, encoding: str | None, offset: int | None, kind: DecodingProblem, format: str | None
) -> DecodingError:
    return DecodingError(reason, encoding=encoding, offset=offset, kind=kind, format=format)


class TaskNotFoundError(NovelTasksError):
    """There is no such task (any more). `task_id` is as the caller gave it, outside form if it was text."""

    def __init__(self, task_id: UUID | str) -> None:
        self.task_id = task_id
        shown = task_id if isinstance(task_id, str) else f"task-{task_id.hex}"
        super().__init__(f"Task {shown} not found")


class ArtifactNotFoundError(NovelTasksError):
    """The task exists, but its result has no artifact of this `name`."""

    def __init__(self, task_id: UUID, name: str) -> None:
        super().__init__(f"Task task-{task_id.hex} has no artifact {name!r}")
        self.task_id = task_id
        self.name = name


class SourceNotFoundError(NovelTasksError):
    """The file with this `sha256` is not in the store."""

    def __init__(self, sha256: str) -> None:
        super().__init__(f"no stored file has the SHA-256 {sha256}")
        self.sha256 = sha256


class TokenNotFoundError(NovelTasksError):
    """No token has this `token_id`."""

    def __init__(self, token_id: UUID | str) -> None:
        super().__init__(f"Token {token_id} not found")
        self.token_id = token_id


class IllegalTransitionError(NovelTasksError):
    """The task is in `status`, which does not allow `action`."""

    def __init__(self, task_id: UUID, status: str, action: str, *, reason: str = "") -> None:
        super().__init__(reason or f"Task task-{task_id.hex} is {status}: cannot {action}")
        self.task_id = task_id
        self.status = status
        self.action = action


class DuplicateTaskError(NovelTasksError):
    """The live task `existing` already holds this `key`."""

    def __init__(self, key: str, existing: UUID) -> None:
        super().__init__(f"task-{existing.hex} already holds the key {key!r}")
        self.key = key
        self.existing = existing


class PreconditionFailedError(NovelTasksError):
    """The task changed since the caller looked: now at `version`."""

    def __init__(self, task_id: UUID, version: str) -> None:
        super().__init__(f"Task task-{task_id.hex} has changed: it is now at version {version}")
        self.task_id = task_id
        self.version = version


class LeaseLostError(NovelTasksError):
    """The lease of (task, attempt) is gone: rescued, deleted or cancelled. What it made is dropped."""

    def __init__(self, task_id: UUID, attempt: int) -> None:
        super().__init__(f"the lease of attempt {attempt} of task-{task_id.hex} is lost")
        self.task_id = task_id
        self.attempt = attempt


class TaskProcessingError(NovelTasksError):
    """An attempt failed: `type` is the error's class name, `detail` what it said."""

    def __init__(self, detail: str, *, type: str = "TaskProcessingError") -> None:
        super().__init__(detail)
        self.detail = detail
        self.type = type


class TaskTimeoutError(TaskProcessingError):
    """The attempt ran longer than `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"did not finish within {seconds:g} s", type="TaskTimeoutError")
        self.seconds = seconds


class ChildCrashedError(TaskProcessingError):
    """The process of the attempt died: `exit_code` as the operating system gave it, negative for a signal."""

    def __init__(self, detail: str, *, exit_code: int | None = None) -> None:
        super().__init__(detail, type="ChildCrashedError")
        self.exit_code = exit_code


class TaskFailedError(TaskProcessingError):
    """The awaited task ended without a result: `status` is failed or cancelled."""

    def __init__(self, task_id: UUID, status: str, detail: str) -> None:
        super().__init__(f"task-{task_id.hex} {status}: {detail}" if detail else f"task-{task_id.hex} {status}")
        self.task_id = task_id
        self.status = status


class StorageError(NovelTasksError):
    """Something below the engine failed."""


class DatabaseUnavailableError(StorageError):
    """The database cannot be reached, or did not answer in time. Trying again later may help."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"database unavailable: {reason}")
        self.reason = reason


class SchemaError(StorageError):
    """The schema does not fit this program: `found` and `wanted` are migration numbers."""

    def __init__(self, reason: str, *, found: int | None = None, wanted: int | None = None) -> None:
        super().__init__(reason)
        self.found = found
        self.wanted = wanted


class FileStoreError(StorageError):
    """The disk refused: `errno` as the operating system gave it (28 is a full disk)."""

    def __init__(self, reason: str, *, errno: int | None = None) -> None:
        super().__init__(reason)
        self.errno = errno


class EmbeddedServerError(StorageError):
    """The private PostgreSQL in `directory` cannot be started; `reason` says why and what to do."""

    def __init__(self, directory: str, reason: str) -> None:
        super().__init__(f"embedded PostgreSQL in {directory}: {reason}")
        self.directory = directory
        self.reason = reason


class EngineClosedError(NovelTasksError):
    """The engine is closing or closed; nothing new is accepted."""

    def __init__(self) -> None:
        super().__init__("the engine is closed")
