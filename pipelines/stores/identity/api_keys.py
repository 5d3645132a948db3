"""API keys: made once, kept as hashes, rotated with an overlap."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from pipelines.identity import bearer
from pipelines.identity.bearer import Bearer, Kind
from schemas.errors.requests import NotFound, NotReady
from schemas.tables.identity import ApiKey

MAX_KEYS = 100


def add(
    session: Session, tenant_id: UUID, name: str, scopes: Sequence[str], created_by: str, expires_at: datetime | None
) -> tuple[ApiKey, Bearer]:
    """Make a key and return it with its secret, which is never seen again. Raises NotReady at MAX_KEYS."""
    if (session.scalar(select(func.count()).select_from(ApiKey).where(ApiKey.revoked_at.is_(None))) or 0) >= MAX_KEYS:
        raise NotReady(f"The organisation has {MAX_KEYS} keys. Revoke one first.")
    secret = bearer.made(Kind.API_KEY, tenant_id)
    key = ApiKey(
        tenant_id=tenant_id,
        key_id=uuid4(),
        name=name,
        prefix=secret.prefix,
        key_hash=secret.hash,
        scopes=sorted(set(scopes)),
        created_by=created_by,
        expires_at=expires_at,
    )
    session.add(key)
    session.flush()
    session.refresh(key)
    return key, secret


def rotate(session: Session, key: ApiKey, overlap: timedelta) -> tuple[ApiKey, Bearer]:
    """Make the key's successor, with the same rights; the old one lasts for `overlap` more. Raises NotReady."""
    if key.revoked_at is not None or key.successor_id is not None:
        raise NotReady("This key was revoked or rotated already.")
    after, secret = add(session, key.tenant_id, key.name, key.scopes, key.created_by, key.expires_at)
    key.successor_id = after.key_id
    key.expires_at = func.least(ApiKey.expires_at, func.now() + overlap)  # LEAST passes nulls over.
    session.flush()
    session.refresh(key)
    return after, secret


def revoke(session: Session, key_id: UUID) -> ApiKey:
    """End a key now; a second time changes nothing. Raises NotFound."""
    key = get(session, key_id)
    if key.revoked_at is None:
        key.revoked_at = func.now()
        session.flush()
        session.refresh(key)
    return key


def get(session: Session, key_id: UUID) -> ApiKey:
    """Return a key. Raises NotFound."""
    key = session.scalar(select(ApiKey).where(ApiKey.key_id == key_id))
    if key is None:
        raise NotFound("There is no API key with this id.")
    return key


def listing(session: Session) -> Sequence[ApiKey]:
    """Return the tenant's keys that stand, and those that ended lately; newest first."""
    lately = func.now() - timedelta(days=30)
    return session.scalars(
        select(ApiKey)
        .where(
            or_(ApiKey.revoked_at.is_(None), ApiKey.revoked_at > lately),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > lately),
        )
        .order_by(ApiKey.created_at.desc())
        .limit(500)
    ).all()


def used(session: Session, key_id: UUID) -> None:
    """Note that the key was used now."""
    session.execute(update(ApiKey).where(ApiKey.key_id == key_id).values(last_used_at=func.now()))


def view(key: ApiKey) -> dict[str, Any]:
    """Return a key as clients and the audit log see it: never its secret."""

    def at(moment: datetime | None) -> str | None:
        return moment.isoformat() if moment else None

    return {
        "key_id": str(key.key_id),
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "created_by": key.created_by,
        "created_at": at(key.created_at),
        "expires_at": at(key.expires_at),
        "last_used_at": at(key.last_used_at),
        "revoked_at": at(key.revoked_at),
        "successor_id": str(key.successor_id) if key.successor_id else None,
    }
