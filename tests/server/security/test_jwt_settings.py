"""Settings of JWTs: whole, strong and plain, or the server does not start."""

from __future__ import annotations

import sys
import time
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from novel_tasks_core import ConfigError
from novel_tasks_server.access.jwts import ALGORITHMS, jwt_verifier
from novel_tasks_server.app import create_app
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.schemas.access import Scope

SECRET = "kK3-8fGq_nD0pZs5vY7xWb2eRt9uHc4m"
PRODUCTION = {"ENVIRONMENT": "production", "DATABASE_URL": "postgresql://h/d"}


def private_pem(key: Any) -> str:
    """Write a private key as PEM."""
    return str(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
    )


def public_pem(key: Any) -> str:
    """Write the public key of a private one as PEM."""
    return str(
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SMALL_RSA = rsa.generate_private_key(public_exponent=65537, key_size=1024)
P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
ED = ed25519.Ed25519PrivateKey.generate()


def config_of(**values: str | None) -> ServerConfig:
    """Read settings of a server that takes JWTs, changed by `values`; None takes one away."""
    whole = {"JWT_ALGORITHM": "HS256", "JWT_KEY": SECRET, "JWT_AUDIENCE": "a", "JWT_ISSUER": "i", **values}
    return ServerConfig.from_env({name: value for name, value in whole.items() if value is not None}, dotenv=None)


@pytest.mark.parametrize(
    ("values", "variable"),
    [
        ({"JWT_ALGORITHM": None}, "JWT_ALGORITHM"),
        ({"JWT_ALGORITHM": None, "JWT_KEY": None, "JWT_ISSUER": None}, "JWT_ALGORITHM"),
        ({"JWT_ALGORITHM": "none"}, "JWT_ALGORITHM"),
        ({"JWT_ALGORITHM": "hs256"}, "JWT_ALGORITHM"),
        ({"JWT_ALGORITHM": "HS256,RS256"}, "JWT_ALGORITHM"),
        ({"JWT_AUDIENCE": None}, "JWT_AUDIENCE"),
        ({"JWT_ISSUER": None}, "JWT_ISSUER"),
        ({"JWT_KEY": None}, "JWT_KEY"),
        ({"JWT_KEY": "short"}, "JWT_KEY"),
        ({"JWT_KEY": SECRET[:31]}, "JWT_KEY"),
        ({"JWT_KEY": SECRET, "JWT_ALGORITHM": "HS512"}, "JWT_KEY"),
        ({"JWT_KEY": "your-secret-key-here-change-in-production"}, "JWT_KEY"),
        ({"JWT_KEY": "a" * 64}, "JWT_KEY"),
        ({"JWT_KEY": public_pem(RSA)}, "JWT_KEY"),
        ({"JWT_KEY": None, "SECRET_KEY": "changeme"}, "SECRET_KEY"),
        ({"JWT_KEY": None, "SECRET_KEY": "changeme" * 8}, "SECRET_KEY"),
        ({"JWT_ALGORITHM": "RS256"}, "JWT_KEY"),
        ({"JWT_ALGORITHM": "RS256", "JWT_KEY": None, "SECRET_KEY": SECRET}, "JWT_KEY"),
        ({"JWT_ALGORITHM": "RS256", "JWT_KEY": private_pem(RSA)}, "JWT_KEY"),
        ({"JWT_ALGORITHM": "PS256", "JWT_KEY": public_pem(SMALL_RSA)}, "JWT_KEY"),
        ({"JWT_ALGORITHM": "RS256", "JWT_KEY": public_pem(P256)}, "JWT_KEY"),
        ({"JWT_ALGORITHM": "ES256", "JWT_KEY": public_pem(RSA)}, "JWT_KEY"),
        ({"JWT_ALGORITHM": "ES256", "JWT_KEY": public_pem(P384)}, "JWT_KEY"),
        ({"JWT_ALGORITHM": "EdDSA", "JWT_KEY": private_pem(ED)}, "JWT_KEY"),
    ],
)
def test_half_or_weak_settings_are_named(values: dict[str, str | None], variable: str) -> None:
    """The application is not even built, and the error names the variable and never the key."""
    with pytest.raises(ConfigError) as caught:
        create_app(config_of(**values))
    assert caught.value.variable == variable
    assert (values.get(variable) or SECRET) not in str(caught.value) or variable == "JWT_ALGORITHM"


@pytest.mark.parametrize(
    ("algorithm", "key", "setting"),
    [
        ("HS256", SECRET, SECRET),
        ("HS512", SECRET * 2, SECRET * 2),
        ("RS256", RSA, public_pem(RSA)),
        ("PS384", RSA, public_pem(RSA).replace("\n", "\\n")),
        ("ES256", P256, public_pem(P256)),
        ("ES384", P384, public_pem(P384)),
        ("EdDSA", ED, public_pem(ED)),
    ],
)
def test_each_kind_of_key_works(algorithm: str, key: Any, setting: str) -> None:
    """A token that is signed by it is good; `scope` names what it is good for."""
    verifier = jwt_verifier(config_of(JWT_ALGORITHM=algorithm, JWT_KEY=setting))
    assert verifier is not None
    claims = {"sub": "ann", "aud": "a", "iss": "i", "exp": time.time() + 60, "scope": "openid tasks:read"}
    principal = verifier.principal(pyjwt.encode(claims, key, algorithm=algorithm))
    assert principal is not None
    assert (principal.owner, principal.scopes) == ("ann", frozenset({Scope.READ}))


def test_the_secret_key_signs_where_there_is_no_other() -> None:
    """HS* may use SECRET_KEY, as the service before did."""
    verifier = jwt_verifier(config_of(JWT_KEY=None, SECRET_KEY=SECRET))
    assert verifier is not None
    claims = {"sub": "ann", "aud": "a", "iss": "i", "exp": time.time() + 60}
    assert verifier.principal(pyjwt.encode(claims, SECRET, algorithm="HS256")) is not None


def test_without_settings_there_are_no_jwts() -> None:
    """A secret key alone asks for none."""
    assert jwt_verifier(ServerConfig.from_env({"SECRET_KEY": SECRET}, dotenv=None)) is None


def test_every_algorithm_is_one_that_the_library_knows() -> None:
    """None of them is `none`."""
    assert set(ALGORITHMS) < set(pyjwt.algorithms.get_default_algorithms())
    assert "none" not in {name.lower() for name in ALGORITHMS}


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra that is missing is named, instead of a traceback at the first token."""
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(ConfigError, match=r"novel-tasks\[jwt\]"):
        create_app(config_of())


@pytest.mark.parametrize(
    "secret",
    [
        "changeme",
        "change-me",
        "CHANGE_ME_PLEASE",
        "your-secret-key-here",
        "your-secret-key-change-in-production",
        "secret",
        "password123",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "my-secret-key",
    ],
)
def test_production_refuses_a_secret_that_everybody_knows(secret: str) -> None:
    """In development it may stay."""
    with pytest.raises(ConfigError) as caught:
        ServerConfig.from_env({**PRODUCTION, "SECRET_KEY": secret}, dotenv=None)
    assert caught.value.variable == "SECRET_KEY"
    assert ServerConfig.from_env({"SECRET_KEY": secret}, dotenv=None).secret_key == secret


def test_production_takes_a_secret_of_ones_own() -> None:
    """Or none: nothing needs it without JWTs."""
    assert ServerConfig.from_env({**PRODUCTION, "SECRET_KEY": SECRET}, dotenv=None).secret_key == SECRET
    assert ServerConfig.from_env(PRODUCTION, dotenv=None).secret_key is None


def test_secrets_are_not_shown() -> None:
    """Printed settings hold no key."""
    assert SECRET not in repr(config_of(SECRET_KEY=SECRET))
