"""Secrets at rest: sealed with a key of the deployment, bound to what they belong to.

`AURA_SECRET_KEYS` lists the keys, newest first: the first seals, all of them open. A key is rotated
without downtime by putting a new one in front, sealing everything again (`flask --app api keys reseal`),
and then dropping the old one.

The form is `v1.<key id>.<nonce and ciphertext>` in URL-safe base64, with AES-256-GCM (NIST SP 800-38D).
"""

import base64
import hashlib
import secrets
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.errors.callers import Unsealable
from schemas.settings import get_settings

VERSION = "v1"
NONCE_BYTES = 12


def seal(secret: str, owner: UUID | str, purpose: str) -> str:
    """Return `secret` sealed for one owner (a tenant's id, or `deployment`) and one purpose."""
    key_id, key = next(iter(_keys().items()))
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, secret.encode(), _bound(owner, purpose))
    return f"{VERSION}.{key_id}.{base64.urlsafe_b64encode(sealed).decode()}"


def unseal(sealed: str, owner: UUID | str, purpose: str) -> str:
    """Return what `seal` was given. Raises Unsealable where owner, purpose or key are not the same."""
    try:
        version, key_id, body = sealed.split(".")
        found = base64.urlsafe_b64decode(body)
        if version != VERSION:
            raise ValueError(version)
        key = _keys()[key_id]
        return AESGCM(key).decrypt(found[:NONCE_BYTES], found[NONCE_BYTES:], _bound(owner, purpose)).decode()
    except (ValueError, KeyError, InvalidTag) as error:
        raise Unsealable from error


def is_current(sealed: str) -> bool:
    """Return whether the newest key sealed this."""
    return sealed.split(".")[1] == next(iter(_keys()))


def _bound(owner: UUID | str, purpose: str) -> bytes:
    return f"{owner}|{purpose}".encode()


@lru_cache
def _keys() -> dict[str, bytes]:
    """Return the sealing keys by their ids, newest first. Raises Unsealable where there are none."""
    texts = [secret.get_secret_value() for secret in get_settings().secret_keys]
    if not texts:
        raise Unsealable("AURA_SECRET_KEYS is not set, so no secret can be kept.")
    digests = [hashlib.sha256(b"aura.seal|" + text.encode()).digest() for text in texts]
    return {hashlib.sha256(digest).hexdigest()[:8]: digest for digest in digests}
