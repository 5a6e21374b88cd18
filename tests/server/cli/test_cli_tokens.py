"""`novel-tasks token`: on the database itself, the secret alone on stdout, a running server takes notice."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def token(novel_tasks: Run, database_url: str) -> Run:
    """Run `novel-tasks token` on the test's own database."""
    return lambda *arguments: novel_tasks("token", *arguments, env={"DATABASE_URL": database_url})


def test_a_token_is_made_listed_and_revoked(token: Run) -> None:
    """stdout holds the secret and nothing else; the list never holds it; what is revoked says so."""
    made = token("create", "--owner", "ann", "--scopes", "tasks:read, tasks:write", "--name", "phone")
    secret = made.stdout.strip()
    assert (made.returncode, secret[:3], len(secret)) == (0, "nt_", 46)
    assert secret not in made.stderr
    listed = token("list")
    assert secret not in listed.stdout
    (row,) = listed.stdout.splitlines()[1:]
    token_id = row.split()[0]
    assert row.split()[1:] == ["ann", "tasks:read,tasks:write", "good", "phone"]
    assert token("revoke", token_id).returncode == 0
    assert " revoked " in token("list").stdout


def test_json_has_everything(token: Run) -> None:
    """With --json each token is one object a line, with its secret only when it was made."""
    made = json.loads(token("create", "--owner", "ann", "--scopes", "admin", "--expires-days", "2", "--json").stdout)
    assert made["token"].startswith("nt_")
    assert made["expires_at"] is not None
    listed = json.loads(token("list", "--json").stdout)
    assert listed == {name: value for name, value in made.items() if name != "token"}
    revoked = json.loads(token("revoke", made["id"], "--json").stdout)
    assert revoked["revoked_at"] is not None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("create", "--owner", "ann", "--scopes", "root"), 2),
        (("create", "--owner", "ann", "--scopes", ","), 2),
        (("create", "--owner", "ann"), 2),
        (("create", "--owner", "", "--scopes", "admin"), 2),
        (("create", "--owner", "ann", "--scopes", "admin", "--expires-days", "0"), 2),
        (("revoke", "nonsense"), 1),
        (("revoke", str(UUID(int=1))), 1),
    ],
)
def test_what_cannot_work_is_one_line(token: Run, arguments: tuple[str, ...], code: int) -> None:
    """It says what is wrong, and prints nothing on stdout."""
    done = token(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_a_running_server_takes_notice(server_folder: Path, server_url: str, novel_tasks: Run) -> None:
    """A token made beside a server with an embedded database closes it; revoked, it opens it again."""
    folder = str(server_folder / "data")

    def token(*arguments: str) -> dict[str, str]:
        done = novel_tasks("token", *arguments, "--json", env={"DATA_DIR": folder})
        assert done.returncode == 0, done.stderr
        made: dict[str, str] = json.loads(done.stdout)
        return made

    made = token("create", "--owner", "ann", "--scopes", "admin")
    try:
        _wait_for(server_url, 401)
        assert _status(server_url, made["token"]) == 200
    finally:
        token("revoke", made["id"])
    _wait_for(server_url, 200)


def _status(url: str, secret: str | None = None) -> int:
    request = urllib.request.Request(f"{url}/api/v1/tasks")
    if secret is not None:
        request.add_header("Authorization", f"Bearer {secret}")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def _wait_for(url: str, status: int) -> None:
    """Ask until the answer has this status; the test's own timeout ends it."""
    while _status(url) != status:
        pass
