"""Delivery of mails: one try a task; what fails is found again by the sweep when it is due."""

from uuid import UUID

import structlog

from pipelines import mailing
from pipelines.stores.database import tenant_session
from pipelines.stores.operations import mails
from schemas.errors.tree import AuraError
from schemas.settings import get_settings
from workers.app import app

log = structlog.get_logger()


@app.task(name="workers.mail.deliver")
def deliver(tenant_id: str, mail_id: str) -> None:
    """Send a mail, or put it off with the reason."""
    tenant = UUID(tenant_id)
    with tenant_session(tenant) as session:
        claimed = mails.claim(session, UUID(mail_id))
    if claimed is None:
        return
    try:
        mailing.deliver(get_settings(), mails.opened(claimed))
    except AuraError as error:
        with tenant_session(tenant) as session:
            retry_s = mails.failed(session, claimed, error)
        log.warning("mail not sent", code=error.code, attempt=claimed.attempt, retry_s=retry_s)
        return
    with tenant_session(tenant) as session:
        mails.sent(session, claimed)
