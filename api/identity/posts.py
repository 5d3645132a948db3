"""The mails that this front door causes: what they say, and that somebody delivers them."""

from uuid import UUID

from sqlalchemy.orm import Session

from pipelines.identity.bearer import Bearer
from pipelines.stores.operations import mails
from pipelines.stores.organisation import tenants
from schemas.settings import get_settings
from schemas.tables.identity import TenantUser
from workers import send

INVITATION = """You are invited to join {organization} on AURA.

Open this address within seven days and choose a password:

{url}
"""

RESET = """Somebody, probably you, asked for a new password for {email} at {organization}.

Open this address within an hour and choose one:

{url}

If it was not you, nothing has changed, and you can forget this mail.
"""


def invitation_url(token: Bearer) -> str:
    """Return where an invitation is accepted. The token stands behind `#`, which no server is sent or logs."""
    return f"{_here()}/invitation#{token.text}"


def invitation(session: Session, tenant_id: UUID, user: TenantUser, token: Bearer) -> UUID:
    """Queue the mail that invites a user and return its id."""
    organization = tenants.get(session, tenant_id).organization_name
    text = INVITATION.format(organization=organization, url=invitation_url(token))
    return mails.queue(session, tenant_id, user.email, f"Your invitation to {organization}", text)


def reset(session: Session, tenant_id: UUID, user: TenantUser, token: Bearer) -> UUID:
    """Queue the mail that lets a user set a new password and return its id."""
    organization = tenants.get(session, tenant_id).organization_name
    text = RESET.format(organization=organization, email=user.email, url=f"{_here()}/password-reset#{token.text}")
    return mails.queue(session, tenant_id, user.email, "Your new password", text)


def wake(tenant_id: UUID, mail_id: UUID) -> None:
    """Have a queued mail delivered, once it is committed."""
    send.mail(tenant_id, mail_id)


def _here() -> str:
    """Return this deployment's address; never the Host header, which is the client's word."""
    settings = get_settings()
    if settings.public_url:
        return settings.public_url.rstrip("/")
    return f"https://{settings.base_domain}" if settings.base_domain else f"http://{settings.host}:{settings.port}"
