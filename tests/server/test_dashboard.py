"""The page and its files, as they leave the server."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestClient

import novel_tasks_server
from novel_tasks_server.routes.dashboard import Assets

Client = TestClient[web.Request, web.Application]
FOLDER = Path(novel_tasks_server.__file__).parent / "dashboard"
IMPORT_MAP = re.compile(r'<script type="importmap">(.*?)</script>', re.DOTALL)


async def test_nothing_in_the_page_is_inline_but_the_map_that_the_policy_names(client: Client) -> None:
    """The import map is allowed by its hash, all else is a file."""
    response = await client.get("/")
    page, policy = await response.text(), response.headers["Content-Security-Policy"]
    found = IMPORT_MAP.search(page)
    assert found
    assert f"'sha256-{b64encode(sha256(found[1].encode()).digest()).decode()}'" in policy
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bon\w+=|style=", page.replace(found[0], "")) == []
    for directive in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "trusted-types 'none'"):
        assert directive in policy
    assert "unsafe" not in policy


async def test_all_that_the_page_names_is_there_and_kept_for_good(client: Client) -> None:
    """Every address is relative, answered with the right type, and may be kept for ever."""
    page = await (await client.get("/")).text()
    found = IMPORT_MAP.search(page)
    assert found
    named = re.findall(r'(?:src|href)="([^"]+)"', page) + list(json.loads(found[1])["imports"].values())
    assert "{{" not in page
    kinds = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    for path in {name.removeprefix("./") for name in named} - {"api/docs"}:
        assert not path.startswith(("/", "http"))
        response = await client.get(f"/{path}")
        assert (response.status, response.content_type) == (200, kinds[Path(path).suffix]), path
        assert "immutable" in response.headers["Cache-Control"]


async def test_files_of_another_build_are_not_sent(client: Client) -> None:
    """A page of an older version does not get files of this one: it would mix both."""
    assert (await client.get("/dashboard/0123456789abcdef/app/main.js")).status == 404
    build = Assets.read().build
    assert (await client.get(f"/dashboard/{build}/app/main.js")).status == 200
    for path in ("app/none.js", "vendor/htm/LICENSE", "..%2f..%2fconfig.py", "index.html"):
        assert (await client.get(f"/dashboard/{build}/{path}")).status == 404


async def test_the_page_is_asked_for_each_time_and_sent_once(client: Client) -> None:
    """Who has the page is told that it has not changed."""
    first = await client.get("/")
    assert first.headers["Cache-Control"] == "no-cache"
    again = await client.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 304


async def test_files_are_compressed_for_those_who_take_it(client: Client) -> None:
    """The same bytes arrive, compressed or not."""
    path = f"/dashboard/{Assets.read().build}/vendor/pico/pico.min.css"
    expected = (FOLDER / "vendor/pico/pico.min.css").read_bytes()
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})
    assert await plain.read() == expected
    async with client.session.get(client.make_url(path), auto_decompress=False) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await packed.read()) == expected


def test_a_changed_file_makes_another_build(tmp_path: Path) -> None:
    """The path of the files names their content."""
    (tmp_path / "index.html").write_text("{{build}} {{import_map}} {{modules}}")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.js").write_text("1")
    first = Assets.read(tmp_path)
    (tmp_path / "app" / "main.js").write_text("2")
    second = Assets.read(tmp_path)
    assert first.build != second.build
    assert f"dashboard/{second.build}/app/main.js".encode() in second.page.data
