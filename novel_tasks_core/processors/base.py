"""What a processor is, and all that it sees: a context, and optionally its options.

An `async def` processor runs on the worker's event loop and gets an `AttemptContext`. A plain `def`
processor runs in a child process that can be killed and gets a `ChildContext`, whose methods have
the same names and block.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import attrs
from attrs import field, frozen

from novel_tasks_core.errors import InvalidProcessorError
from novel_tasks_core.models import Artifact, JsonObject, LogLevel, NewArtifact, TaskId
from novel_tasks_core.retries import RetryPolicy
from novel_tasks_core.text.novel import Novel

if TYPE_CHECKING:
    from novel_tasks_core.processors.manuscript import Manuscript

__all__ = ["Artifact", "AttemptContext", "ChildContext", "Processor"]


class ChildContext(Protocol):
    """What a `def` processor sees, inside its child process. Every method may block.

    All raise `CancelledError` of `concurrent.futures` once the attempt was cancelled or has run out of
    time, so a processor that reports progress stops by itself; one that does not is killed after a grace.
    """

    @property
    def task_id(self) -> TaskId:
        """The task; a fresh id when a file is processed without a database."""
        ...

    @property
    def attempt(self) -> int:
        """The number of this run, from 1."""
        ...

    @property
    def options(self) -> JsonObject:
        """The validated options as JSON."""
        ...

    @property
    def file_name(self) -> str:
        """The name of the source as uploaded; "" without one. Data, never a path."""
        ...

    @property
    def source_path(self) -> Path | None:
        """The stored source, to be read only; None for a task without one."""
        ...

    @property
    def extra_data(self) -> JsonObject:
        """What the submitter attached."""
        ...

    @property
    def resume_from(self) -> Any:
        """The value that the last attempt's `checkpoint` stored, or None."""
        ...

    @property
    def work_folder(self) -> Path:
        """A folder of the task's own, made when first asked for.

        What an attempt leaves there is found by the next one, also after a crash; it goes when the task ends.
        """
        ...

    def read_source(self) -> bytes:
        """Return the bytes of the source, b"" without one."""
        ...

    def read_novel(self, *, encoding: str | None = None, chapter_rule: str | None = None) -> Novel:
        """Decode the source and split it into chapters, all in memory. Raises: DecodingError."""
        ...

    def open_novel(self, *, encoding: str | None = None, chapter_rule: str | None = None) -> Manuscript:
        """Decode the source and split it into chapters, to be read piece by piece: for novels of any size.

        `chapter_rule` is a regular expression of the user's own for the lines that are headings.

        Raises: DecodingError.
        """
        ...

    def progress(self, done: float, *, total: float = 1.0, stage: str = "") -> None:
        """Tell watchers that `done` of `total` is finished, and what is being worked on. Cheap: call it often."""
        ...

    def log(self, message: str, *, level: LogLevel = LogLevel.INFO) -> None:
        """Write a line to the task's log."""
        ...

    def save_artifact(self, name: str, data: bytes | Path, *, content_type: str | None = None) -> NewArtifact:
        """Store named bytes, or a file made by the attempt; it is committed with the completion.

        Raises: InvalidInputError for a name that is empty, has a slash or control characters, or is longer
        than 200 characters.
        """
        ...

    def checkpoint(self, value: Any) -> None:
        """Store a JSON value from which the next attempt may continue; replaces the one before."""
        ...


class AttemptContext(Protocol):
    """What an `async def` processor sees, on the worker's event loop. Cancellation is asyncio's own."""

    @property
    def task_id(self) -> TaskId:
        """The task; a fresh id when a file is processed without a database."""
        ...

    @property
    def attempt(self) -> int:
        """The number of this run, from 1."""
        ...

    @property
    def options(self) -> JsonObject:
        """The validated options as JSON."""
        ...

    @property
    def file_name(self) -> str:
        """The name of the source as uploaded; "" without one. Data, never a path."""
        ...

    @property
    def source_path(self) -> Path | None:
        """The stored source, to be read only; None for a task without one."""
        ...

    @property
    def extra_data(self) -> JsonObject:
        """What the submitter attached."""
        ...

    @property
    def resume_from(self) -> Any:
        """The value that the last attempt's `checkpoint` stored, or None."""
        ...

    @property
    def work_folder(self) -> Path:
        """A folder of the task's own, made when first asked for.

        What an attempt leaves there is found by the next one, also after a crash; it goes when the task ends.
        """
        ...

    async def read_source(self) -> bytes:
        """Return the bytes of the source, b"" without one."""
        ...

    async def read_novel(self, *, encoding: str | None = None, chapter_rule: str | None = None) -> Novel:
        """Decode the source and split it into chapters, in a child process. Raises: DecodingError."""
        ...

    async def progress(self, done: float, *, total: float = 1.0, stage: str = "") -> None:
        """Tell watchers that `done` of `total` is finished, and what is being worked on. Cheap: call it often."""
        ...

    async def log(self, message: str, *, level: LogLevel = LogLevel.INFO) -> None:
        """Write a line to the task's log."""
        ...

    async def save_artifact(self, name: str, data: bytes | Path, *, content_type: str | None = None) -> NewArtifact:
        """Store named bytes, or a file made by the attempt; it is committed with the completion.

        Raises: InvalidInputError for a name that is empty, has a slash or control characters, or is longer
        than 200 characters.
        """
        ...

    async def checkpoint(self, value: Any) -> None:
        """Store a JSON value from which the next attempt may continue; replaces the one before.

        Raises: LeaseLostError when the attempt is no longer ours.
        """
        ...


@frozen(kw_only=True)
class Processor:
    """Code that handles one kind of work, with its defaults.

    `function` takes a context and, if `options_type` is set, an instance of that attrs class; None for
    work that an outside service does. `version` is recorded on every result: raise it when results
    change. `timeout_seconds` None takes the engine's.
    """

    name: str
    function: Callable[..., Any] | None = field(repr=False)
    version: str = "1"
    timeout_seconds: float | None = None
    retry: RetryPolicy = field(factory=RetryPolicy)
    options_type: type | None = None
    description: str = ""

    runs_in_child: bool = field(init=False, repr=False)
    """Whether this is a plain `def`, which runs in a child process."""

    @runs_in_child.default
    def _is_plain_function(self) -> bool:
        return self.function is not None and not inspect.iscoroutinefunction(self.function)

    @property
    def target(self) -> str:
        """`module:qualname` of the function, by which a child finds it.

        Raises: InvalidProcessorError for a function that a new process could not import.
        """
        if self.function is None:
            raise InvalidProcessorError("function", f"processor {self.name!r} has no code here")
        module, qualname = self.function.__module__, self.function.__qualname__
        if module == "__main__" or "<" in qualname:
            kind = "a function of __main__" if module == "__main__" else "a lambda or a nested function"
            raise InvalidProcessorError(
                "function",
                f"{kind} cannot be found by a child process: move {qualname!r} to the top level of an"
                " importable module, or write it as `async def`",
            )
        return f"{module}:{qualname}"


def options_parameter(function: Callable[..., Any]) -> type | None:
    """Return the attrs class of a processor's second parameter, None if it has only the context.

    Raises: InvalidProcessorError for any other signature.
    """
    try:
        signature = inspect.signature(function, eval_str=True)
    except (TypeError, ValueError, NameError) as exc:
        raise InvalidProcessorError("function", f"its signature cannot be read: {exc}") from exc
    parameters = [p for p in signature.parameters.values() if p.default is inspect.Parameter.empty]
    if any(p.kind not in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters) or len(parameters) not in (
        1,
        2,
    ):
        raise InvalidProcessorError(
            "function", "must take the context and, if it wants, its options: f(ctx[, options])"
        )
    if len(parameters) == 1:
        return None
    wanted = parameters[1].annotation
    if not (isinstance(wanted, type) and attrs.has(wanted)):
        raise InvalidProcessorError(
            "function", f"the type of {parameters[1].name!r} must be an attrs class, not {wanted!r}"
        )
    return wanted


def plain_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a processor's options as a plain dict, for processors without an options class."""
    return dict(options)
