"""Log set-up: structlog for our own lines, the standard library's bridged into the same stream.

One event name and key/values a line; never a novel's text, never a secret. Our own lines go straight to the
stream: by way of the standard library's loggers one would cost as much as answering a request.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, TextIO

import structlog
from aiohttp import ClientConnectionResetError
from aiohttp.http_exceptions import HttpProcessingError

from novel_tasks_core import Observer, OutcomeKind, TaskId, format_task_id

_SHARED: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)


_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class TaskLog(Observer):
    """Writes one line for every attempt that ended."""

    def attempt_finished(
        self, *, task_id: TaskId, processor: str, attempt: int, outcome: OutcomeKind, seconds: float
    ) -> None:
        """Tell which task, how it ended and how long it took."""
        _log.info(
            "task_processed",
            task_id=format_task_id(task_id),
            processor=processor,
            attempt=attempt,
            status=outcome.value,
            duration_ms=round(seconds * 1000, 1),
        )


def configure_logging(*, level: str, as_json: bool, stream: TextIO | None = None) -> None:
    """Send every log line of this process to `stream`, by default standard error.

    `level` is a standard level name in any case. Calling again replaces what was set before.
    """
    output, rendering = stream or sys.stderr, _rendering(as_json=as_json)
    structlog.configure(
        processors=[*_SHARED, structlog.processors.UnicodeDecoder(), *rendering],
        logger_factory=lambda *names: _Lines(output, *names),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=(*_SHARED, structlog.stdlib.ExtraAdder()),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    quiet_malformed_requests()


class _Lines(structlog.WriteLogger):
    """Writes to a stream what has been rendered."""

    def __init__(self, stream: TextIO, name: str = "") -> None:
        super().__init__(stream)
        self.name = name


def _rendering(*, as_json: bool) -> tuple[structlog.typing.Processor, ...]:
    if as_json:
        return _TRACEBACKS, structlog.processors.JSONRenderer(), _without_secrets
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain), _without_secrets


_TRACEBACKS = structlog.processors.ExceptionRenderer(
    # Variables of the frames would tell novels, tokens and passwords.
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)

_SECRETS = (
    # What a line must have for a pattern to be worth its time; the pattern; what stays.
    ("@", re.compile(r"(://[^\s:/@\"']*:)[^\s\"']+@"), r"\1***@"),  # the password of a URL
    ("earer", re.compile(r"(?i)(\bbearer[ .])[\w.~+/=-]{8,}"), r"\1***"),  # the Authorization header
    ("asic", re.compile(r"(?i)(\bbasic )[\w+/=-]{8,}"), r"\1***"),
    ("nt_", re.compile(r"\bnt_[\w-]{16,}"), "nt_***"),  # tokens of ours
    ("signature=", re.compile(r"(\bsignature=)[\w.%=-]+"), r"\1***"),  # signed links
    ("eyJ", re.compile(r"\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*"), "eyJ***"),  # JSON Web Tokens
)


def _without_secrets(logger: Any, method: str, line: Any) -> Any:
    """Take out of a finished line what looks like a secret, whoever wrote it: an error of a library may quote one."""
    for sign, pattern, replacement in _SECRETS:
        if sign in line:
            line = pattern.sub(replacement, line)
    return line


def quiet_malformed_requests() -> None:
    """Make aiohttp tell of requests that are not HTTP, and of clients that left, in one line at debug level.

    It would write a traceback for each: anyone could fill the disk by sending garbage.
    """
    logger = logging.getLogger("aiohttp.server")
    if _tame_malformed not in logger.filters:
        logger.addFilter(_tame_malformed)


def _tame_malformed(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, HttpProcessingError | ClientConnectionResetError):
        return True
    record.exc_info = None
    record.exc_text = None
    record.levelno, record.levelname = logging.DEBUG, "DEBUG"
    record.msg, record.args = "malformed_request" if isinstance(error, HttpProcessingError) else "client_left", ()
    return logging.getLogger("aiohttp.server").isEnabledFor(logging.DEBUG)
