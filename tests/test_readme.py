"""What the README shows is true: its Python runs, its commands and settings exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from novel_tasks_core import EngineConfig
from novel_tasks_server.config import ServerConfig

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^(<!-- example: \w+ -->\n)?```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", [code for marker, code in BLOCKS if not marker])
def test_python_of_the_readme_runs(code: str, tmp_path: Path) -> None:
    """Every Python block that stands on its own runs as a program, warnings being errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_larger_examples_are_in_the_readme() -> None:
    """The marked ones exist; test_library_sketch.py and test_readme_commands.py run them."""
    assert [marker.strip() for marker, _ in BLOCKS if marker] == [
        "<!-- example: library -->",
        "<!-- example: client -->",
    ]


def test_commands_of_the_readme_are_make_targets() -> None:
    """Every `make something` that the README speaks of exists."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):.*##", makefile, re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z0-9-]+)", README)) <= targets


def test_settings_of_the_example_file_are_those_of_the_program() -> None:
    """.env.example names every setting, and none that does not exist."""
    known = {
        field.metadata["variable"]
        for kind in (EngineConfig, ServerConfig)
        for field in attrs.fields(kind)
        if field.metadata.get("variable")
    }
    listed = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == known | {"NOVEL_TASKS_SERVER", "NOVEL_TASKS_TOKEN"}


FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def facts(page: str) -> dict[str, list[str]]:
    """Return what a README says in every language: code, levels of headings, links, and the figures of each row."""
    prose = FENCE.sub("", page)
    targets = re.findall(r"\]\(([^)#]+)", prose)
    return {
        "code": FENCE.findall(page),
        "headings": re.findall(r"^#+(?= )", prose, re.MULTILINE),
        "links": sorted(target for target in targets if target not in ("README.md", "README.zh.md")),
        "rows": [
            " ".join(sorted(re.findall(r"`[^`]+`|\d+(?:[.,]\d+)*", row)))
            for row in re.findall(r"^\|.*", prose, re.MULTILINE)
        ],
        "prose": sorted(set(re.findall(r"`[^`]+`|\d+(?:[.,]\d+)+", prose))),
    }


def test_the_chinese_readme_says_the_same() -> None:
    """Both have the same code, levels of headings, links and rows, with the same names and figures in them."""
    assert facts(CHINESE) == facts(README)


@pytest.mark.parametrize(
    ("kind", "said", "instead"),
    [
        ("code", "asyncio.run(main())", "await main()"),
        ("headings", "\n### ", "\n## "),
        ("links", "](docs/settings.md)", "](docs/events.md)"),
        ("links", "](docs/images/", "](docs/image/"),
        ("rows", "`10485760`", "`10485761`"),
        ("rows", "\n| `split`", "\n\n`split`"),
        ("prose", "Python 3.11", "Python 3.12"),
        ("prose", "`make demo`", "`make film`"),
    ],
)
def test_what_the_chinese_readme_says_otherwise_is_found(kind: str, said: str, instead: str) -> None:
    """The mutants: one thing changed in one of the two is seen."""
    assert said in CHINESE
    assert facts(CHINESE.replace(said, instead))[kind] != facts(CHINESE)[kind]
