"""Live updates over WebSockets.

`protocol` knows the messages, `outbox` decides what a slow reader misses, `feed` turns a task's events
into messages, `hub` shares one feed among all sockets, `session` is one socket.
"""
