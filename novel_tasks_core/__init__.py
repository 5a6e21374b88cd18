"""Novel Tasks, the library: submit, run, watch and query tasks, or process one file without a database.

Names are loaded when they are first used: whoever only reads novels does not wait for the database
driver, and child processes start at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from novel_tasks_core.clock import Clock, SystemClock
    from novel_tasks_core.complaints import Complaint, FaultCode
    from novel_tasks_core.config import EngineConfig, between, load_settings, setting
    from novel_tasks_core.engine import ApiTokens, Explanation, Lease, Reason, StoredFile, TaskEngine
    from novel_tasks_core.errors import (
        ArtifactNotFoundError,
        ChildCrashedError,
        ConfigError,
        DatabaseUnavailableError,
        DecodingError,
        DecodingProblem,
        DuplicateTaskError,
        EmbeddedServerError,
        EngineClosedError,
        FileStoreError,
        IllegalTransitionError,
        InvalidFilterError,
        InvalidInputError,
        InvalidOptionsError,
        InvalidProcessorError,
        LeaseLostError,
        NovelTasksError,
        PreconditionFailedError,
        SchemaError,
        SourceNotFoundError,
        StorageError,
        TaskFailedError,
        TaskNotFoundError,
        TaskProcessingError,
        TaskTimeoutError,
        TokenNotFoundError,
        UnknownProcessorError,
    )
    from novel_tasks_core.events import (
        Changes,
        Event,
        StoredEvent,
        TaskCancelled,
        TaskCancelRequested,
        TaskCompleted,
        TaskDeleted,
        TaskFailed,
        TaskLogged,
        TaskProgressed,
        TaskReleased,
        TaskReprioritized,
        TaskRequeued,
        TaskRetryScheduled,
        TaskStarted,
    )
    from novel_tasks_core.execution.local import ProcessedFile, process_file
    from novel_tasks_core.health import Condition, ConditionCode, Health
    from novel_tasks_core.models import (
        Artifact,
        Attempt,
        BulkResult,
        ErrorInfo,
        LogEntry,
        LogLevel,
        NewArtifact,
        NewTask,
        OnDuplicate,
        OutcomeKind,
        Page,
        QueueStatus,
        ReleaseKey,
        SkipReason,
        Source,
        Statistics,
        Task,
        TaskFilter,
        TaskId,
        TaskStatus,
        TaskSummary,
        WorkerId,
        WorkerInfo,
        format_task_id,
        parse_task_id,
    )
    from novel_tasks_core.observers import Observer
    from novel_tasks_core.processors.base import AttemptContext, ChildContext, Processor
    from novel_tasks_core.processors.configuration import CacheCounts, Configuration
    from novel_tasks_core.processors.journal import Journal
    from novel_tasks_core.processors.options import complaint_of, validator_bounds
    from novel_tasks_core.processors.registry import Processors
    from novel_tasks_core.retries import Backoff, Retry, RetryPolicy, Snooze
    from novel_tasks_core.storage.database import PoolStatus
    from novel_tasks_core.storage.flow import HistoryPoint, Percentiles, QueueHistory
    from novel_tasks_core.storage.migrator import Migration
    from novel_tasks_core.storage.operating import DatabaseFacts, StorageSizes
    from novel_tasks_core.storage.tokens import ApiToken
    from novel_tasks_core.text.novel import Chapter, Novel
    from novel_tasks_core.text.reading import read_novel
    from novel_tasks_core.worker import Worker

__all__ = [
    "ApiToken",
    "ApiTokens",
    "Artifact",
    "ArtifactNotFoundError",
    "Attempt",
    "AttemptContext",
    "Backoff",
    "BulkResult",
    "CacheCounts",
    "Changes",
    "Chapter",
    "ChildContext",
    "ChildCrashedError",
    "Clock",
    "Complaint",
    "Condition",
    "ConditionCode",
    "ConfigError",
    "Configuration",
    "DatabaseFacts",
    "DatabaseUnavailableError",
    "DecodingError",
    "DecodingProblem",
    "DuplicateTaskError",
    "EmbeddedServerError",
    "EngineClosedError",
    "EngineConfig",
    "ErrorInfo",
    "Event",
    "Explanation",
    "FaultCode",
    "FileStoreError",
    "Health",
    "HistoryPoint",
    "IllegalTransitionError",
    "InvalidFilterError",
    "InvalidInputError",
    "InvalidOptionsError",
    "InvalidProcessorError",
    "Journal",
    "Lease",
    "LeaseLostError",
    "LogEntry",
    "LogLevel",
    "Migration",
    "NewArtifact",
    "NewTask",
    "Novel",
    "NovelTasksError",
    "Observer",
    "OnDuplicate",
    "OutcomeKind",
    "Page",
    "Percentiles",
    "PoolStatus",
    "PreconditionFailedError",
    "ProcessedFile",
    "Processor",
    "Processors",
    "QueueHistory",
    "QueueStatus",
    "Reason",
    "ReleaseKey",
    "Retry",
    "RetryPolicy",
    "SchemaError",
    "SkipReason",
    "Snooze",
    "Source",
    "SourceNotFoundError",
    "Statistics",
    "StorageError",
    "StorageSizes",
    "StoredEvent",
    "StoredFile",
    "SystemClock",
    "Task",
    "TaskCancelRequested",
    "TaskCancelled",
    "TaskCompleted",
    "TaskDeleted",
    "TaskEngine",
    "TaskFailed",
    "TaskFailedError",
    "TaskFilter",
    "TaskId",
    "TaskLogged",
    "TaskNotFoundError",
    "TaskProcessingError",
    "TaskProgressed",
    "TaskReleased",
    "TaskReprioritized",
    "TaskRequeued",
    "TaskRetryScheduled",
    "TaskStarted",
    "TaskStatus",
    "TaskSummary",
    "TaskTimeoutError",
    "TokenNotFoundError",
    "UnknownProcessorError",
    "Worker",
    "WorkerId",
    "WorkerInfo",
    "between",
    "complaint_of",
    "format_task_id",
    "load_settings",
    "parse_task_id",
    "process_file",
    "read_novel",
    "setting",
    "validator_bounds",
]

_HOMES = {
    "clock": "Clock SystemClock",
    "complaints": "Complaint FaultCode",
    "config": "EngineConfig between load_settings setting",
    "engine": "ApiTokens Explanation Lease Reason StoredFile TaskEngine",
    "errors": (
        "ArtifactNotFoundError ChildCrashedError ConfigError DatabaseUnavailableError DecodingError DecodingProblem "
        "DuplicateTaskError EmbeddedServerError EngineClosedError FileStoreError IllegalTransitionError "
        "InvalidFilterError InvalidInputError InvalidOptionsError InvalidProcessorError LeaseLostError "
        "NovelTasksError PreconditionFailedError SchemaError SourceNotFoundError StorageError TaskFailedError "
        "TaskNotFoundError TaskProcessingError TaskTimeoutError TokenNotFoundError UnknownProcessorError"
    ),
    "events": (
        "Changes Event StoredEvent TaskCancelled TaskCancelRequested TaskCompleted TaskDeleted TaskFailed TaskLogged "
        "TaskProgressed TaskReleased TaskReprioritized TaskRequeued TaskRetryScheduled TaskStarted"
    ),
    "execution.local": "ProcessedFile process_file",
    "health": "Condition ConditionCode Health",
    "models": (
        "Artifact Attempt BulkResult ErrorInfo LogEntry LogLevel NewArtifact NewTask OnDuplicate OutcomeKind "
        "Page QueueStatus ReleaseKey SkipReason Source Statistics Task TaskFilter TaskId TaskStatus TaskSummary "
        "WorkerId WorkerInfo format_task_id parse_task_id"
    ),
    "observers": "Observer",
    "processors.base": "AttemptContext ChildContext Processor",
    "processors.configuration": "CacheCounts Configuration",
    "processors.journal": "Journal",
    "processors.options": "complaint_of validator_bounds",
    "processors.registry": "Processors",
    "retries": "Backoff Retry RetryPolicy Snooze",
    "storage.database": "PoolStatus",
    "storage.flow": "HistoryPoint Percentiles QueueHistory",
    "storage.migrator": "Migration",
    "storage.operating": "DatabaseFacts StorageSizes",
    "storage.tokens": "ApiToken",
    "text.novel": "Chapter Novel",
    "text.reading": "read_novel",
    "worker": "Worker",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
