"""Logins: finding the account, keeping a login's refresh tokens, ending it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from pipelines.identity import bearer
from pipelines.identity.bearer import Bearer, Kind
from pipelines.stores.database import operator_session
from schemas.errors.callers import Revoked, Unauthenticated
from schemas.settings import get_settings
from schemas.tables.identity import LoginSession, RefreshToken


@dataclass(frozen=True)
class Account:
    """Whom a login means."""

    tenant_id: UUID
    user_id: UUID
    password_hash: str


def account(email: str, subdomain: str | None) -> Account | None:
    """Return the one active account of this e-mail, in the organisation where it is named; None where it is not one."""
    with operator_session() as session:
        rows = session.execute(
            text("SELECT * FROM find_login(:email, :subdomain)"), {"email": email, "subdomain": subdomain}
        ).all()
    return Account(*rows[0]) if len(rows) == 1 else None


def begin(
    session: Session, tenant_id: UUID, user_id: UUID, address: str | None, user_agent: str | None
) -> tuple[UUID, Bearer]:
    """Open a login and return its id and its first refresh token."""
    login = LoginSession(
        tenant_id=tenant_id,
        session_id=uuid4(),
        user_id=user_id,
        address=address,
        user_agent=(user_agent or "")[:300] or None,
        expires_at=func.now() + timedelta(days=get_settings().login_days),
    )
    session.add(login)
    session.flush()
    return login.session_id, _issue(session, tenant_id, login.session_id)


def spend(session: Session, shown: Bearer) -> tuple[LoginSession, Bearer | None]:
    """Exchange a refresh token: return its login and the next token.

    The next token is None where this one was spent before: somebody has a copy, so the login is over;
    the caller refuses after that is committed. Raises Unauthenticated and Revoked.
    """
    token = session.scalar(select(RefreshToken).where(RefreshToken.token_hash == shown.hash).with_for_update())
    if token is None:
        raise Unauthenticated("The refresh token is not known.")
    login = session.scalars(
        select(LoginSession).where(LoginSession.session_id == token.session_id).with_for_update()
    ).one()
    if login.revoked_at is not None or session.scalar(
        select(LoginSession.expires_at < func.now()).where(LoginSession.session_id == login.session_id)
    ):
        raise Revoked
    if token.spent_at is not None:
        _end(session, LoginSession.session_id == login.session_id, "a refresh token was used twice")
        return login, None
    token.spent_at = func.now()
    login.last_used_at = func.now()
    return login, _issue(session, shown.tenant_id, login.session_id)


def end(session: Session, session_id: UUID, because: str) -> int:
    """Revoke one login; return how many were open."""
    return _end(session, LoginSession.session_id == session_id, because)


def end_all(session: Session, user_id: UUID, because: str, *, but: UUID | None = None) -> int:
    """Revoke every login of a user, but one; return how many were open."""
    these = LoginSession.user_id == user_id
    return _end(session, these if but is None else these & (LoginSession.session_id != but), because)


def listing(session: Session, user_id: UUID) -> Sequence[LoginSession]:
    """Return a user's open logins, the last used first."""
    return session.scalars(
        select(LoginSession)
        .where(
            LoginSession.user_id == user_id,
            LoginSession.revoked_at.is_(None),
            LoginSession.expires_at > func.now(),
        )
        .order_by(LoginSession.last_used_at.desc())
        .limit(200)
    ).all()


def _end(session: Session, these: object, because: str) -> int:
    ended = session.execute(
        update(LoginSession)
        .where(these, LoginSession.revoked_at.is_(None))  # type: ignore[arg-type]
        .values(revoked_at=func.now(), revoked_because=because)
    )
    return int(ended.rowcount)  # type: ignore[attr-defined]


def _issue(session: Session, tenant_id: UUID, session_id: UUID) -> Bearer:
    made = bearer.made(Kind.REFRESH, tenant_id)
    session.add(RefreshToken(tenant_id=tenant_id, token_hash=made.hash, session_id=session_id))
    return made
