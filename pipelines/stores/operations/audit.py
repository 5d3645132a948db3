"""The audit log: administrative acts, written in the transaction of the act itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.tables.records import AuditEntry


@dataclass(frozen=True)
class Actor:
    """Who acts, and from where. `kind` is user, api_key, local, operator or system."""

    kind: str
    id: str | None = None
    name: str | None = None
    address: str | None = None
    trace_id: str | None = None


SYSTEM = Actor("system")


def record(
    session: Session,
    tenant_id: UUID,
    actor: Actor,
    action: str,
    target_kind: str,
    target_id: object = None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down an act such as `user.updated`, with what changed. Secrets must not be among it."""
    session.add(
        AuditEntry(
            tenant_id=tenant_id,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name,
            action=action,
            target_kind=target_kind,
            target_id=None if target_id is None else str(target_id),
            address=actor.address,
            trace_id=actor.trace_id,
            before=None if before is None else dict(before),
            after=None if after is None else dict(after),
        )
    )


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return of both only what differs."""
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}


def listing(
    session: Session,
    limit: int,
    before_id: int | None = None,
    action: str | None = None,
    actor: str | None = None,
    since: datetime | None = None,
) -> Sequence[AuditEntry]:
    """Return the tenant's entries, newest first, those before `before_id`.

    Where they are given: whose action begins with `action`, whose actor's name holds `actor`, not before `since`.
    """
    question = select(AuditEntry).order_by(AuditEntry.audit_id.desc()).limit(limit)
    if action is not None:
        question = question.where(AuditEntry.action.startswith(action, autoescape=True))
    if actor is not None:
        question = question.where(AuditEntry.actor_name.icontains(actor, autoescape=True))
    if since is not None:
        question = question.where(AuditEntry.at >= since)
    if before_id is not None:
        question = question.where(AuditEntry.audit_id < before_id)
    return session.scalars(question).all()
