"""Of whom something personal is asked: of who asks, or of another user of the organisation."""

from dataclasses import replace
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from api.door import auth
from api.door.auth import Caller
from pipelines.stores.database import tenant_session
from pipelines.stores.identity.users import is_user
from pipelines.stores.operations import audit
from schemas.errors.requests import NotFound
from schemas.tables.dialogue import Conversation
from schemas.tables.identity import Permission, Role
from schemas.tables.memory import MemoryConsent, UserPreference

UNKNOWN = "There is no user with this id."


def reads_all(asking: Caller) -> bool:
    """Return whether who asks may see what others said: who acts for all, and managers who may see analytics."""
    return asking.sees_all or (asking.role == Role.MANAGER and Permission.ANALYTICS_READ in asking.permissions)


def read(user_id: str | None) -> Caller:
    """Return who asks, as the user whose it is. Raises NotFound where they may not see it, or there is nobody."""
    asking = auth.caller()
    if user_id in (None, "", asking.user_id):
        return asking
    if not reads_all(asking):
        raise NotFound(UNKNOWN)
    with tenant_session(asking.tenant_id) as session:
        if not _is_known(session, str(user_id)):
            raise NotFound(UNKNOWN)
    return _as(asking, str(user_id))


def write(user_id: str | None) -> Caller:
    """Return who asks, as the user whose is to change. Raises NotFound where they may not act for others.

    A program that acts for many may be the first to speak of one.
    """
    asking = auth.caller()
    if user_id in (None, "", asking.user_id):
        return asking
    if not asking.sees_all:
        raise NotFound(UNKNOWN)
    return _as(asking, str(user_id))


def audit_for_others(session: Session, asking: Caller, action: str, **about: Any) -> None:
    """Write down what somebody does to what is another's."""
    if asking.user_id != auth.caller().user_id:
        audit.record(session, asking.tenant_id, auth.actor(), action, "user", asking.user_id, after=about)


def _as(asking: Caller, user_id: str) -> Caller:
    return replace(asking, user_id=user_id)


def _is_known(session: Session, user_id: str) -> bool:
    """Return whether the organisation has heard of the user: by an account, a conversation or a preference."""
    of = (Conversation.user_id, UserPreference.user_id, MemoryConsent.user_id)
    said = [exists().where(column == user_id) for column in of]
    return is_user(session, user_id) or bool(session.scalar(select(or_(*said))))
