"""The curl commands of the README, against a real server."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("line", re.findall(r"^curl .*$", README, re.MULTILINE))
def test_curl_commands_of_the_readme_work(line: str, server_url: str) -> None:
    """Each line, typed at the top of the project, answers with success and JSON."""
    command = line.replace("http://127.0.0.1:8000", server_url).replace("curl -s", "curl -sS --fail-with-body")
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("{")
