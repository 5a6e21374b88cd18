"""Which web page a request comes from, as far as its browser tells, and by which name it reached us."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from novel_tasks_server.access.addresses import is_loopback
from novel_tasks_server.access.bearer import is_websocket
from novel_tasks_server.keys import CONFIG
from novel_tasks_server.problems import RequestRefusedError

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({"same-origin", "none"})
_SITE = "Sec-Fetch-Site"
_PORTS = {"http": 80, "https": 443}


def require_own_page(request: web.Request) -> None:
    """Refuse a change, or a socket, that a page of another origin asks for, unless the settings name it.

    Programs that are no browsers send neither `Origin` nor `Sec-Fetch-Site`, and pass. Raises:
    RequestRefusedError (403).
    """
    if request.method in _SAFE_METHODS and not is_websocket(request):
        return
    origin, site = request.headers.get(hdrs.ORIGIN), request.headers.get(_SITE)
    if site in _OWN_SITES or (site is None and (origin is None or _is_own(origin, request))):
        return
    if origin is None or not request.app[CONFIG].allows_origin(origin):
        raise RequestRefusedError(403, "origin-not-allowed", "Pages of this origin may not do this.")


def _is_own(origin: str, request: web.Request) -> bool:
    return _place(origin) == _place(f"{origin.partition('://')[0]}://{request.headers.get(hdrs.HOST, '')}")


@lru_cache(maxsize=256)
def _place(url: str) -> tuple[str | None, int | None] | str:
    """Return host and port of a URL; what is none is no place but itself."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return url
    return (host, port or _PORTS.get(parts.scheme)) if host else url


def names_this_machine(request: web.Request) -> bool:
    """Say whether the request was sent to this machine by a name that means it everywhere.

    A page can make a browser send requests here under a name of its own ("DNS rebinding"): that name then
    stands in `Host`.
    """
    return all(_names_loopback(host) for host in request.headers.getall(hdrs.HOST, ()))


@lru_cache(maxsize=256)
def _names_loopback(host: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False


def host_refused() -> RequestRefusedError:
    """Return the refusal of a request that came by a name which may mean any machine."""
    return RequestRefusedError(
        403,
        "host-not-allowed",
        "Without tokens this server answers to localhost only. Ask for http://localhost, or make a token.",
    )
