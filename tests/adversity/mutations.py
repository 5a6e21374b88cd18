"""Requests for every route, and what a hostile or broken client makes of them: reproducible by its seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

HOST = b"Host: 127.0.0.1\r\n"
TASK = b"task-00000000000000000000000000000001"
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="priority"\r\n\r\n1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nOnce upon a time.\r\n--b--\r\n'
)


def request(method: bytes, path: bytes, body: bytes = b"", content_type: bytes = b"application/json") -> bytes:
    """Write a request as a good client does."""
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    kind = b"Content-Type: %s\r\n" % content_type if body else b""
    return b"%s %s HTTP/1.1\r\n%s%s%sConnection: close\r\n\r\n%s" % (method, path, HOST, kind, length, body)


def templates() -> list[bytes]:
    """Return a good request for every kind of route."""
    tasks = b"/api/v1/tasks"
    one = b"%s/%s" % (tasks, TASK)
    return [
        request(b"POST", tasks + b"/upload", FORM, b"multipart/form-data; boundary=b"),
        request(b"GET", tasks + b"?page=1&page_size=20&status=failed&sort_by=priority&order=asc&q=novel"),
        request(b"GET", tasks + b"?cursor=AAAA&created_after=2026-01-01T00:00:00Z"),
        request(b"GET", tasks + b"/statistics"),
        request(b"GET", one),
        request(b"GET", one + b"?include=logs"),
        request(b"PATCH", one, b'{"status": "processing", "progress": 3, "result_url": "/a", "error_message": "x"}'),
        request(b"DELETE", one),
        request(b"POST", one + b"/retry"),
        request(b"POST", one + b"/cancel"),
        request(b"POST", one + b"/process", b'{"processor": "split", "options": {"encoding": "utf-8"}}'),
        request(b"POST", tasks + b"/bulk", b'{"action": "cancel", "filter": {"status": "failed"}, "dry_run": true}'),
        request(b"GET", one + b"/events?after=3"),
        request(b"GET", one + b"/logs?level=info"),
        request(b"GET", one + b"/artifacts/report.html"),
        request(b"GET", one + b"/source").replace(HOST, HOST + b"Range: bytes=0-3\r\nIf-Range: x\r\n"),
        request(b"GET", b"/api/v1/queue"),
        request(b"POST", b"/api/v1/queue/split/pause"),
        request(b"GET", b"/api/v1/processors"),
        request(b"GET", b"/health"),
        request(b"GET", b"/metrics"),
        request(b"GET", b"/"),
        request(b"GET", b"/api/v1/ws/tasks/me").replace(
            b"Connection: close\r\n",
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
        ),
    ]


_WORDS = (
    b"\x00", b"\r\n", b"\n", b"\xff\xfe", b"%00", b"%ff", b"../", b"..%2f", b'"', b"'", b"{", b"}", b"[", b"\\ud800",
    b"\\u0000", b"NaN", b"1e999", b"-1", b"9" * 20, b"\xed\xa0\x80", b"a" * 300, b" ", b"\t", b";", b"=", b"&",
)  # fmt: skip
_HEADERS = (
    b"Transfer-Encoding: chunked", b"Content-Length: 5", b"Content-Encoding: gzip", b"Expect: 100-continue",
    b'If-Match: "', b'If-None-Match: W/"a", *', b"Range: bytes=9-1,-", b"X-Request-ID: \x7f", b"Cookie: a=b; a",
    b"Authorization: Bearer x", b"Authorization: Basic eA==", b"Origin: null", b"Accept: text/event-stream",
    b"Last-Event-ID: x", b"X-Forwarded-For: 1.2.3.4, ::1", b"Upgrade: h2c", b"Content-Type: text/", b"Host: evil",
)  # fmt: skip


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data)) + 1]


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _insert(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(_WORDS) + data[at:]


def _insert_header(data: bytes, chance: random.Random) -> bytes:
    return data.replace(HOST, HOST + chance.choice(_HEADERS) + b"\r\n", 1)


def _replace_value(data: bytes, chance: random.Random) -> bytes:
    words = [word for word in data.replace(b"?", b" ").replace(b"&", b" ").replace(b'"', b" ").split() if len(word) > 1]
    return data.replace(chance.choice(words), chance.choice(_WORDS), 1) if words else data


def _repeat(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    end = min(len(data), start + chance.randrange(1, 60))
    return data[:end] + data[start:end] * chance.choice((1, 3, 50)) + data[end:]


def _drop(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.randrange(1, 30) :]


_CHANGES: Sequence[Callable[[bytes, random.Random], bytes]] = (
    _cut, _flip, _insert, _insert_header, _replace_value, _repeat, _drop
)  # fmt: skip


def mutated(count: int, *, seed: int) -> Iterator[bytes]:
    """Yield so many requests with one to three faults each."""
    chance = random.Random(seed)
    good = templates()
    for _ in range(count):
        data = chance.choice(good)
        for _ in range(chance.choice((1, 1, 2, 3))):
            data = chance.choice(_CHANGES)(data, chance) or b"\r\n"
        yield data
