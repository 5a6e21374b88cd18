"""About sixty tokens that nobody issued: what people have tried to get past servers with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
from attrs import field, frozen

HOUR = 3600


@frozen(kw_only=True)
class World:
    """What a forger knows, and what they do not: `secret` and `private` are only for the honest tokens."""

    audience: str
    issuer: str
    algorithm: str
    secret: str = field(repr=False)
    public: str = ""
    other_private: str = field(default="", repr=False)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return claims that would be good, with changes; None takes one away."""
        now = int(time.time())
        good = {"sub": "ann", "aud": self.audience, "iss": self.issuer, "exp": now + HOUR, "scope": "admin"}
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def signed(self, claims: Any = None, *, header: dict[str, Any] | None = None, key: str | None = None) -> str:
        """Return a token signed by the true key, or by `key`, as HMAC or as the algorithm of this world asks."""
        claims = self.claims() if claims is None else claims
        return raw_token(
            {"alg": self.algorithm, "typ": "JWT", **(header or {})},
            claims,
            lambda text: self._sign(text, self.secret if key is None else key),
        )

    def _sign(self, text: bytes, key: str) -> bytes:
        method = jwt.algorithms.get_default_algorithms()[self.algorithm]
        return method.sign(text, method.prepare_key(key))


def encoded(part: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def raw_token(header: Any, claims: Any, sign: Callable[[bytes], bytes]) -> str:
    """Put a token together from any header and claims; bytes are taken as they are."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    text = ".".join(map(encoded, parts))
    return f"{text}.{encoded(sign(text.encode()))}"


def hmac_of(key: bytes, name: str = "sha256") -> Callable[[bytes], bytes]:
    """Return what signs by HMAC with this key."""
    return lambda text: hmac.new(key, text, getattr(hashlib, name)).digest()


Forgery = tuple[str, str]
"""What it is called, and the whole value of the Authorization header."""


def forgeries(world: World, *, opaque: str) -> Iterator[Forgery]:
    """Yield every forgery; `opaque` is a true token of ours, which some of them are made from."""
    for name, token in (*_algorithms(world), *_keys(world), *_claims(world), *_shapes(world), *_opaque(opaque)):
        yield name, f"Bearer {token}"
    yield from _headers(world, opaque)


def _algorithms(world: World) -> Iterator[Forgery]:
    for spelled in ("none", "None", "NONE", "nOnE", ""):
        yield f"alg {spelled!r}, unsigned", raw_token({"alg": spelled, "typ": "JWT"}, world.claims(), lambda _: b"")
        yield f"alg {spelled!r}, signed", raw_token({"alg": spelled}, world.claims(), hmac_of(world.secret.encode()))
    yield "no alg", raw_token({"typ": "JWT"}, world.claims(), hmac_of(world.secret.encode()))
    for odd in (None, 5, ["HS256"], {"alg": "HS256"}):
        yield f"alg {odd!r}", raw_token({"alg": odd}, world.claims(), hmac_of(world.secret.encode()))
    if world.algorithm.startswith("HS"):
        other = raw_token({"alg": "HS512"}, world.claims(), hmac_of(world.secret.encode(), "sha512"))
        yield "the right key by another algorithm", other
    for pem in (world.public, world.public.strip(), f"{world.public}\n"):
        if pem:
            yield "the public key as an HMAC secret", raw_token({"alg": "HS256"}, world.claims(), hmac_of(pem.encode()))


def _keys(world: World) -> Iterator[Forgery]:
    for key in (b"", b"\0", b"secret", b"null", b"your-secret-key-here"):
        yield f"signed with {key!r}", raw_token({"alg": "HS256"}, world.claims(), hmac_of(key))
    if world.other_private:
        yield "signed with somebody else's key", world.signed(key=world.other_private)
    wrong = hmac_of(b"k" * 32)
    for extra in (
        {"kid": "../../../../dev/null"},
        {"kid": "' union select 'k"},
        {"kid": "file:///dev/null"},
        {"jku": "https://evil.example/jwks.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {"jwk": {"kty": "oct", "k": encoded(b"k" * 32)}},
        {"x5c": ["MIIB"]},
    ):
        name = next(iter(extra))
        yield f"own key named by {name}", raw_token({"alg": world.algorithm, **extra}, world.claims(), wrong)
    for key in (b"", b"\0"):
        yield "kid of an empty file", raw_token({"alg": "HS256", "kid": "/dev/null"}, world.claims(), hmac_of(key))


def _claims(world: World) -> Iterator[Forgery]:
    now = int(time.time())
    for name, changes in (
        ("expired", {"exp": now - HOUR}),
        ("expired a minute ago", {"exp": now - 60}),
        ("never expires", {"exp": None}),
        ("exp is text", {"exp": str(now + HOUR)}),
        ("exp is true", {"exp": True}),
        ("exp is a list", {"exp": [now + HOUR]}),
        ("exp is endless", {"exp": 1e400}),
        ("not yet good", {"nbf": now + HOUR}),
        ("from the future", {"iat": now + HOUR}),
        ("for another audience", {"aud": "other"}),
        ("for part of the audience", {"aud": world.audience[:-1]}),
        ("for a list of others", {"aud": ["other", "another"]}),
        ("for nobody", {"aud": None}),
        ("for an empty list", {"aud": []}),
        ("aud is an object", {"aud": {world.audience: 1}}),
        ("by another issuer", {"iss": "https://evil.example"}),
        ("by part of the issuer", {"iss": world.issuer[:-1]}),
        ("by more than the issuer", {"iss": f"{world.issuer}.evil.example"}),
        ("by nobody", {"iss": None}),
        ("by a list", {"iss": [world.issuer]}),
        ("of nobody", {"sub": None}),
        ("of an empty owner", {"sub": ""}),
        ("of a blank owner", {"sub": "  "}),
        ("of a number", {"sub": 0}),
        ("of a list", {"sub": ["ann"]}),
        ("of an owner with NUL", {"sub": "a\0b"}),
        ("of half a character", {"sub": "\ud800"}),
        ("of a very long owner", {"sub": "a" * 256}),
        ("scopes as a list", {"scope": ["admin"]}),
    ):
        yield name, world.signed(world.claims(**changes))


def _shapes(world: World) -> Iterator[Forgery]:
    good = world.signed()
    head, body, signature = good.split(".")
    admin = encoded(json.dumps(world.claims(sub="root")).encode())
    yield "another body under the signature", f"{head}.{admin}.{signature}"
    yield "no signature", f"{head}.{body}."
    yield "no signature and no dot", f"{head}.{body}"
    yield "only a header", f"{head}.."
    yield "only dots", ".."
    yield "a truncated signature", good[:-4]
    yield "a longer signature", f"{good}AAAA"
    yield "four parts", f"{good}.{signature}"
    yield "five parts, as if encrypted", f"{head}..{body}.{signature}.{signature}"
    yield "padded", f"{good}="
    yield "twice", f"{good}.{good}"
    yield "a token in a token", world.signed({"token": good})
    yield "claims that are a list", world.signed([1])
    yield "claims that are text", world.signed("admin")
    yield "claims that are not JSON", world.signed(b"{")
    yield "claims that are not UTF-8", world.signed(b"\xff\xfe")
    yield "claims nested deeply", world.signed(b'{"a":' * 900 + b"1" + b"}" * 900)
    yield "a header that is no object", raw_token(["HS256"], world.claims(), hmac_of(world.secret.encode()))
    yield "a critical extension", world.signed(header={"crit": ["exp"], "exp": 1})
    yield "an unencoded payload", world.signed(header={"crit": ["b64"], "b64": False})
    yield "a token of another kind", world.signed(header={"typ": "logout+jwt"})
    yield "very long", world.signed(world.claims(x="a" * 6000))


def _opaque(opaque: str) -> Iterator[Forgery]:
    yield "one that was never made", "nt_" + "A" * 43
    yield "without its prefix", opaque.removeprefix("nt_")
    yield "another prefix", opaque.replace("nt_", "NT_")
    yield "in capitals", opaque.upper()
    yield "one letter short", opaque[:-1]
    yield "one letter more", f"{opaque}A"
    yield "its hash", hashlib.sha256(opaque.encode()).hexdigest()
    yield "SQL", "nt_'--"
    yield "a wildcard", "nt_%"


def _headers(world: World, opaque: str) -> Iterator[Forgery]:
    good = world.signed()
    yield "empty", ""
    yield "only the scheme", "Bearer"
    yield "the scheme and a blank", "Bearer "
    yield "no scheme", opaque
    yield "no scheme, signed", good
    yield "Basic", f"Basic {base64.b64encode(opaque.encode()).decode()}"
    yield "Digest", f"Digest {opaque}"
    yield "Token", f"Token {opaque}"
    yield "glued to the scheme", f"Bearer{opaque}"
    yield "a colon", f"Bearer: {opaque}"
    yield "a tab", f"Bearer\t{opaque}"
    yield "a tail", f"Bearer {opaque} x"
    yield "two tokens", f"Bearer {opaque} {opaque}"
    yield "two tokens and a comma", f"Bearer {opaque}, Bearer {opaque}"
    yield "in quotes", f'Bearer "{opaque}"'
    yield "percent-encoded", f"Bearer {opaque.replace('_', '%5F')}"
    yield "full-width letters", f"Bearer {opaque.replace('nt', 'ｎｔ')}"
    yield "a letter of another script", f"Bearer {opaque[:-1]}а"
    yield "a soft hyphen", f"Bearer {opaque}\u00ad"
    yield "very long", f"Bearer {'a' * 7000}"
