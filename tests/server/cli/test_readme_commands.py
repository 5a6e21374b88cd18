"""What the README shows of the server is true: its transcript and its client, against a real one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")


TRANSCRIPT = re.findall(r"^\$ (.*)$", README[README.index("```console") :], re.MULTILINE)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_transcript_of_the_readme_works(server_url: str, tmp_path: Path) -> None:
    """Its commands, typed one after the other at the top of the project, all succeed and answer as is shown."""
    assert len(TRANSCRIPT) > 5
    script = "\n".join(["set -e", *TRANSCRIPT]).replace("http://127.0.0.1:8000", server_url)
    script = script.replace("curl ", "curl -S --fail-with-body ").replace(
        "-o report.html", f"-o {tmp_path}/report.html"
    )
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "event: completed" in done.stdout
    assert '"status":"processing","message":"Processing started"' in done.stdout
    assert "It was completed by attempt 1" in done.stdout
    assert "<svg" in (tmp_path / "report.html").read_text()


def test_the_client_example_of_the_readme_works(server_url: str, tmp_path: Path) -> None:
    """It runs as it stands, against a server, and leaves the report where it says."""
    code = re.search(r"<!-- example: client -->\n```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert code is not None
    (tmp_path / "novel.txt").write_text("Chapter 1\n\nOnce upon a time.\n\nChapter 2\n\nThe end.\n")
    program = [sys.executable, "-W", "error", "-c", code[1].replace("http://127.0.0.1:8000", server_url)]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "TaskCompleted" in done.stdout
    assert "<svg" in (tmp_path / "report" / "report.html").read_text()
