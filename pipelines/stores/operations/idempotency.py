"""Requests that named their key: claimed by lease before they are done, then kept with their answer.

What is kept reveals nothing to who reads the table: bodies are sealed (an answer may show a new API key,
once), and requests are known by a keyed hash (one may carry a password, which a plain hash would let
anybody guess at).
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipelines.stores import sealing
from schemas.errors.callers import Unsealable
from schemas.errors.requests import SameKeyOtherRequest, StillRunning
from schemas.settings import get_settings
from schemas.tables.records import IdempotencyKey

SEALED_FOR = "idempotent-answer"


@dataclass(frozen=True)
class KeyRef:
    """Names one key of one actor of one tenant."""

    tenant_id: UUID
    actor: str
    key: str


@dataclass(frozen=True)
class Claim:
    """A request that is ours to do until the lease runs out."""

    ref: KeyRef
    token: UUID


@dataclass(frozen=True)
class Kept:
    """The answer that replays get."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes = b""


def claim(session: Session, ref: KeyRef, request_digest: bytes, lease_s: float) -> Claim | Kept:
    """Take the key for `lease_s` seconds, or return the answer that its request got.

    A lease that ran out without an answer is taken over: its process died. Raises SameKeyOtherRequest,
    and StillRunning while somebody else holds the lease.
    """
    hashes, token = _hashes(request_digest), uuid4()
    until = func.now() + timedelta(seconds=lease_s)
    abandoned = and_(
        IdempotencyKey.status_code.is_(None),
        IdempotencyKey.lease_until < func.now(),
        IdempotencyKey.request_hash.in_(hashes),
    )
    row = {"tenant_id": ref.tenant_id, "actor": ref.actor, "key": ref.key, "request_hash": hashes[0]}
    ours = session.scalar(
        insert(IdempotencyKey)
        .values(**row, lease_token=token, lease_until=until)
        .on_conflict_do_update(
            index_elements=["tenant_id", "actor", "key"],
            set_={"lease_token": token, "lease_until": until},
            where=abandoned,
        )
        .returning(IdempotencyKey.lease_token)
    )
    if ours is not None:
        return Claim(ref, token)
    found = session.scalar(select(IdempotencyKey).where(_is(ref)))
    if found is None:
        # Given back between the two statements: the next try takes it.
        raise StillRunning
    if found.request_hash not in hashes:
        raise SameKeyOtherRequest
    if found.status_code is None:
        raise StillRunning
    body = sealing.unseal(found.body.decode(), ref.tenant_id, SEALED_FOR) if found.body else ""
    return Kept(found.status_code, found.headers or {}, body.encode("latin-1"))


def keep(session: Session, claimed: Claim, answer: Kept) -> bool:
    """Keep the answer for replays; False where another request has taken over."""
    # What is sealed is a text; Latin-1 makes one of any bytes.
    text = answer.body.decode("latin-1")
    body = sealing.seal(text, claimed.ref.tenant_id, SEALED_FOR).encode() if text else None
    kept = session.scalar(
        update(IdempotencyKey)
        .where(_is(claimed.ref), IdempotencyKey.lease_token == claimed.token)
        .values(status_code=answer.status_code, headers=dict(answer.headers), body=body)
        .returning(IdempotencyKey.key)
    )
    return kept is not None


def release(session: Session, claimed: Claim) -> None:
    """Forget the request, so that the next one with its key is done; nothing where another has taken over."""
    session.execute(delete(IdempotencyKey).where(_is(claimed.ref), IdempotencyKey.lease_token == claimed.token))


def _hashes(request_digest: bytes) -> list[str]:
    """Return the digest keyed with each of the deployment's secrets, newest first. Raises Unsealable without one."""
    secrets = [secret.get_secret_value().encode() for secret in get_settings().secret_keys]
    if not secrets:
        raise Unsealable("AURA_SECRET_KEYS is not set, so no request can be known again.")
    return [hmac.digest(b"aura.idempotency|" + secret, request_digest, "sha256").hex() for secret in secrets]


def _is(ref: KeyRef) -> ColumnElement[bool]:
    return and_(
        IdempotencyKey.tenant_id == ref.tenant_id, IdempotencyKey.actor == ref.actor, IdempotencyKey.key == ref.key
    )
