"""Forged, malformed and misused tokens are all refused with 401, whatever is wrong with them."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

from api.door import auth
from pipelines.identity import tokens
from pipelines.identity.tokens import Claims, SigningPair
from pipelines.stores.identity import signing_keys
from tests.integration.people import Person, code


def pair() -> SigningPair:
    return auth.key_ring().signing()


def payload(person: Person) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(person.login["access_token"], options={"verify_signature": False})
    return found


def part(content: object) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(body: dict[str, Any], **header: Any) -> str:
    """Return a token that our own key has signed, whatever it says."""
    first = part({"alg": "EdDSA", "kid": pair().kid, "typ": "at+jwt", **header}) if header else pair().header
    text = f"{first}.{part(body)}"
    return f"{text}.{part(pair().private.sign(text.encode()))}"


def public_pem() -> bytes:
    return (
        pair()
        .private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def hmac_with(key: bytes, body: dict[str, Any]) -> str:
    text = f"{part({'alg': 'HS256', 'kid': pair().kid, 'typ': 'at+jwt'})}.{part(body)}"
    return f"{text}.{part(hmac.new(key, text.encode(), hashlib.sha256).digest())}"


def own_jwk(key: Ed25519PrivateKey) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": part(key.public_key().public_bytes_raw())}


def with_foreign_key(body: dict[str, Any], **header: Any) -> str:
    key = Ed25519PrivateKey.generate()
    text = f"{part({'alg': 'EdDSA', 'kid': pair().kid, 'typ': 'at+jwt', **header, **_jwk(header, key)})}.{part(body)}"
    return f"{text}.{part(key.sign(text.encode()))}"


def _jwk(header: dict[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    return {"jwk": own_jwk(key)} if "jwk" in header else {}


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


FORGED: dict[str, Callable[[dict[str, Any]], str]] = {
    "alg none": lambda body: f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(body)}.",
    "alg none with kid": lambda body: f"{part({'alg': 'None', 'kid': pair().kid, 'typ': 'at+jwt'})}.{part(body)}.",
    "alg none, our signature": lambda body: sign(body, alg="nOnE"),
    "hmac with the public key": lambda body: hmac_with(public_pem(), body),
    "hmac with the raw public key": lambda body: hmac_with(pair().private.public_key().public_bytes_raw(), body),
    "hmac with an empty key": lambda body: hmac_with(b"", body),
    "rsa": lambda body: jwt.encode(body, rsa.generate_private_key(65537, 2048), "RS256", {"kid": pair().kid}),
    "elliptic curve": lambda body: jwt.encode(
        body, ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": pair().kid}
    ),
    "foreign key, our kid": with_foreign_key,
    "foreign key, its jwk": lambda body: with_foreign_key(body, jwk=None),
    "foreign key, a jku": lambda body: with_foreign_key(body, jku="https://example.org/keys.json"),
    "foreign kid": lambda body: with_foreign_key(body, kid="0000000000000000"),
    "kid of a path": lambda body: with_foreign_key(body, kid="../../../../dev/null"),
    "kid of sql": lambda body: with_foreign_key(body, kid="' OR 1=1 --"),
    "our key, a jku": lambda body: sign(body, jku="https://example.org/keys.json"),
    "our key, crit": lambda body: sign(body, crit=["exp"]),
    "our key, another typ": lambda body: sign(body, typ="JWT"),
    "our key, b64 false": lambda body: sign(body, b64=False, crit=["b64"]),
    "no exp": lambda body: sign(without(body, "exp")),
    "expired": lambda body: sign({**body, "exp": int(time.time()) - 60}),
    "exp as text": lambda body: sign({**body, "exp": "tomorrow"}),
    "exp not a number": lambda body: sign(body).replace(part(body), part(b'{"exp":NaN}')),
    "future nbf": lambda body: sign({**body, "nbf": int(time.time()) + 600}),
    "future iat": lambda body: sign({**body, "iat": int(time.time()) + 600}),
    "no aud": lambda body: sign(without(body, "aud")),
    "wrong aud": lambda body: sign({**body, "aud": "other"}),
    "aud in a list": lambda body: sign({**body, "aud": ["aura", "other"]}),
    "wrong iss": lambda body: sign({**body, "iss": "other"}),
    "no session": lambda body: sign(without(body, "sid")),
    "session of nobody": lambda body: sign({**body, "sid": str(uuid4())}),
    "session no uuid": lambda body: sign({**body, "sid": 7}),
    "tenant no uuid": lambda body: sign({**body, "tenant_id": ["a"]}),
    "other tenant, unsigned": lambda body: _edited(sign(body), {**body, "tenant_id": str(uuid4())}),
    "higher role, unsigned": lambda body: _edited(sign(body), {**body, "role": "operator"}),
    "payload no object": lambda body: sign([1, 2, 3]),  # type: ignore[arg-type]
    "payload no json": lambda body: f"{pair().header}.{part(b'{')}.{part(bytes(64))}",
    "zero signature": lambda body: f"{pair().header}.{part(body)}.{part(bytes(64))}",
    "no signature": lambda body: f"{pair().header}.{part(body)}.",
    "short signature": lambda body: sign(body)[:-4],
    "long signature": lambda body: sign(body) + "AAAA",
    "100 kB": lambda body: sign({**body, "organization": "x" * 100_000}),
    "100 kB of dots": lambda body: "." * 100_000,
}


def _edited(token: str, body: dict[str, Any]) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{part(body)}.{signature}"


def refused(door: FlaskClient, token: str) -> None:
    response = door.get("/api/me", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 401, (response.status_code, response.json)


@pytest.mark.parametrize("attack", FORGED)
def test_a_forged_token_is_refused(door: FlaskClient, ada: Person, attack: str) -> None:
    body = payload(ada)
    assert door.get("/api/me", headers={"Authorization": f"Bearer {sign(body)}"}).status_code == 200
    refused(door, FORGED[attack](body))


def test_a_token_that_was_good_expires(door: FlaskClient, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ada.get("/api/me").status_code == 200
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + 600 + tokens.LEEWAY_S)
    assert code(ada.get("/api/me")) == (401, "token_expired")


MALFORMED: dict[str, Callable[[str], str]] = {
    "padded": lambda token: token + "==",
    "padded header": lambda token: token.replace(".", "=.", 1),
    "space inside": lambda token: token[:50] + " " + token[50:],
    "line break inside": lambda token: token[:50] + "%0A" + token[50:],
    "standard alphabet": lambda token: token[:-2] + "+/",
    "junk that a lenient decoder skips": lambda token: token[:-10] + "!" + token[-10:],
    "last bits not zero": lambda token: token[:-1] + _neighbour(token[-1]),
    "four parts": lambda token: token + ".AAAA",
    "two parts": lambda token: token.rpartition(".")[0],
    "one part": lambda token: token.partition(".")[0],
    "empty payload": lambda token: f"{token.split('.')[0]}..{token.split('.')[2]}",
    "json serialisation": lambda token: json.dumps(
        dict(zip(("protected", "payload", "signature"), token.split("."), strict=True))
    ),
    "leading dot": lambda token: "." + token,
    "other case": str.swapcase,
    "not ascii": lambda token: token[:20] + "é" + token[21:],
}


def _neighbour(character: str) -> str:
    """Return another last character with the same meaningful bits: 64 bytes end in 2 of 6."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(character) ^ 1]


@pytest.mark.parametrize("fault", MALFORMED)
def test_a_malformed_token_is_refused(door: FlaskClient, ada: Person, fault: str) -> None:
    refused(door, MALFORMED[fault](ada.login["access_token"]))


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic YTpi", "bearer  ", "Token abc", "Bearer null"])
def test_a_header_without_a_token_is_refused(door: FlaskClient, header: str) -> None:
    assert door.get("/api/me", headers={"Authorization": header}).status_code == 401


def test_a_refresh_token_is_no_access_token(door: FlaskClient, ada: Person) -> None:
    refused(door, ada.login["refresh_token"])
    response = door.post("/api/token/refresh", json={"refresh_token": ada.login["access_token"]})
    assert code(response) == (401, "unauthenticated")


def test_a_token_of_another_tenants_login_is_refused(door: FlaskClient, ada: Person, founder: Any) -> None:
    """Even signed by us, login and tenant must belong together."""
    other = founder()
    refused(door, sign({**payload(ada), "tenant_id": other.tenant_id}))


def test_the_rows_role_counts_not_the_tokens(door: FlaskClient, ada: Person, joined: Any) -> None:
    bob = joined(ada)
    claims = Claims(*(payload(bob)[name] for name in ("user_id", "tenant_id", "organization")), "operator", "")
    forged = tokens.signed(Claims(**{**vars(claims), "session_id": payload(bob)["sid"]}), pair(), 600)
    me = door.get("/api/me", headers={"Authorization": f"Bearer {forged}"}).json or {}
    assert (me["role"], "tenant:admin" in me["permissions"]) == ("user", False)


def test_a_rotated_key_signs_while_the_old_tokens_stay_good(door: FlaskClient, ada: Person) -> None:
    before = pair().kid
    fresh = signing_keys.rotate()
    auth.key_ring().forget()
    assert pair().kid == before, "the new key has a head start, so that every process knows it first"
    assert {found.kid for found in auth.key_ring().verifying().values()} >= {before, fresh}
    assert ada.get("/api/me").status_code == 200


def test_tokens_of_a_revoked_key_are_refused(door: FlaskClient, ada: Person) -> None:
    signing_keys.revoke(pair().kid)
    auth.key_ring().forget()
    assert code(ada.get("/api/me")) == (401, "unauthenticated")
    refreshed = door.post("/api/token/refresh", json={"refresh_token": ada.login["refresh_token"]})
    assert Person(door, refreshed.json or {}, ada.email).get("/api/me").status_code == 200
