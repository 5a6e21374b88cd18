"""The pages of docs/ are true: their Python runs, their links lead somewhere, their figures are those of the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from novel_tasks_core import EngineConfig, TaskStatus
from novel_tasks_core.states import may_follow
from novel_tasks_server.config import LEGACY_VARIABLES, ServerConfig

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
SEMANTICS = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
WITH_PYTHON = [page for page in DOCS if "```python" in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.name)
def test_python_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    """All blocks run in order as one session, warnings being errors; what they claim, they assert."""
    done = subprocess.run(
        [sys.executable, "-W", "error", ROOT / "tests" / "checks" / "page.py", page],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"[1-9]\d* blocks\n", done.stdout), done.stdout


def headings(page: Path) -> set[str]:
    """Return the names by which links may call the headings of a page."""
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", [ROOT / "README.md", *DOCS], ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    """Relative links name files that exist, and #links name headings of their page."""
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        file, _, heading = target.partition("#")
        linked = page.parent / file if file else page
        assert linked.exists(), target
        assert not heading or heading in headings(linked), target


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
