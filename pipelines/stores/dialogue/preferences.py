"""What users prefer: stated by themselves, or learned of what they said, which needs their consent."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipelines.turn.prompting.preferences import Wish
from schemas.errors.requests import InvalidRequest, NotFound
from schemas.tables.dialogue import Turn
from schemas.tables.identity import TenantUser
from schemas.tables.memory import MemoryConsent, Source, UserPreference

MAX_PREFERENCES = 100
"""What is kept of one user at most."""


def listing(session: Session, user_id: str) -> Sequence[UserPreference]:
    """Return the user's preferences by their keys."""
    question = select(UserPreference).where(UserPreference.user_id == user_id).order_by(UserPreference.key)
    return session.scalars(question).all()


def persona_settings(session: Session, user_id: str) -> Mapping[str, Any]:
    """Return the persona that the user has set in their account; nothing where there is no account."""
    try:
        account = UUID(user_id)
    except ValueError:
        return {}
    return session.scalar(select(TenantUser.persona_settings).where(TenantUser.user_id == account)) or {}


def put(session: Session, tenant_id: UUID, user_id: str, stated: Mapping[str, Any]) -> None:
    """Keep what the user states, over what was there. Raises InvalidRequest where that would be too much."""
    # In one order, so that two who write at once do not wait for each other.
    for key, value in sorted(stated.items()):
        row = {"tenant_id": tenant_id, "user_id": user_id, "key": key, "value": value, "source": Source.STATED}
        fresh = {"value": value, "source": Source.STATED, "confidence": 1.0, "turn_id": None, "updated_at": func.now()}
        key_columns = [UserPreference.tenant_id, UserPreference.user_id, UserPreference.key]
        session.execute(
            insert(UserPreference).values(**row).on_conflict_do_update(index_elements=key_columns, set_=fresh)
        )
    kept = (
        session.scalar(select(func.count()).select_from(UserPreference).where(UserPreference.user_id == user_id)) or 0
    )
    if kept > MAX_PREFERENCES:
        raise InvalidRequest(f"At most {MAX_PREFERENCES} preferences of a user are kept.")


def learn(session: Session, turn: Turn, user_id: str, wishes: Sequence[Wish]) -> frozenset[str]:
    """Keep the lasting ones of the wishes where the user allows it, and return the keys of those that were kept.

    What the user has stated is never replaced by what was learned.
    """
    lasting = [wish for wish in wishes if wish.lasting]
    if not lasting or not _may_learn(session, user_id):
        return frozenset()
    about = {"tenant_id": turn.tenant_id, "user_id": user_id, "source": Source.LEARNED, "consent": True}
    rows = [
        {**about, "key": wish.key, "value": wish.value, "confidence": wish.confidence, "turn_id": turn.turn_id}
        for wish in sorted(lasting, key=lambda wish: wish.key)
    ]
    said = insert(UserPreference).values(rows)
    names = ("value", "source", "confidence", "consent", "turn_id", "updated_at")
    question = said.on_conflict_do_update(
        index_elements=[UserPreference.tenant_id, UserPreference.user_id, UserPreference.key],
        set_={name: said.excluded[name] for name in names},
        where=UserPreference.source == Source.LEARNED,
    ).returning(UserPreference.key)
    return frozenset(session.scalars(question))


def remove(session: Session, user_id: str, key: str) -> None:
    """Forget a preference. Raises NotFound."""
    question = delete(UserPreference).where(UserPreference.user_id == user_id, UserPreference.key == key)
    if session.scalar(question.returning(UserPreference.key)) is None:
        raise NotFound("There is no preference with this key.")


def remove_all(session: Session, user_id: str, source: Source | None = None) -> int:
    """Forget all preferences of the user, or those of one source, and return how many there were."""
    question = delete(UserPreference).where(UserPreference.user_id == user_id)
    if source is not None:
        question = question.where(UserPreference.source == source)
    return len(session.scalars(question.returning(UserPreference.key)).all())


def consent(session: Session, user_id: str) -> tuple[bool, datetime | None]:
    """Return whether the user lets preferences be learned, and since when that is so; nobody does unasked."""
    found = session.scalar(select(MemoryConsent).where(MemoryConsent.user_id == user_id))
    return (found.learn, found.decided_at) if found else (False, None)


def set_consent(session: Session, tenant_id: UUID, user_id: str, allowed: bool) -> int:
    """Keep the user's decision. Without consent what was learned is forgotten; return how much that was."""
    row = {"tenant_id": tenant_id, "user_id": user_id, "learn": allowed}
    # Whoever learns just now holds the row: what they keep is there for us to forget.
    session.execute(
        insert(MemoryConsent)
        .values(**row)
        .on_conflict_do_update(
            index_elements=[MemoryConsent.tenant_id, MemoryConsent.user_id],
            set_={"learn": allowed, "decided_at": func.now()},
        )
    )
    return 0 if allowed else remove_all(session, user_id, Source.LEARNED)


def _may_learn(session: Session, user_id: str) -> bool:
    """Return whether the user allows it; the decision stands until this transaction ends."""
    question = select(MemoryConsent.learn).where(MemoryConsent.user_id == user_id).with_for_update(read=True)
    return bool(session.scalar(question))
