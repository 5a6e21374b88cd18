"""The composition root: what the server is made of, and how it starts and stops."""

from novel_tasks_server.app.building import create_app
from novel_tasks_server.app.serving import serve

__all__ = ["create_app", "serve"]
