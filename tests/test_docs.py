"""The pages of docs/ are true: their Python runs, their links lead somewhere, their figures are those of the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from novel_tasks_core import EngineConfig, TaskStatus
from novel_tasks_core.events import STORED_EVENTS
from novel_tasks_core.states import may_follow
from novel_tasks_server.config import LEGACY_VARIABLES, ServerConfig
from novel_tasks_server.live.protocol_v1 import _STATUS_AFTER

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
SEMANTICS = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
LINKING = [*DOCS, *sorted(ROOT.glob("*.md")), *sorted((ROOT / "deploy").glob("*.md"))]
WITH_PYTHON = [page for page in DOCS if "```python" in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.name)
def test_python_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    """All blocks run in order as one session, warnings being errors; what they claim, they assert."""
    done = subprocess.run(
        [sys.executable, "-W", "error", ROOT / "tests" / "checks" / "page.py", page],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^[1-9]\d* blocks\n\Z", done.stdout, re.MULTILINE), done.stdout


def prose(page: Path) -> str:
    """Return a page without its code, in which brackets and hashes mean something else."""
    return re.sub(r"```.*?^```|`[^`\n]+`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def headings(page: Path) -> set[str]:
    """Return the names by which links may call the headings of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def broken_links(page: Path) -> list[str]:
    """Return the links of a page that lead to no file beside it, or to no heading of that file."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)[^)]*\)", prose(page)):
        file, _, heading = target.partition("#")
        linked = page.parent / file if file else page
        if "://" not in target and not (linked.exists() and (not heading or heading in headings(linked))):
            broken.append(target)
    return broken


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    """Every relative link names a file that exists, and every #link a heading of it."""
    assert not broken_links(page)


def test_broken_links_are_found(tmp_path: Path) -> None:
    """A file or heading that there is not is named; what stands in code is no link and no heading."""
    (tmp_path / "there.md").write_text("# `ctx.log`, and more\n\n```sh\n# not this\n```\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "## 中文 notes\n[a](there.md) [b](there.md#ctxlog-and-more) [c](#中文-notes) ![d](there.md 'title')\n"
        "[e](gone.md) [f](there.md#not-this) [g](#nowhere) `[h](code.md)` [i](https://example.org/#x)\n"
        "```text\n[j](fence.md)\n```\n",
        encoding="utf-8",
    )
    assert broken_links(page) == ["gone.md", "there.md#not-this", "#nowhere"]


def event_rows() -> dict[str, tuple[str, list[str], str]]:
    """Return class, own fields and status after it of every stored event, as the page of events has them."""
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| `(\w+)` \| `(\w+)` \|([^|]*)\|[^|]*\| (\S[^|]*) \|$", re.MULTILINE)
    return {kind: (name, re.findall(r"`(\w+)`", own), after) for kind, name, own, after in row.findall(page)}


def test_the_page_of_events_has_every_event_with_its_fields() -> None:
    """Kinds, classes and fields are those of the code, and the status after each is what sockets are told."""
    shown = event_rows()
    assert {kind: row[:2] for kind, row in shown.items()} == {
        kind: (event.__name__, [a.name for a in attrs.fields(event) if a.name not in ("task_id", "seq", "at")])
        for kind, event in STORED_EVENTS.items()
    }
    after = {kind: status.strip("`") for kind, (_, _, status) in shown.items() if status != "as before"}
    assert after == {kind: status.value for kind, status in _STATUS_AFTER.items()}


def test_the_state_diagram_is_that_of_the_code() -> None:
    """Every step that the engine allows is drawn, and no other."""
    [diagram] = re.findall(r"```mermaid\n(.*?)```", SEMANTICS, re.DOTALL)
    drawn = set(re.findall(r"^ +(\w+) --> (\w+):", diagram, re.MULTILINE))
    allowed = {(a.value, b.value) for a in TaskStatus for b in TaskStatus if may_follow(a, b)}
    assert drawn == allowed


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_settings_of_a_page_exist(page: Path) -> None:
    """Every variable that a page speaks of is one of the program."""
    known = {
        field.metadata["variable"]
        for kind in (EngineConfig, ServerConfig)
        for field in attrs.fields(kind)
        if field.metadata
    }
    spoken = set(
        re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL))
    )
    of_commands = {"NOVEL_TASKS_SERVER", "NOVEL_TASKS_TOKEN", "NOVEL_TASKS_DEBUG"}
    assert spoken <= known | of_commands | set(LEGACY_VARIABLES)


def test_the_promised_recovery_is_computed_from_the_defaults() -> None:
    """The figures of the formula are those of the settings."""
    config = EngineConfig()
    terms = (config.lease_ttl_seconds, 2 * config.heartbeat_seconds, config.poll_max_seconds)
    assert f"({' + '.join(f'{t:g}' for t in terms)} = {sum(terms):g} s)" in SEMANTICS
