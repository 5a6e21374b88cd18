"""Live updates over WebSockets.

Without I/O: `frames` reads and writes frames, `protocol` and `protocol_v1` know the messages, `outbox` decides
what a slow reader misses. `handshake` takes a connection over from aiohttp, `connection` is one socket on the
wire, `heartbeats` looks after all of them, `speech` answers what is asked, `topic` is one followed task, `hub`
shares one watch of it among all who follow.
"""
