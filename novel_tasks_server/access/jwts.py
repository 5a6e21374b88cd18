"""Tokens that somebody else issues: JWTs, checked by one algorithm and one key (RFC 8725).

The header of a token is never asked which algorithm or which key to use.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from attrs import frozen

from novel_tasks_core import ConfigError
from novel_tasks_server.config import ServerConfig, is_known_secret
from novel_tasks_server.schemas.access import Principal, scopes_named
from novel_tasks_server.schemas.decoding import text_fault

ALGORITHMS = (
    *("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""What JWT_ALGORITHM may be."""

LEEWAY_SECONDS = 5.0
"""How far the issuer's clock may be from ours."""

_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_MAX_OWNER_CHARACTERS = 255
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


@frozen(kw_only=True)
class JwtVerifier:
    """Checks JWTs for one audience, from one issuer."""

    jwt: ModuleType
    algorithm: str
    key: Any
    audience: str
    issuer: str

    def principal(self, token: str) -> Principal | None:
        """Return whom the token speaks for: `sub`, with those scopes of `scope` that mean something here.

        None unless it is signed by the key, for this audience, by this issuer, and good now. `exp`, `aud`,
        `iss` and `sub` must be there.
        """
        if not _COMPACT.fullmatch(token):
            return None
        try:
            if not _has_plain_header(self.jwt.get_unverified_header(token)):
                return None
            claims = self.jwt.decode(
                token,
                self.key,
                algorithms=[self.algorithm],
                audience=self.audience,
                issuer=self.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "aud", "iss", "sub"]},
            )
        except (self.jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError):
            return None
        return self._principal(claims)

    def _principal(self, claims: Mapping[str, Any]) -> Principal | None:
        owner, scope = claims["sub"], claims.get("scope", "")
        if claims["iss"] != self.issuer or not _is_time(claims["exp"]) or not isinstance(scope, str):
            return None
        if not _is_owner(owner):
            return None
        scopes = scopes_named(scope.split())
        return Principal(owner=owner, scopes=scopes, name="jwt")


def _has_plain_header(header: Mapping[str, Any]) -> bool:
    """Say whether the header asks for nothing special, and does not say that this is a token of another kind."""
    kind = header.get("typ", "JWT")
    return "crit" not in header and isinstance(kind, str) and kind.lower() in _TYPES


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_owner(value: Any) -> bool:
    """Say whether this can own tasks. An empty owner cannot: tasks of nobody are for admins alone."""
    if not isinstance(value, str) or not value.strip():
        return False
    return len(value) <= _MAX_OWNER_CHARACTERS and text_fault(value) is None


def jwt_verifier(config: ServerConfig) -> JwtVerifier | None:
    """Return what checks JWTs by these settings; None when they do not ask for any.

    Raises: ConfigError for settings that are incomplete, weak, or need what is not installed.
    """
    if config.jwt_algorithm is None:
        for name, value in _jwt_settings(config).items():
            if value is not None:
                raise ConfigError("JWT_ALGORITHM", f"must be set too when {name} is, or neither")
        return None
    if config.jwt_algorithm not in ALGORITHMS:
        raise ConfigError("JWT_ALGORITHM", f"must be one of {', '.join(ALGORITHMS)}")
    for name in ("JWT_AUDIENCE", "JWT_ISSUER"):
        if not _jwt_settings(config)[name]:
            raise ConfigError(name, "must be set when JWT_ALGORITHM is: tokens made for others must not work here")
    assert config.jwt_audience is not None
    assert config.jwt_issuer is not None
    jwt = _pyjwt()
    return JwtVerifier(
        jwt=jwt,
        algorithm=config.jwt_algorithm,
        key=_key(jwt, config, config.jwt_algorithm),
        audience=config.jwt_audience,
        issuer=config.jwt_issuer,
    )


def _jwt_settings(config: ServerConfig) -> dict[str, str | None]:
    return {"JWT_KEY": config.jwt_key, "JWT_AUDIENCE": config.jwt_audience, "JWT_ISSUER": config.jwt_issuer}


def _pyjwt() -> ModuleType:
    try:
        import cryptography  # noqa: F401 - PyJWT works without, but only for HS*
        import jwt
    except ImportError as exc:
        raise ConfigError("JWT_ALGORITHM", "needs the extra jwt: pip install 'novel-tasks[jwt]'") from exc
    return jwt


def _key(jwt: ModuleType, config: ServerConfig, algorithm: str) -> Any:
    """Return the key in the form that the algorithm takes. Raises: ConfigError."""
    variable, text = "JWT_KEY", config.jwt_key
    if text is None and algorithm.startswith("HS"):
        variable, text = "SECRET_KEY", config.secret_key
    if not text:
        raise ConfigError("JWT_KEY", f"must be set for JWT_ALGORITHM={algorithm}")
    if algorithm.startswith("HS"):
        _check_secret(variable, text, algorithm)
    else:
        text = text.replace("\\n", "\n")  # a PEM on the one line of an .env
    method = jwt.algorithms.get_default_algorithms()[algorithm]
    try:
        key = method.prepare_key(text)
    except (jwt.PyJWTError, ValueError, TypeError) as exc:
        raise ConfigError(variable, f"is no key for {algorithm}: a public key as PEM is wanted") from exc
    _check_public(key)
    return key


def _check_secret(variable: str, secret: str, algorithm: str) -> None:
    """Raise ConfigError for a secret that can be guessed: as long as the hash is what RFC 7518 (3.2) asks for."""
    least = int(algorithm[2:]) // 8
    if len(secret.encode()) < least:
        raise ConfigError(variable, f"must be at least {least} bytes long for {algorithm}")
    if is_known_secret(secret):
        raise ConfigError(variable, "must be a secret of your own, not one from an example")
    if "-----BEGIN" in secret:
        raise ConfigError(variable, f"must be a secret for {algorithm}: this is a key of another algorithm")


def _check_public(key: Any) -> None:
    if hasattr(key, "private_bytes"):
        raise ConfigError("JWT_KEY", "must be the public key: the private one belongs to the issuer alone")
    if hasattr(key, "public_numbers") and hasattr(key.public_numbers(), "n") and key.key_size < 2048:
        raise ConfigError("JWT_KEY", "must have at least 2048 bits")
