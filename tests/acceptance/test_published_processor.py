"""The package of docs/processors.md: built from the page, installed where nothing else is, offered and at work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import frozen

from novel_tasks_server.client import Client, UploadOptions

from ..checks.page import files
from .programs import ROOT, serving

PAGE = ROOT / "docs" / "processors.md"
TALE = ROOT / "tests" / "data" / "the-salt-ledger.md"
PACKAGE = "novel_concordance"


@frozen
class Site:
    """A folder into which the package was installed, and the source it was built from."""

    folder: Path
    source: Path

    def install(self) -> None:
        """Install the source as it is now as pip does it, in place of what is there and from the network nothing."""
        pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        alone = ("--no-index", "--no-deps", "--no-build-isolation", "--upgrade", "--target", str(self.folder))
        done = subprocess.run(
            [sys.executable, *pip, *alone, str(self.source)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    @property
    def path(self) -> str:
        """The PYTHONPATH on which our source and this package are, and nothing else of the page."""
        return f"{ROOT}{os.pathsep}{self.folder}"

    def run(self, *command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run Python there, to its end."""
        return subprocess.run(
            [sys.executable, *command],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": self.path},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """The package of the page, installed."""
    pytest.importorskip("hatchling", reason="the package of the page is built with hatchling")
    site = Site(tmp_path / "site", tmp_path / "source")
    site.source.mkdir()
    for name, text in files(PAGE).items():
        (site.source / name).write_text(text, encoding="utf-8")
    site.install()
    assert sorted(path.suffix for path in site.folder.iterdir() if path.name != "__pycache__") == [".dist-info", ".py"]
    return site


def test_its_own_tests_pass(site: Site, tmp_path: Path) -> None:
    """The tests that the page shows pass on the installed package."""
    name = f"test_{PACKAGE}.py"
    (tmp_path / name).write_text(files(PAGE)[name], encoding="utf-8")
    done = site.run("-m", "pytest", "-p", "no:xdist", "-p", "no:cacheprovider", "-q", name, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_the_command_line_offers_it(site: Site, tmp_path: Path) -> None:
    """`process` prints what the page says that it prints; without the package it knows no such processor."""
    (tmp_path / TALE.name).write_bytes(TALE.read_bytes())
    [shown] = [part for part in PAGE.read_text("utf-8").split("```console\n")[1:] if PACKAGE.split("_")[1] in part]
    said, printed = shown.partition("```")[0].split("\n", 1)
    asked = said.removeprefix("$ novel-tasks ").replace("'", "").split(" ")
    command = ("-m", "novel_tasks_server", *asked)
    done = site.run(*command, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, printed), done.stderr
    assert (tmp_path / "out" / "concordance.csv").read_text("utf-8").startswith("chapter,offset,before,found,after\n")

    site.folder.rename(tmp_path / "elsewhere")
    assert site.run(*command, cwd=tmp_path).returncode == 2


async def test_a_server_offers_it_and_runs_it(site: Site, open_folder: Path, database_url: str) -> None:
    """It is listed with the schema of its options, and the same work on the same bytes is done once."""
    salt = UploadOptions(processor="concordance", options={"words": ["salt"]})
    async with serving(open_folder, database_url, PYTHONPATH=site.path) as server, Client(server.url) as client:
        [ours] = [one for one in await client.processors() if one.name == "concordance"]
        assert (ours.version, ours.runs_in, ours.options_schema["required"]) == ("1", "child", ["words"])
        upload = await client.upload(TALE, wanted=salt)
        await client.wait([upload.task_id])
        assert await client.result(upload.task_id) == {"language": "en", "places": 8, "by_word": {"salt": 8}}
        assert [artifact.name for artifact in await client.artifacts(upload.task_id)] == ["concordance.csv"]
        again = await client.upload(TALE, wanted=salt)
        assert (again.task_id, again.duplicate) == (upload.task_id, True)


async def test_another_version_is_other_work(site: Site, open_folder: Path, database_url: str) -> None:
    """Once the version of a processor is raised, the same upload makes a new task."""
    salt = UploadOptions(processor="concordance", options={"words": ["salt"]})
    async with serving(open_folder, database_url, PYTHONPATH=site.path) as server, Client(server.url) as client:
        old = await client.upload(TALE, wanted=salt)
        await client.wait([old.task_id])
    module = site.source / f"{PACKAGE}.py"
    module.write_text(module.read_text("utf-8").replace('VERSION = "1"', 'VERSION = "2"'), "utf-8")
    site.install()
    async with serving(open_folder, database_url, PYTHONPATH=site.path) as server, Client(server.url) as client:
        new = await client.upload(TALE, wanted=salt)
        assert (new.task_id == old.task_id, new.duplicate) == (False, False)
