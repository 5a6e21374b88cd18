"""What the API consists of: each route with what it takes, what it answers and who may use it."""

from novel_tasks_server.openapi.document import build_document
from novel_tasks_server.openapi.operation import OPERATIONS, Operation, Tag, add_operations, documented

__all__ = ["OPERATIONS", "Operation", "Tag", "add_operations", "build_document", "documented"]
