"""The page at `/` and its files, under a policy that lets nothing else run.

All files but the page itself lie below a path that names this build, so browsers keep them for good, and a page
never mixes files of two versions.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import mimetypes
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from posixpath import normpath

from aiohttp import web
from attrs import field, frozen

import novel_tasks_server
from novel_tasks_server.openapi import Operation, Tag

_FOLDER = Path(novel_tasks_server.__file__).parent / "dashboard"
_PAGE = "index.html"
_MODULES = {
    "htm": "vendor/htm/htm.module.js",
    "preact": "vendor/preact/preact.mjs",
    "preact/hooks": "vendor/preact/hooks.mjs",
    "@preact/signals": "vendor/signals/signals.module.js",
    "@preact/signals-core": "vendor/signals-core/signals-core.module.js",
    "uplot": "vendor/uplot/uPlot.iife.min.js",
}
"""What the page imports by name, and the files that these names mean."""

_FIRST = ("app/main.js", "app/shell.js")
"""What the page begins with; it and all that it imports is loaded at once."""

_LATER = ("task", "queue", "system")
"""The views that are loaded when they are opened, or when there is nothing else to do: their folders in `app`."""

_IMPORTED = re.compile(rb'\bfrom ?"([^"]+)"')

_SUFFIXES = (".css", ".js", ".mjs", ".svg")
"""What a browser gets: not the licences, which go with the files in the package."""

_TYPES = {".js": "text/javascript", ".mjs": "text/javascript"}


@frozen
class Asset:
    """A file as it is sent; `packed` is it compressed."""

    content_type: str
    data: bytes
    packed: bytes


@frozen(slots=False)
class Assets:
    """The page and its files, held in memory: a few hundred kilobytes that never change while the server runs.

    `build` names their content. `policy` is the Content-Security-Policy of the page: it names the import map,
    which is the one thing written into the page itself, by its hash.
    """

    page: Asset
    policy: str
    build: str
    files: dict[str, Asset] = field(repr=False)

    @cached_property
    def etag(self) -> str:
        """What names this state of the page."""
        return sha256(self.page.data).hexdigest()[:32]

    @classmethod
    def read(cls, folder: Path = _FOLDER) -> Assets:
        """Read all files below `folder`; takes a while, so not on the event loop."""
        found = sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES)
        contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
        page = (folder / _PAGE).read_text(encoding="utf-8")
        build = _digest(page.encode(), *(part for name, data in contents.items() for part in (name.encode(), data)))
        import_map = json.dumps({"imports": {name: f"./dashboard/{build}/{path}" for name, path in _MODULES.items()}})
        first = _reached(contents, *_FIRST)
        later = {view: _reached(contents, *(f"app/{view}/{part}.js" for part in ("view", "words"))) for view in _LATER}
        page = page.replace("{{import_map}}", import_map).replace("{{modules}}", _preloads(first))
        page = page.replace("{{later}}", "\n    ".join(_template(view, later[view] - first) for view in later))
        return cls(
            page=_asset(_PAGE, page.replace("{{build}}", build).encode()),
            policy=_policy(import_map),
            build=build,
            files={name: _asset(name, data) for name, data in contents.items()},
        )


def _digest(*parts: bytes) -> str:
    return sha256(b"".join(sha256(part).digest() for part in parts)).hexdigest()[:16]


def _reached(contents: Mapping[str, bytes], *names: str) -> set[str]:
    """Return the modules of these names and all that they import, and so on."""
    reached: set[str] = set()
    open_names = list(names)
    while open_names:
        name = open_names.pop()
        if name in contents and name not in reached:
            reached.add(name)
            imported = (found.decode() for found in _IMPORTED.findall(contents[name]))
            open_names += (_MODULES.get(one) or normpath(f"{name}/../{one}") for one in imported)
    return reached


def _preloads(names: Iterable[str]) -> str:
    """Return the links that have browsers load all modules at once, instead of one after another as they meet them."""
    links = (f'<link rel="modulepreload" href="dashboard/{{{{build}}}}/{name}">' for name in sorted(names))
    return "\n    ".join(links)


def _template(view: str, names: Iterable[str]) -> str:
    """Return the same links as something that does nothing until the page takes them out."""
    return f'<template data-view="{view}">{_preloads(names)}</template>'


def _asset(name: str, data: bytes) -> Asset:
    guessed = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    kind = f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed
    return Asset(kind, data, gzip.compress(data, 9, mtime=0))


def _policy(import_map: str) -> str:
    digest = b64encode(sha256(import_map.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


class Shelf:
    """The assets of an application, read when they are first asked for."""

    def __init__(self) -> None:
        self._assets: Assets | None = None

    async def assets(self) -> Assets:
        """Return them; two that ask for them first at the same time may both read them."""
        if self._assets is None:
            self._assets = await asyncio.to_thread(Assets.read)
        return self._assets


SHELF = web.AppKey("shelf", Shelf)


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [
        Operation("GET", path, handler, tag=Tag.PAGES, scope=None, is_public=False)
        for path, handler in (("/", show_page), ("/dashboard/{build}/{path:.+}", show_file))
    ]


async def show_page(request: web.Request) -> web.Response:
    """Send the page; browsers ask each time whether it changed."""
    assets = await request.app[SHELF].assets()
    headers = {"ETag": f'"{assets.etag}"', "Content-Security-Policy": assets.policy, "Cache-Control": "no-cache"}
    if {tag.value for tag in request.if_none_match or ()} & {assets.etag, "*"}:
        return web.Response(status=304, headers=headers)
    return _send(request, assets.page, headers)


async def show_file(request: web.Request) -> web.Response:
    """Send a file of the page, to be kept for good. 404 for one of another build."""
    assets = await request.app[SHELF].assets()
    file = assets.files.get(request.match_info["path"])
    if file is None or request.match_info["build"] != assets.build:
        raise web.HTTPNotFound
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return _send(request, file, headers)


def _send(request: web.Request, asset: Asset, headers: dict[str, str]) -> web.Response:
    headers = {**headers, "Content-Type": asset.content_type, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.Response(body=asset.packed, headers={**headers, "Content-Encoding": "gzip"})
    return web.Response(body=asset.data, headers=headers)
