"""What clients get to see: the wire contract, field by field.

The classes have no slots: Python sorts those by name, and an answer should begin with what matters.
"""

from novel_tasks_server.schemas.views.chapters import HeadingView, PreviewView
from novel_tasks_server.schemas.views.encoding import encode
from novel_tasks_server.schemas.views.files import ArtifactListView, ArtifactView, LinkView, ProcessingView, UploadView
from novel_tasks_server.schemas.views.history import (
    AttemptListView,
    AttemptView,
    EventListView,
    LogListView,
    LogView,
    event_view,
)
from novel_tasks_server.schemas.views.problems import ProblemView
from novel_tasks_server.schemas.views.service import (
    HealthView,
    HistoryView,
    LaneView,
    LimitsView,
    MessageView,
    MetaView,
    Place,
    ProcessorListView,
    ProcessorView,
    QueueView,
    RetryView,
    WorkerView,
)
from novel_tasks_server.schemas.views.system import CheckStatus, CheckView, SettingView, StorageView, SystemView
from novel_tasks_server.schemas.views.tasks import (
    BulkView,
    StatisticsView,
    TaskDetail,
    TaskListView,
    TaskView,
    TaskWithLogs,
    error_message,
    percent,
    result_url,
)

__all__ = [
    "ArtifactListView",
    "ArtifactView",
    "AttemptListView",
    "AttemptView",
    "BulkView",
    "CheckStatus",
    "CheckView",
    "EventListView",
    "HeadingView",
    "HealthView",
    "HistoryView",
    "LaneView",
    "LimitsView",
    "LinkView",
    "LogListView",
    "LogView",
    "MessageView",
    "MetaView",
    "Place",
    "PreviewView",
    "ProblemView",
    "ProcessingView",
    "ProcessorListView",
    "ProcessorView",
    "QueueView",
    "RetryView",
    "SettingView",
    "StatisticsView",
    "StorageView",
    "SystemView",
    "TaskDetail",
    "TaskListView",
    "TaskView",
    "TaskWithLogs",
    "UploadView",
    "WorkerView",
    "encode",
    "error_message",
    "event_view",
    "percent",
    "result_url",
]
