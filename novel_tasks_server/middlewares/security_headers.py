"""Headers that keep browsers from running anything but our own page."""

from __future__ import annotations

from aiohttp import web

DEFAULT_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of answers that set none of their own: nothing may load, nothing may run."""

_HEADERS = {
    "Content-Security-Policy": DEFAULT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


async def set_security_headers(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Add what the handler has not set itself, and do not tell which software this is."""
    set_headers(response)


def set_headers(response: web.StreamResponse) -> None:
    """Add to an answer what it has not got itself, and do not tell which software this is."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "novel-tasks"
