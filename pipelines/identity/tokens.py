"""Access tokens: JWTs signed with Ed25519 (RFC 7519, RFC 8037), of the one form this deployment writes.

A token's first part is compared as text with the headers of the known keys: whatever else a header
could say (`none`, another algorithm, `jwk`, `jku`, `crit`, a foreign `kid`) is never interpreted.
"""

import base64
import binascii
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.errors.callers import TokenExpired, Unauthenticated

ALGORITHM = "EdDSA"
TYPE = "at+jwt"
AUDIENCE = "aura"
ISSUER = "aura"
MAX_CHARS = 4096
LEEWAY_S = 5
"""Clocks of two machines differ."""

REMEMBERED = 4096
"""Tokens whose signature is not checked again: a check takes a quarter of a millisecond."""

REQUIRED = ("user_id", "tenant_id", "organization", "role", "sid", "exp", "iat", "nbf", "aud", "iss")


@dataclass(frozen=True)
class Claims:
    """What an access token says; `session_id` is the login it belongs to."""

    user_id: UUID
    tenant_id: UUID
    organization: str
    role: str
    session_id: UUID


@dataclass(frozen=True)
class SigningPair:
    """A key pair and its name in token headers."""

    kid: str
    private: Ed25519PrivateKey

    @property
    def header(self) -> str:
        """Return the first part of every token that this pair signs."""
        fields = {"alg": ALGORITHM, "kid": self.kid, "typ": TYPE}
        return _base64(json.dumps(fields, separators=(",", ":")).encode())


def signed(claims: Claims, pair: SigningPair, lifetime_s: int) -> str:
    """Return an access token that is valid from now on for `lifetime_s` seconds."""
    now = int(time.time())
    payload = {
        "user_id": str(claims.user_id),
        "tenant_id": str(claims.tenant_id),
        "organization": claims.organization,
        "role": claims.role,
        "sid": str(claims.session_id),
        "iat": now,
        "nbf": now,
        "exp": now + lifetime_s,
        "aud": AUDIENCE,
        "iss": ISSUER,
    }
    body = f"{pair.header}.{_base64(json.dumps(payload, separators=(',', ':')).encode())}"
    return f"{body}.{_base64(pair.private.sign(body.encode()))}"


def verified(token: str, pairs: Mapping[str, SigningPair]) -> Claims:
    """Return what a token says, after its signature and its times were checked. `pairs` go by their header.

    Raises TokenExpired and Unauthenticated.
    """
    if len(token) > MAX_CHARS:
        raise Unauthenticated
    header, _, rest = token.partition(".")
    pair = pairs.get(header)
    if pair is None or not all(_is_canonical(part) for part in rest.split(".")):
        raise Unauthenticated
    claims, expires_at = _decoded(token, pair)
    if time.time() >= expires_at + LEEWAY_S:
        raise TokenExpired
    return claims


@lru_cache(maxsize=REMEMBERED)
def _decoded(token: str, pair: SigningPair) -> tuple[Claims, float]:
    """Return what a token says and when it expires. Refusals are not remembered. Raises as `verified` does."""
    try:
        payload = jwt.decode(
            token,
            pair.private.public_key(),
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=LEEWAY_S,
            options={"require": list(REQUIRED), "strict_aud": True},
        )
        return _claims(payload), float(payload["exp"])
    except jwt.ExpiredSignatureError as error:
        raise TokenExpired from error
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
        raise Unauthenticated from error


def _claims(payload: Mapping[str, Any]) -> Claims:
    return Claims(
        user_id=UUID(payload["user_id"]),
        tenant_id=UUID(payload["tenant_id"]),
        organization=str(payload["organization"]),
        role=str(payload["role"]),
        session_id=UUID(payload["sid"]),
    )


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _is_canonical(part: str) -> bool:
    """Return whether a part is base64url as it is written, without what a lenient decoder would skip."""
    try:
        return _base64(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)) == part
    except (binascii.Error, ValueError):
        return False
