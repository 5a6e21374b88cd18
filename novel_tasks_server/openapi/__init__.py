"""What the API consists of: each route with what it takes, what it answers and who may use it."""

from novel_tasks_server.openapi.operation import OPERATIONS, Operation, Tag, add_operations

__all__ = ["OPERATIONS", "Operation", "Tag", "add_operations"]
