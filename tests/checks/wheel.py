"""Build the wheel, install it into an environment of its own, and use it there, far from the source tree."""

# ruff: noqa: T201 - a script: it talks
from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TALE = ROOT / "tests" / "data" / "the-salt-ledger.md"
SOURCE_FOLDERS = ("novel_tasks_core", "novel_tasks_server")
DATA_SUFFIXES = (".sql", ".typed", ".html", ".css", ".js", ".json", ".svg", ".txt", ".md", ".toml", ".gz")

SOURCE_VARIABLES = ("PYTHONPATH", "VIRTUAL_ENV", "DATABASE_URL")
LOCK = ROOT / "requirements.lock"

IMPORT_CORE = """
import sys
from pathlib import Path
import novel_tasks_core
for name in novel_tasks_core.__all__:
    getattr(novel_tasks_core, name)
assert not {"aiohttp", "structlog", "click"} & set(sys.modules)
assert Path(sys.prefix) in Path(novel_tasks_core.__file__).parents, novel_tasks_core.__file__
print(novel_tasks_core.read_novel(Path(sys.argv[1]).read_bytes(), file_name="tale.md").chapters[-1].title)
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that must succeed, in `cwd` and without our source on its path; return its stdout."""
    env = {name: value for name, value in os.environ.items() if name not in SOURCE_VARIABLES}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=env, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"exit code {done.returncode}: {' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def missing_files(wheel: Path) -> list[str]:
    """Return what the source tree has and the wheel has not."""
    packed = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for folder in SOURCE_FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix == ".py" or path.suffix in DATA_SUFFIXES
    }
    strangers = sorted(name for name in packed if name.split("/")[0] in ("tests", "benchmarks", "docs"))
    if strangers:
        raise SystemExit(f"the wheel holds what does not belong in it: {strangers[:5]}")
    return sorted(wanted - packed)


def try_core(python: Path, wheel: Path, scratch: Path) -> None:
    """Install the core alone and read a novel with it."""
    run(python, "-m", "pip", "install", "--quiet", "--constraint", LOCK, wheel, cwd=scratch)
    title = run(python, "-c", IMPORT_CORE, TALE, cwd=scratch).strip()
    assert "Paid in Full" in title, title


def try_program(python: Path, wheel: Path, scratch: Path) -> None:
    """Install everything and use the program as a person would."""
    run(
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--constraint",
        ROOT / "requirements.lock",
        f"{wheel}[all]",
        cwd=scratch,
    )
    program = python.with_name("novel-tasks")
    assert "process" in run(program, "--help", cwd=scratch)
    assert "CREATE TABLE" in run(program, "migrate", "--sql", cwd=scratch).upper()
    report = json.loads(run(program, "process", TALE, "--json", "--quiet", "-o", scratch / "report", cwd=scratch))
    assert len(report["chapters"]) >= 5, report["chapters"]
    assert "html" in (scratch / "report" / "report.html").read_text()[:200]


def main() -> None:
    """Build, look inside, install, use."""
    with tempfile.TemporaryDirectory(prefix="novel-tasks-wheel-") as folder:
        scratch = Path(folder)
        run(sys.executable, "-m", "build", "--wheel", "--outdir", scratch / "dist", ROOT, cwd=scratch)
        wheel = next((scratch / "dist").glob("*.whl"))
        if missing := missing_files(wheel):
            raise SystemExit(f"left out of the wheel: {', '.join(missing)}")
        run(sys.executable, "-m", "venv", scratch / "venv", cwd=scratch)
        python = scratch / "venv" / "bin" / "python"
        try_core(python, wheel, scratch)
        try_program(python, wheel, scratch)
        print(f"{wheel.name}: {wheel.stat().st_size / 1024:.0f} KiB, complete and working on its own")


if __name__ == "__main__":
    main()
