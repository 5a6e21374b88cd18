"""The list of commands, and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from novel_tasks_server.cli.console import ExamplesGroup, ExitCode, prepare_streams, say_error

_COMMANDS = {
    "serve": ("serving", "Serve the API, and run tasks."),
    "worker": ("serving", "Run tasks, without serving HTTP."),
    "process": ("processing", "Process files here and now: no server, no database, any size."),
    "submit": ("submitting", "Send files to a server, each as a task; print the tasks' ids."),
    "list": ("listing", "List the tasks of a server, the newest first."),
    "show": ("showing", "Show tasks: where they stand, their attempts, what they made."),
    "logs": ("showing", "Print the log of a task: what was told to people."),
    "result": ("results", "Print the result of a task as JSON, or get what it made."),
    "retry": ("changing", "Retry finished tasks; print their ids."),
    "cancel": ("changing", "Cancel tasks that wait or run; print their ids."),
    "why": ("asking", "Say why a task runs, waits, or has ended as it has."),
    "migrate": ("database", "Bring the database's schema up to date."),
    "prune": ("pruning", "Delete tasks that finished long ago, with all that they made."),
    "doctor": ("doctor", "Check that the service can run here; say what mends it if not."),
    "openapi": ("reference", "Print the OpenAPI document of the API."),
    "token": ("tokens", "Make, list and revoke the tokens that let people in."),
    "healthcheck": ("health", "Ask a server how it is; exit 0 if it is healthy, 1 if not."),
    "completion": ("completing", 'Make Tab complete: eval "$(novel-tasks completion bash)".'),
}
"""Each command, the module that holds it, and what it is for: a command pays only for its own imports."""


class _LazyGroup(ExamplesGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"novel_tasks_server.cli.{_COMMANDS[cmd_name][0]}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; one that there is not is told together with what may have been meant."""
        name = args[0]
        if name.startswith("-") or name in _COMMANDS:
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches  # only mistakes are worth its time

        meant = get_close_matches(name, _COMMANDS, n=3)
        hint = f" Did you mean {' or '.join(meant)}?" if meant else ""
        raise click.UsageError(f"there is no command {name!r}.{hint}", ctx)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the commands without loading them."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        found = _COMMANDS.items()
        return [CompletionItem(name, help=what) for name, (_, what) in found if name.startswith(incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; Ctrl-C and the errors of a task group come out as one plain error."""
        try:
            return super().invoke(ctx)
        except ExceptionGroup as group:
            raise _first(group) from None
        except (Exception, SystemExit):
            raise
        except BaseException:  # Ctrl-C, as KeyboardInterrupt or as the cancellation of what runs
            raise _InterruptedByUser from None


class _InterruptedByUser(Exception):
    """Somebody pressed Ctrl-C. Not a KeyboardInterrupt, for which click prints an empty line."""


def _first(group: ExceptionGroup[Exception]) -> Exception:
    error: Exception = group
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


@click.group(
    cls=_LazyGroup,
    context_settings={"max_content_width": 110, "help_option_names": ["-h", "--help"]},
    examples=(
        ("novel-tasks process novel.txt -o report", "process a file here and now"),
        ("novel-tasks serve", "serve on http://127.0.0.1:8000"),
        ("novel-tasks submit --wait *.txt", "send files there, follow them"),
        ("novel-tasks list --status failed", "what did not work"),
        ("novel-tasks COMMAND --help", "examples and options of each"),
    ),
)
@click.version_option(package_name="novel-tasks", prog_name="novel-tasks")
def cli() -> None:
    """Take novels in, process each as a durable task, keep the result."""


def main() -> NoReturn:
    """Run the program on this process's arguments and exit with its code.

    SIGTERM unwinds like an exception, so that temporary files and child processes go with us; commands
    that stay take it as a request of their own.
    """
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(run(sys.argv[1:]))


def _terminated(number: int, frame: object) -> NoReturn:
    sys.exit(128 + number)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code: every error becomes a line on stderr, none a traceback."""
    try:
        prepare_streams()
        outcome = cli.main(args=list(arguments), prog_name="novel-tasks", standalone_mode=False)
        sys.stdout.flush()
    except (_InterruptedByUser, KeyboardInterrupt, click.Abort):
        if sys.stderr.isatty():
            click.echo("\r", nl=False, err=True)  # over the ^C that the terminal shows
        say_error("interrupted")
        return ExitCode.INTERRUPTED
    except Exception as exc:
        return _explain(exc)
    return outcome if isinstance(outcome, int) else ExitCode.OK


def _explain(error: Exception) -> int:
    """Say in one line what went wrong; return the exit code that fits."""
    from novel_tasks_core import ConfigError, InvalidInputError, NovelTasksError  # only errors are worth its time here

    if os.environ.get("NOVEL_TASKS_DEBUG"):
        import traceback

        traceback.print_exception(error)
    match error:
        case click.exceptions.NoArgsIsHelpError():
            error.show()
            return ExitCode.USAGE
        case click.UsageError():
            hint = f" Try '{error.ctx.command_path} --help'." if error.ctx else ""
            say_error(f"{' '.join(error.format_message().split())}{hint}")
            return ExitCode.USAGE
        case BrokenPipeError():
            # The reader has gone (`| head`): nobody is left to tell, and the flush at exit must not fail too.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ExitCode.FAILURE
        case ConfigError() | InvalidInputError():
            say_error(str(error))
            return ExitCode.USAGE
        case click.ClickException():
            say_error(error.format_message())
        case NovelTasksError():
            say_error(str(error))
        case OSError():
            say_error(": ".join(filter(None, (_text(error.filename), error.strerror or str(error)))))
        case _:
            say_error(f"unexpected {type(error).__name__}: {error} (set NOVEL_TASKS_DEBUG=1 for the traceback)")
    return ExitCode.FAILURE


def _text(name: object) -> str:
    """Return the name of a file that an error tells, "" if it tells none."""
    return os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else ""
