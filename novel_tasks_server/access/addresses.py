"""Where a request comes from: the one place that decides whom a proxy speaks for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttp import web

from novel_tasks_server.keys import CONFIG

_FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP")
_V6_PREFIX_BITS = 64
_CLIENT = web.RequestKey("client_address", str)


def client_address(request: web.Request) -> str:
    """Return the address of whoever asks; "unknown" for a connection that has none.

    Only a proxy that the settings name is believed, and only what it saw itself: `X-Forwarded-For` is read
    from the right, and the first address that is no such proxy is the client's. What a client writes into
    the header stands to the left of that.
    """
    known = request.get(_CLIENT)
    if known is None:
        known = request[_CLIENT] = _found(request)
    return known


def _found(request: web.Request) -> str:
    address = _parsed(request.remote or "")
    if address is None:
        return "unknown"
    if not request.app[CONFIG].trusted_proxies:
        return str(address)
    for hop in reversed(_hops(request.headers.getall("X-Forwarded-For", ()))):
        before = _parsed(hop) if _is_trusted(request, address) else None
        if before is None:
            break
        address = before
    return str(address)


def _is_trusted(request: web.Request, address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in request.app[CONFIG].trusted_proxies)


def _hops(headers: Iterable[str]) -> list[str]:
    """Return the addresses in the order in which they were added, over all lines of the header."""
    return [hop.strip() for line in headers for hop in line.split(",")]


@lru_cache(maxsize=4096)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address, with or without a port; an IPv4 address that is written as IPv6 is IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_loopback(host: str) -> bool:
    """Say whether this address, or name of one, means this machine and can be reached from nowhere else."""
    address = _parsed(host)
    return host.lower().rstrip(".") == "localhost" if address is None else address.is_loopback


def is_local(request: web.Request) -> bool:
    """Say whether the request was made on this machine, and nobody passed it on for somebody else."""
    return is_loopback(request.remote or "") and not any(name in request.headers for name in _FORWARDED)


def address_group(address: str) -> str:
    """Return what addresses have in common that one client can easily have: of IPv6, the network of 64 bits."""
    parsed = _parsed(address)
    if not isinstance(parsed, IPv6Address):
        return address
    return str(IPv6Address(int(parsed) >> _V6_PREFIX_BITS << _V6_PREFIX_BITS))
