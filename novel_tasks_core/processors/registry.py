"""The processors that a program knows: an instance that it owns, never a module-wide registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any, TypeVar

from novel_tasks_core.errors import InvalidOptionsError, InvalidProcessorError, UnknownProcessorError
from novel_tasks_core.processors.base import Processor, options_parameter
from novel_tasks_core.retries import RetryPolicy

F = TypeVar("F", bound=Callable[..., Any])
GROUP = "novel_tasks.processors"


class Processors:
    """Processors by name."""

    def __init__(self) -> None:
        self._known: dict[str, Processor] = {}

    @classmethod
    def builtin(cls) -> Processors:
        """Return a registry with the processors that come with the library."""
        processors = cls()
        processors._known["external"] = Processor(name="external", function=None)
        return processors

    def register(
        self,
        name: str,
        function: Callable[..., Any] | None = None,
        *,
        version: str = "1",
        timeout_seconds: float | None = None,
        retry: RetryPolicy | None = None,
        description: str = "",
    ) -> Any:
        """Register."""
        if function is None:
            def decorate(function: F) -> F:
                self.register(name, function, version=version, timeout_seconds=timeout_seconds, retry=retry)
                return function
            return decorate
        made = Processor(name=name, function=function, version=version, timeout_seconds=timeout_seconds,
            retry=retry or RetryPolicy(), options_type=options_parameter(function), description=description)
        if made.runs_in_child:
            made.target
        self._known[name] = made
        return function

    def get(self, name: str) -> Processor:
        """Return."""
        try:
            return self._known[name]
        except KeyError:
            raise UnknownProcessorError(name, self._known) from None

    def names(self) -> tuple[str, ...]:
        """Return."""
        return tuple(sorted(self._known))

    def validate(self, name: str, options: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return."""
        self.get(name)
        return dict(options or {})
