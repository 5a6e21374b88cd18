"""The server's JSON as the events that `novel_tasks_core` names, and the wire format of server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args
from uuid import UUID

from attrs import frozen

from novel_tasks_core import Event, StoredEvent, TaskDeleted, TaskId, TaskProgressed
from novel_tasks_server.client.transport import CONVERTER

_CLASSES: dict[str, type[Any]] = {cls.kind: cls for cls in (*get_args(StoredEvent), TaskProgressed, TaskDeleted)}

CONVERTER.register_structure_hook(UUID, lambda value, _: value)


def read_event(task_id: TaskId, content: Mapping[str, Any]) -> Event | None:
    """Build the event that a JSON object tells of a task; None for a kind that this client does not know.

    Raises: as cattrs does, for what is no event.
    """
    cls = _CLASSES.get(content["kind"])
    if cls is None:
        return None
    event: Event = CONVERTER.structure({**content, "task_id": task_id}, cls)
    return event


@frozen
class Message:
    """A server-sent event: its kind and its data."""

    kind: str
    data: str

    def content(self) -> dict[str, Any]:
        """Return the data, a JSON object, with its kind. Raises: ValueError when it is none."""
        content = json.loads(self.data)
        if not isinstance(content, Mapping):
            raise ValueError("an event must be a JSON object")
        return {"kind": self.kind, **content}


class MessageParser:
    """Takes the bytes of a stream of server-sent events (WHATWG HTML, 9.2) as they come."""

    def __init__(self) -> None:
        self._rest = b""
        self._kind = ""
        self._data: list[str] = []

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield the messages that are complete now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            message = self._take(line.removesuffix(b"\r").decode("utf-8", "replace"))
            if message is not None:
                yield message

    def _take(self, line: str) -> Message | None:
        if not line:
            made = Message(self._kind, "\n".join(self._data)) if self._data else None
            self._kind, self._data = "", []
            return made
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._kind = value
        elif name == "data":
            self._data.append(value)
        return None
