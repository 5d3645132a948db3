"""One-time tokens: what an invitation or a forgotten password is answered with."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from pipelines.identity import bearer
from pipelines.identity.bearer import Bearer, Kind
from schemas.errors.callers import InvalidToken
from schemas.tables.identity import OneTimeToken, Purpose

VALID_FOR = {Purpose.INVITATION: timedelta(days=7), Purpose.RESET: timedelta(hours=1)}


def issue(session: Session, tenant_id: UUID, user_id: UUID, purpose: Purpose) -> Bearer:
    """Return a new token; earlier ones of the user for the same purpose are void."""
    _void(session, user_id, purpose)
    made = bearer.made(Kind.LINK, tenant_id)
    session.add(
        OneTimeToken(
            tenant_id=tenant_id,
            token_hash=made.hash,
            user_id=user_id,
            purpose=purpose,
            expires_at=func.now() + VALID_FOR[purpose],
        )
    )
    return made


def use(session: Session, shown: Bearer, purpose: Purpose) -> UUID:
    """Use up a token and return its user. Raises InvalidToken."""
    user_id = session.scalar(
        update(OneTimeToken)
        .where(
            OneTimeToken.token_hash == shown.hash,
            OneTimeToken.purpose == purpose,
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > func.now(),
        )
        .values(used_at=func.now())
        .returning(OneTimeToken.user_id)
    )
    if user_id is None:
        raise InvalidToken
    _void(session, user_id, purpose)
    return user_id


def _void(session: Session, user_id: UUID, purpose: Purpose) -> None:
    session.execute(
        update(OneTimeToken)
        .where(OneTimeToken.user_id == user_id, OneTimeToken.purpose == purpose, OneTimeToken.used_at.is_(None))
        .values(used_at=func.now())
    )
