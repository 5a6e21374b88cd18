"""`novel-tasks doctor`: can the service run here, and if not, how to mend it."""

from __future__ import annotations

import asyncio
import json
import textwrap
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from novel_tasks_core import ConfigError
from novel_tasks_server import checks
from novel_tasks_server.cli.checks import check_dotenv, check_limits, check_port
from novel_tasks_server.cli.console import ExamplesCommand, ExitCode, console, printable
from novel_tasks_server.cli.settings import setting_values
from novel_tasks_server.findings import Finding, Verdict

if TYPE_CHECKING:
    from rich.console import Console

_VERDICT_CELLS, _CHECK_CELLS = 9, 14
_NARROWEST = 24
_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "bold red"}


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks doctor", "check everything that these settings need"),
        ("novel-tasks doctor --json", "the same, for scripts"),
    ),
)
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="As for `serve`.")
@click.option("--database-url", metavar="URL", help="As for `serve`.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with all findings.")
def doctor(data_dir: Path | None, database_url: str | None, as_json: bool) -> int:
    """Check that the service can run here; say what mends it if not.

    Looks at the settings and who can read them, the installed parts, the data folder and its disk, the
    database and its schema, the connections that it allows, the clocks, the port, and the limits of the
    system. Changes nothing. The exit code is 1 if there is a problem; warnings alone leave it at 0.
    """
    findings = asyncio.run(_examine({"DATA_DIR": data_dir, "DATABASE_URL": database_url}, tell=not as_json))
    count = Counter(finding.verdict for finding in findings)
    healthy = not count[Verdict.PROBLEM]
    if as_json:
        found = [attrs.asdict(one, filter=attrs.filters.exclude("told")) for one in findings]
        click.echo(json.dumps({"ok": healthy, "checks": found}, ensure_ascii=False))
    else:
        click.echo(f"\n{_conclusion(count)}")
    return ExitCode.OK if healthy else ExitCode.FAILURE


async def _examine(flags: Mapping[str, object], *, tell: bool) -> list[Finding]:
    """Run every check that the settings allow; tell what each finds at once, for some take their time."""
    out = console(stderr=False)
    findings = []
    async for finding in _findings(flags):
        findings.append(finding)
        if tell:
            _show(finding, out)
    return findings


async def _findings(flags: Mapping[str, object]) -> AsyncIterator[Finding]:
    yield checks.check_program()
    try:
        values = setting_values(flags)
    except ConfigError as exc:
        yield checks.bad_settings(exc)
        return
    config, found = checks.check_settings(values)
    for one in (*found, *check_dotenv(Path(".env"))):
        yield one
    if config is None:
        return
    for one in (*checks.check_extras(config), checks.check_processors(config), *checks.check_folders(config)):
        yield one
    for one in await checks.check_database(config):
        yield one
    yield await check_port(config, values)
    yield check_limits()


def _show(finding: Finding, out: Console) -> None:
    """Print what was found, and below it why that matters and what mends it. It is data: it goes to stdout."""
    from rich.text import Text

    out.print(
        Text.assemble(
            (f"{finding.verdict.value:<{_VERDICT_CELLS}}", _STYLES[finding.verdict]),
            f"{finding.check:<{_CHECK_CELLS}}",
            _filled(finding.found, out),
        )
    )
    for word, text in (("why", finding.why), ("fix", finding.mend)):
        if text:
            out.print(
                Text.assemble(" " * _VERDICT_CELLS, (f"{word:>{_CHECK_CELLS - 2}}  ", "bold"), _filled(text, out))
            )


def _filled(text: str, out: Console) -> str:
    """Return text with line breaks, on a terminal: what follows the first stands below it."""
    indent = _VERDICT_CELLS + _CHECK_CELLS
    if not out.is_terminal:
        return printable(text)
    width = max(_NARROWEST, out.width - indent - 1)
    lines = textwrap.wrap(printable(text), width, break_long_words=False, break_on_hyphens=False)
    return f"\n{'':{indent}}".join(lines)


def _conclusion(count: Counter[Verdict]) -> str:
    """Say in a line what all of it means."""
    problems, warnings = (
        f"{count[verdict]} {verdict}{'' if count[verdict] == 1 else 's'}" if count[verdict] else ""
        for verdict in (Verdict.PROBLEM, Verdict.WARNING)
    )
    found = " and ".join(filter(None, (problems, warnings)))
    if problems:
        return f"{found}: the service cannot run like this."
    return f"{found}: the service can run." if found else "All is well."
