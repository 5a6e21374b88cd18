"""A port that stays a test's own while nobody listens on it."""

from __future__ import annotations

import socket


def held_port() -> socket.socket:
    """Return a socket that has a port of the loopback address and does not listen: who connects there is refused.

    Until it is closed nobody else gets the port but who asks for it by number with SO_REUSEPORT.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind(("127.0.0.1", 0))
    return holder
