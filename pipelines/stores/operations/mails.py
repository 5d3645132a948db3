"""Mails to be sent: the row is the queue. A text holds a token, so it is sealed, and emptied when it is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, CursorResult, Update, func, select, text, update
from sqlalchemy.orm import Session

from pipelines import mailing
from pipelines.mailing import Mail
from pipelines.stores import sealing
from schemas.errors.callers import Unsealable
from schemas.errors.tree import AuraError, Permanent
from schemas.tables.records import OutgoingMail

PURPOSE = "mail"

RETRY_S = (5, 60, 300, 1800, 7200)
"""Waits after the first failure and the following ones; with the try after the last, a mail has failed."""

LEASE_S = 180
"""Seconds that a try may take; after them the mail of a worker that died is tried again."""

WOKEN_S = 61
"""A due mail is woken once in 60 seconds (`take_due_mails`): one that is due later than this is somebody's."""

BATCH = 200


@dataclass(frozen=True)
class Claim:
    """A mail in somebody's hands; `attempt` counts from 1, and is the claim's token."""

    tenant_id: UUID
    mail_id: UUID
    attempt: int
    recipient: str
    subject: str
    sealed: str


def queue(session: Session, tenant_id: UUID, recipient: str, subject: str, body: str) -> UUID:
    """Add a mail and return its id; wake a worker for it once this is committed. Raises InvalidRequest."""
    mailing.check(recipient, subject)
    mail_id = uuid4()
    sealed = sealing.seal(body, tenant_id, PURPOSE)
    session.add(OutgoingMail(tenant_id=tenant_id, mail_id=mail_id, recipient=recipient, subject=subject, sealed=sealed))
    session.flush()
    return mail_id


def take_due(session: Session, at_most: int = BATCH) -> Sequence[tuple[UUID, UUID]]:
    """Return tenant and id of mails that are due, each once in 60 seconds. Needs an operator's session."""
    rows = session.execute(text("SELECT tenant_id, mail_id FROM take_due_mails(:limit)"), {"limit": at_most})
    return [(row.tenant_id, row.mail_id) for row in rows]


def claim(session: Session, mail_id: UUID) -> Claim | None:
    """Take a mail for LEASE_S seconds; None where it is sent, given up, or in other hands."""
    row = session.scalar(
        update(OutgoingMail)
        .where(OutgoingMail.mail_id == mail_id, OutgoingMail.status == "queued", OutgoingMail.due_at <= _in(WOKEN_S))
        .values(attempts=OutgoingMail.attempts + 1, due_at=_in(LEASE_S))
        .returning(OutgoingMail)
    )
    if row is None:
        return None
    return Claim(row.tenant_id, row.mail_id, row.attempts, row.recipient, row.subject, row.sealed or "")


def opened(claim: Claim) -> Mail:
    """Return the mail as it is to be sent. Raises Unsealable."""
    body = sealing.unseal(claim.sealed, claim.tenant_id, PURPOSE)
    return Mail(claim.mail_id, claim.recipient, claim.subject, body)


def sent(session: Session, claim: Claim) -> bool:
    """Mark the mail as sent and empty its text; return False where the claim was lost."""
    return _end(session, claim, status="sent", sealed=None, sent_at=func.now(), error_detail=None)


def failed(session: Session, claim: Claim, error: AuraError) -> float | None:
    """Put the mail off and return for how many seconds; None where it has failed for good, and its text is emptied."""
    if isinstance(error, Permanent) or claim.attempt > len(RETRY_S):
        _end(session, claim, status="failed", sealed=None, error_detail=error.detail)
        return None
    wait_s = RETRY_S[claim.attempt - 1]
    _end(session, claim, due_at=_in(wait_s), error_detail=error.detail)
    return wait_s


def reseal(session: Session, tenant_id: UUID) -> tuple[int, int]:
    """Seal the tenant's waiting mails with the newest secret; return how many, and how many did not open."""
    done = unopened = 0
    waiting = select(OutgoingMail.mail_id, OutgoingMail.sealed).where(OutgoingMail.sealed.is_not(None))
    for mail_id, sealed in session.execute(waiting).all():
        try:
            body = sealing.unseal(sealed, tenant_id, PURPOSE)
        except Unsealable:
            unopened += 1
            continue
        if sealing.is_current(sealed):
            continue
        again = sealing.seal(body, tenant_id, PURPOSE)
        same = (OutgoingMail.mail_id == mail_id) & (OutgoingMail.sealed == sealed)
        done += _count(session, update(OutgoingMail).where(same).values(sealed=again))
    return done, unopened


def _end(session: Session, claim: Claim, **values: object) -> bool:
    """Change the claimed mail; return False where it is no longer this claim's."""
    ours = (OutgoingMail.attempts == claim.attempt) & (OutgoingMail.status == "queued")
    return bool(_count(session, update(OutgoingMail).where(OutgoingMail.mail_id == claim.mail_id, ours).values(values)))


def _count(session: Session, change: Update) -> int:
    return cast("CursorResult[object]", session.execute(change)).rowcount


def _in(seconds: float) -> ColumnElement[datetime]:
    return func.now() + timedelta(seconds=seconds)
