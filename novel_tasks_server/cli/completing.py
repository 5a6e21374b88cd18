"""`novel-tasks completion`: what makes Tab complete, and what it completes."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import click
from click.shell_completion import CompletionItem, FishComplete, add_completion_class, get_completion_class

from novel_tasks_server.cli.console import ExamplesCommand

_SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_NOVEL_TASKS_COMPLETE"
_PATIENCE_SECONDS = 1.0
_MOST_TASKS = 50


@add_completion_class
class _Fish(FishComplete):
    """As click has it, but a comma does not end a description."""

    source_template = FishComplete.source_template.replace('string split ","', 'string split --max 1 ","')


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("echo 'eval \"$(novel-tasks completion bash)\"' >> ~/.bashrc", "install it for bash"),
        ("echo 'eval \"$(novel-tasks completion zsh)\"' >> ~/.zshrc", "for zsh, after its compinit"),
        ("novel-tasks completion fish > ~/.config/fish/completions/novel-tasks.fish", "for fish"),
    ),
)
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Make Tab complete: eval "$(novel-tasks completion bash)".

    Prints what does it, for a shell to read. It completes commands, options, their values, processors, files, and
    the ids of tasks as the server tells them. A shell that is started after it was installed knows it.
    """
    root = click.get_current_context().find_root()
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(root.command, {}, "novel-tasks", _VARIABLE).source(), nl=False)


def complete_processors(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a processor that is installed here."""
    from novel_tasks_core import NovelTasksError, Processors

    processors = Processors.builtin()
    with suppress(NovelTasksError):  # a broken one must not keep the others from being completed
        processors.load_entry_points()
    return [CompletionItem(name) for name in processors.names() if name.startswith(incomplete)]


def complete_tasks(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the id of a task of the server; of none when it does not answer at once."""
    from novel_tasks_core import NovelTasksError

    try:
        return asyncio.run(_tasks(ctx, incomplete))
    except (NovelTasksError, TimeoutError):
        return []


async def _tasks(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    from novel_tasks_server.cli.remote import chosen_server
    from novel_tasks_server.client import Wanted

    server = chosen_server(ctx.params.get("server"), ctx.params.get("token"))
    async with asyncio.timeout(_PATIENCE_SECONDS), server.client() as client:
        page = await client.page(Wanted(q=incomplete or None), page_size=_MOST_TASKS)
    found = (task for task in page.tasks if task.id.startswith(incomplete))
    return [CompletionItem(task.id, help=f"{task.status} {task.file_name or ''}") for task in found]
