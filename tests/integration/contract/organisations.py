"""Organisations to be visited, with something of everything in them, and who signs in there."""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID, uuid4

import psycopg

from api.door import auth, visitors
from pipelines.identity import bearer, passwords, tokens
from pipelines.identity.tokens import Claims
from pipelines.stores.database import tenant_session
from pipelines.stores.identity import logins, one_time, users
from pipelines.stores.organisation import tenants
from schemas.tables.base import DEFAULT_TENANT_ID
from schemas.tables.identity import Purpose, Role
from schemas.tables.tenancy import Tier
from tests.integration.attack.canaries import Marked, fill
from tests.integration.people import PASSWORD

PLENTY = {"max_users": 100_000, "max_api_calls_monthly": 100_000_000}
"""With the enterprise tier's rates enough for hundreds of calls: what is tried here is not the limits."""

TOKEN_S = 3600
SITE = "https://shop.example.org"
"""On which the widget stands."""

OPERATORS = "contract-operator-"
"""How the e-mails of operators begin, by which they are found and removed."""


@dataclass(frozen=True)
class Organisation:
    """An organisation with something of everything in it, its first admin, signed in, and a visitor of its widget."""

    marked: Marked
    user_id: UUID
    email: str
    access_token: str
    refresh_token: str
    widget_id: UUID
    visitor_token: str

    @property
    def tenant_id(self) -> UUID:
        return self.marked.tenant_id

    @property
    def visitor(self) -> str:
        """Return as whom somebody came in by the widget."""
        token = bearer.shown(self.visitor_token, bearer.Kind.VISITOR)
        assert token is not None
        return visitors.redeem(token, SITE).visitor

    def one_time_token(self, purpose: Purpose) -> str:
        """Return a one-time token of a new user."""
        kept = None if purpose is Purpose.INVITATION else kept_password()
        with tenant_session(self.tenant_id) as session:
            user = users.add(session, self.tenant_id, f"{uuid4().hex}@example.org", Role.USER, password_hash=kept)
            return one_time.issue(session, self.tenant_id, user.user_id, purpose).text

    def another_login(self) -> UUID:
        """Return the id of a second login of the admin."""
        return sign_in(self.tenant_id, self.user_id, Role.ADMIN)[2]


def found(admin: psycopg.Connection) -> Organisation:
    """Return a new organisation."""
    email = f"ada-{uuid4().hex[:10]}@example.org"
    tenant_id = tenants.found("Acme", email, tier=Tier.ENTERPRISE, others=PLENTY)
    user_id = _add(tenant_id, email, Role.ADMIN)
    access_token, refresh_token, _ = sign_in(tenant_id, user_id, Role.ADMIN)
    marked, widget_id = fill(admin, tenant_id), uuid4()
    admin.execute(
        "UPDATE agents SET widget_id = %s, widget_on = true, widget_origins = %s"
        " WHERE tenant_id = %s AND assistant_key = %s",
        (widget_id, [SITE], tenant_id, marked.texts["assistant_key"]),
    )
    visitor_token = visitors.issue(tenant_id, widget_id, SITE)
    return Organisation(marked, user_id, email, access_token, refresh_token, widget_id, visitor_token)


def new_operator() -> str:
    """Return the access token of a new operator."""
    tenant_id = UUID(DEFAULT_TENANT_ID)
    user_id = _add(tenant_id, f"{OPERATORS}{uuid4().hex}@example.org", Role.OPERATOR)
    return sign_in(tenant_id, user_id, Role.OPERATOR)[0]


def sign_in(tenant_id: UUID, user_id: UUID, role: Role) -> tuple[str, str, UUID]:
    """Return a new login's tokens and id; the front door would take the time of a password for each."""
    with tenant_session(tenant_id) as session:
        session_id, refreshing = logins.begin(session, tenant_id, user_id, None, None)
    claims = Claims(user_id, tenant_id, "Acme", role, session_id)
    return tokens.signed(claims, auth.key_ring().signing(), TOKEN_S), refreshing.text, session_id


@lru_cache
def kept_password() -> str:
    """Return what is kept of everybody's password."""
    return passwords.hashed(PASSWORD)


def _add(tenant_id: UUID, email: str, role: Role) -> UUID:
    with tenant_session(tenant_id) as session:
        return users.add(session, tenant_id, email, role, password_hash=kept_password()).user_id
