"""What follows when an endpoint is disabled: it is written down, told to others, and mailed to the admins."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipelines.stores import webhooks
from pipelines.stores.operations import audit, mails
from pipelines.stores.operations.audit import SYSTEM
from schemas.errors.tree import AuraError
from schemas.events import Event, EventName, Subject
from schemas.tables.hooks import DisabledReason, WebhookEndpoint
from schemas.tables.identity import Role, TenantUser

MAIL = """AURA does not send webhooks to {url} any more: {why}.

What was not delivered is kept, and goes out when the endpoint is enabled again. Deliveries and what was
answered are in its log; they are forgotten after 30 days.
"""
WHY = {
    DisabledReason.GONE: "it answered 410, which says that nobody is there any more",
    DisabledReason.FAILING: "every try of the last five days has failed",
}


@dataclass(frozen=True)
class Disabled:
    """An endpoint that was disabled: the event of it, and the mails that wait for their worker."""

    event: Event
    mail_ids: tuple[UUID, ...]


def announced(session: Session, tenant_id: UUID, endpoint: WebhookEndpoint, reason: DisabledReason) -> Disabled:
    """Write down that an endpoint was disabled, tell the tenant's other endpoints, and write to its admins."""
    about = {"endpoint_id": str(endpoint.endpoint_id), "url": endpoint.url, "reason": reason.value}
    audit.record(session, tenant_id, SYSTEM, "webhook.disabled", "webhook_endpoint", endpoint.endpoint_id, after=about)
    event = Event(EventName.WEBHOOK_DISABLED, Subject.tenant(tenant_id), about)
    webhooks.enqueue(session, tenant_id, [event])
    admins = select(TenantUser.email).where(TenantUser.role == Role.ADMIN, TenantUser.is_active)
    body = MAIL.format(url=endpoint.url, why=WHY[reason])
    sent = list[UUID]()
    for email in session.scalars(admins).all():
        try:
            sent.append(mails.queue(session, tenant_id, email, "A webhook endpoint was disabled", body))
        except AuraError:
            continue  # An address that takes no mail must not keep the endpoint going.
    return Disabled(event, tuple(sent))
