"""Which processors there are: an instance that its user owns and fills."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any, TypeVar, overload

from novel_tasks_core.errors import InvalidProcessorError, UnknownProcessorError
from novel_tasks_core.processors.analyze import PROCESSOR as ANALYZE
from novel_tasks_core.processors.base import Processor, options_parameter
from novel_tasks_core.processors.clean import PROCESSOR as CLEAN
from novel_tasks_core.processors.configuration import CacheCounts, Configuration, Configurations
from novel_tasks_core.processors.epub import PROCESSOR as EPUB
from novel_tasks_core.processors.external import PROCESSOR as EXTERNAL
from novel_tasks_core.processors.split import PROCESSOR as SPLIT
from novel_tasks_core.retries import RetryPolicy

ENTRY_POINTS = "novel_tasks.processors"
"""The entry-point group through which packages offer processors."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_.-]{0,62}[a-z0-9])?", re.ASCII)
_LONGEST_TIMEOUT_SECONDS = 31 * 86400

F = TypeVar("F", bound=Callable[..., Any])


class Processors:
    """The processors by name. Never module-wide: make one, fill it, hand it to the engine."""

    def __init__(self) -> None:
        self._by_name: dict[str, Processor] = {}
        self._configurations = Configurations(self._configure)

    @classmethod
    def builtin(cls) -> Processors:
        """Return a new instance with the processors that come with the library."""
        processors = cls()
        for processor in (ANALYZE, SPLIT, CLEAN, EPUB, EXTERNAL):
            processors.add(processor)
        return processors

    @overload
    def register(
        self,
        name: str,
        function: None = None,
        *,
        version: str = "1",
        timeout_seconds: float | None = None,
        retry: RetryPolicy | None = None,
        description: str = "",
    ) -> Callable[[F], F]: ...

    @overload
    def register(
        self,
        name: str,
        function: F,
        *,
        version: str = "1",
        timeout_seconds: float | None = None,
        retry: RetryPolicy | None = None,
        description: str = "",
    ) -> F: ...

    def register(
        self,
        name: str,
        function: F | None = None,
        *,
        version: str = "1",
        timeout_seconds: float | None = None,
        retry: RetryPolicy | None = None,
        description: str = "",
    ) -> F | Callable[[F], F]:
        """Add a function as a processor, directly or as a decorator; returns the function unchanged.

        `timeout_seconds` None takes the engine's. Without `description` the first line of the docstring
        serves.

        Raises: InvalidProcessorError for a name that is taken or malformed, a signature other than
        `f(ctx[, options])`, and a plain `def` that a child process could not import.
        """

        def add(function: F) -> F:
            self.add(
                Processor(
                    name=name,
                    function=function,
                    version=version,
                    timeout_seconds=timeout_seconds,
                    retry=RetryPolicy() if retry is None else retry,
                    options_type=options_parameter(function),
                    description=description or _first_line(function),
                )
            )
            return function

        return add if function is None else add(function)

    def add(self, processor: Processor) -> None:
        """Add a processor that is already made.

        Raises: InvalidProcessorError, as `register` does.
        """
        if not _NAME.fullmatch(processor.name):
            raise InvalidProcessorError(
                "name", f"{processor.name!r}: use up to 64 lower-case letters, digits, dots, dashes and underscores"
            )
        if processor.name in self._by_name:
            raise InvalidProcessorError("name", f"a processor {processor.name!r} is already registered")
        timeout = processor.timeout_seconds
        if timeout is not None and not 0 < timeout <= _LONGEST_TIMEOUT_SECONDS:
            raise InvalidProcessorError(
                "timeout_seconds", f"must be more than 0 s and at most 31 days, not {timeout!r}"
            )
        if processor.runs_in_child:
            processor.target  # noqa: B018 - raises for a function that a child process could not find
        self._by_name[processor.name] = processor

    def get(self, name: str) -> Processor:
        """Return the processor with this name. Raises: UnknownProcessorError."""
        try:
            return self._by_name[name]
        except (KeyError, TypeError):
            raise UnknownProcessorError(str(name)[:100], self._by_name) from None

    def names(self) -> tuple[str, ...]:
        """Return the names in the order of registration."""
        return tuple(self._by_name)

    def load_entry_points(self) -> None:
        """Add the processors that installed packages offer in the group `novel_tasks.processors`.

        An entry point names a `Processor`, or a function that is registered under the entry point's name.

        Raises: InvalidProcessorError naming the entry point that cannot be loaded or added.
        """
        for entry_point in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry_point: entry_point.name):
            try:
                self._add_offered(entry_point.name, entry_point.load())
            except InvalidProcessorError as exc:
                raise InvalidProcessorError("entry point", f"{entry_point.name} ({entry_point.value}): {exc}") from exc
            except Exception as exc:
                raise InvalidProcessorError(
                    "entry point", f"{entry_point.name} ({entry_point.value}): {exc!r}"
                ) from exc

    def _add_offered(self, name: str, offered: object) -> None:
        if isinstance(offered, Processor):
            self.add(offered)
        elif callable(offered):
            self.register(name, offered)
        else:
            raise InvalidProcessorError("function", "is neither a Processor nor a function")

    def validate(self, name: str, options: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the options of a processor as canonical JSON, its defaults filled in.

        Raises: UnknownProcessorError; InvalidOptionsError with every problem and its path.
        """
        return self.configuration(name, options).options

    def configuration(self, name: str, options: Mapping[str, Any] | None) -> Configuration:
        """Return a processor with checked options; what was asked for before is not worked out again.

        Raises: as `validate`.
        """
        return self._configurations.get(name, options)

    def configuration_counts(self) -> CacheCounts:
        """Return how often `configuration` had the answer at hand, and how often not."""
        return self._configurations.counts()

    def _configure(self, name: str, options: Mapping[str, Any] | None) -> Configuration:
        from novel_tasks_core.conversion import require_json
        from novel_tasks_core.processors.options import validate_options

        processor = self.get(name)
        checked = validate_options(name, processor.options_type, options)
        return Configuration(processor=processor, text=require_json("options", checked, max_bytes=sys.maxsize))

    def options_schema(self, name: str) -> dict[str, Any]:
        """Return the JSON schema of a processor's options. Raises: UnknownProcessorError."""
        from novel_tasks_core.processors.options import options_schema

        return options_schema(self.get(name).options_type)


def _first_line(function: Callable[..., Any]) -> str:
    return (function.__doc__ or "").strip().partition("\n")[0]
