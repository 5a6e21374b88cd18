"""The composition root: what the server is made of, and how it starts and stops."""

from novel_tasks_server.app.building import create_app
from novel_tasks_server.app.last_resort import LastResort
from novel_tasks_server.app.serving import serve
from novel_tasks_server.app.stacks import stacks_on_signal

__all__ = ["LastResort", "create_app", "serve", "stacks_on_signal"]
