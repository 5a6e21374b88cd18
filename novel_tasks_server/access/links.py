"""Signed links: they let whoever has one fetch one file of one task for some minutes, and do nothing else.

A page needs them where a browser sends no header: for a frame, and for a download that the browser itself
keeps. A token must never stand in a URL; a link may, since it is good for little and not for long.
"""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from aiohttp import web

from novel_tasks_server.access.bearer import bearer_token
from novel_tasks_server.config import is_known_secret
from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.schemas.access import Principal, scopes_named

LINK_SECONDS = 300
"""How long a link lets somebody in. A download that has begun by then goes on."""

_LABEL = b"novel-tasks link 1"


class LinkSigner:
    """Makes links and tells them from others, by HMAC-SHA256.

    Servers with the same `secret` know each other's links. Without one, or with one that stands in an
    example, the key is random: links then end with the process.
    """

    def __init__(self, secret: str | None) -> None:
        usable = secret is not None and not is_known_secret(secret)
        self._key = digest((secret or "").encode(), _LABEL, sha256) if usable else secrets.token_bytes(32)

    def sign(self, path: str, holder: Principal, *, expires: int) -> str:
        """Return the query that makes a link of `path`, good until `expires` (Unix time), for `holder`."""
        said = _encode(json.dumps(_said(holder)).encode())
        signature = f"{said}.{_encode(self._mac(path, str(expires), said))}"
        return urlencode({"expires": expires, "signature": signature})

    def holder(self, path: str, query: Mapping[str, str], *, now: float) -> Principal:
        """Return for whom a link was made; whether they may come in still is another question.

        Raises: RequestRefusedError (403) for a link that was not made here for this path, or has expired.
        """
        expires = query.get("expires", "")
        said, _, mac = query.get("signature", "").partition(".")
        if not compare_digest(_encode(self._mac(path, expires, said)).encode(), mac.encode("utf-8", "replace")):
            raise link_refused()
        if now >= int(expires):
            raise RequestRefusedError(403, "link-expired", "The link has expired. Ask for a new one.")
        return _holder(json.loads(urlsafe_b64decode(said)))

    def _mac(self, path: str, expires: str, said: str) -> bytes:
        text = "\n".join((path, expires, said))
        return digest(self._key, b"%b\n%b" % (_LABEL, text.encode("utf-8", "replace")), sha256)


def _said(holder: Principal) -> list[Any]:
    """Return what a link tells of its holder: a token's id; for a JWT, whose database this is not, what it says."""
    if holder.token_id is not None:
        return [holder.token_id.hex]
    return [None, holder.owner, sorted(holder.scopes)] if holder.owner else []


def _holder(said: list[Any]) -> Principal:
    match said:
        case [str(token_id)]:
            return Principal(owner="", scopes=frozenset(), name=f"token {token_id}", token_id=UUID(token_id))
        case [None, owner, scopes]:
            return Principal(owner=owner, scopes=scopes_named(scopes), name="jwt")
    return Principal.anyone()


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).decode()


def is_linked(request: web.Request) -> bool:
    """Say whether the request comes by a link: where there is a token too, the token alone counts.

    Raises: RequestRefusedError (401) for a token that is not written as one.
    """
    return bool(request.query.get("signature")) and bearer_token(request) is None


def linked_path(template: str, values: Mapping[str, str]) -> str:
    """Return the path that a link is made for: `template` with its `{names}` filled in, always written the same way."""
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", quote(value, safe="", errors="replace"))
    return template


def link_refused() -> RequestRefusedError:
    """Return the refusal of a link that is good for nothing here; it does not tell why."""
    return RequestRefusedError(
        403,
        "link-invalid",
        "The link is not one for this file, or whoever made it may see the file no longer. Ask for a new one.",
    )


LINKS = web.AppKey("links", LinkSigner)
