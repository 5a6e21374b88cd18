"""`novel-tasks doctor`: can the service run here, and if not, how to mend it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import click
from rich.text import Text

from novel_tasks_server import checks
from novel_tasks_server.checks import Finding, Verdict
from novel_tasks_server.cli.checks import check_port
from novel_tasks_server.cli.console import ExamplesCommand, ExitCode, printable
from novel_tasks_server.cli.settings import setting_values

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
    """Check that the service can run here, and say how to mend what cannot.

    Looks at the settings, the installed parts, the data folder and its disk, the database and its schema,
    the connections that it allows, the clocks, and the port. Changes nothing. The exit code is 1 if there
    is a problem; warnings alone leave it at 0.
    """
    values = setting_values({"DATA_DIR": data_dir, "DATABASE_URL": database_url})
    findings = asyncio.run(_examine(values))
    healthy = all(finding.verdict is not Verdict.PROBLEM for finding in findings)
    if as_json:
        click.echo(json.dumps({"ok": healthy, "checks": [attrs.asdict(one) for one in findings]}, ensure_ascii=False))
    else:
        _show(findings)
    return ExitCode.OK if healthy else ExitCode.FAILURE


async def _examine(values: Mapping[str, str]) -> list[Finding]:
    """Run every check that the settings allow."""
    config, findings = checks.check_settings(values)
    findings.insert(0, checks.check_program())
    if config is None:
        return findings
    findings += checks.check_extras(config)
    findings.append(checks.check_processors(config))
    findings += checks.check_folders(config)
    findings += await checks.check_database(config)
    findings.append(await check_port(config, values))
    return findings


def _show(findings: Sequence[Finding]) -> None:
    """Print one line for each finding, and below it how to mend it. The report is data: it goes to stdout."""
    from rich.console import Console

    out = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
    for one in findings:
        head = Text.assemble((f"{one.verdict.value:8}", _STYLES[one.verdict]), f"{one.check}: {printable(one.found)}")
        out.print(head)
        if one.mend:
            out.print(f"{'':8}-> {printable(one.mend)}")
