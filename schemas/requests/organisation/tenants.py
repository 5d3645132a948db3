"""Bodies of organisations, their keys and their audit log. Field names are those of the reference clients."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from schemas.requests.common import Body, Key, Listing
from schemas.requests.fields import Color, Email, Json, Name, Password
from schemas.tables.identity import Permission
from schemas.tables.tenancy import Tier


class KeyBody(Body):
    """A key for a program."""

    name: Name
    scopes: list[Permission] = Field(min_length=1, max_length=20)
    expires_at: AwareDatetime | None = Field(None, description="When it ends; never unless given.")


class RotateBody(Body):
    """How long the old key goes on beside its successor."""

    overlap_s: int = Field(86_400, ge=0, le=30 * 86_400)


class KeyView(BaseModel):
    """An API key without its secret."""

    key_id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    successor_id: UUID | None


class KeyMade(KeyView):
    """A new API key. `api_key` is shown this once and never again."""

    api_key: str


class KeyList(BaseModel):
    """The organisation's API keys, newest first."""

    keys: list[KeyView]


class Branding(BaseModel):
    """How an organisation's pages look."""

    organization_name: str
    subdomain: str
    custom_logo: str | None
    brand_colors: dict[str, str] | None


class TenantView(Branding):
    """An organisation: its subscription, limits and settings."""

    tenant_id: UUID
    admin_email: str
    subscription_tier: str
    max_users: int
    max_storage_gb: int
    max_api_calls_monthly: int
    max_concurrent_sessions: int
    max_monthly_cost_usd: float | None
    custom_settings: dict[str, Any]
    record_voice: bool
    recording_days: int
    is_active: bool
    expires_at: datetime | None
    deletion_requested_at: datetime | None
    created_at: datetime


class TenantPage(BaseModel):
    """Organisations, newest first; `next` is the cursor of the page after."""

    tenants: list[TenantView]
    next: str | None


class OwnChange(Body):
    """What an organisation may change of itself; what is left out stays."""

    organization_name: Name | None = None
    admin_email: Email | None = None
    custom_settings: Json | None = None
    custom_logo: str | None = Field(
        None, max_length=2048, pattern=r"^(https://[^\s\"'<>]+|data:image/(png|jpeg|webp);base64,[A-Za-z0-9+/=]+)$"
    )
    brand_colors: dict[Annotated[str, StringConstraints(max_length=40)], Color] | None = Field(None, max_length=20)
    max_monthly_cost_usd: float | None = Field(None, ge=0, le=1e9)
    record_voice: bool | None = Field(
        None, description="Whether the sound of voice sessions is kept; those who speak are told so."
    )
    recording_days: int | None = Field(None, ge=1, le=3650, description="Days for which it is kept.")


class TenantChange(OwnChange):
    """What the operator may change of an organisation."""

    subdomain: str | None = Field(None, max_length=63)
    subscription_tier: Tier | None = None
    max_users: int | None = Field(None, ge=0, le=2_000_000_000)
    max_storage_gb: int | None = Field(None, ge=0, le=2_000_000_000)
    max_api_calls_monthly: int | None = Field(None, ge=0, le=2_000_000_000)
    max_concurrent_sessions: int | None = Field(None, ge=0, le=2_000_000_000)
    is_active: bool | None = None
    expires_at: AwareDatetime | None = None


class TenantBody(TenantChange):
    """A new organisation. With a password its admin can sign in at once; without one they are invited."""

    organization_name: Name
    admin_email: Email
    admin_password: Password | None = None
    subscription_tier: Tier = Tier.STANDARD


class TenantMade(TenantView):
    """A new organisation; `invitation_url` lets its admin set a password, where none was given."""

    invitation_url: str | None


class AuditListing(Listing):
    """Which acts, how many, and from where."""

    action: Key | None = Field(None, description="Those whose action begins so: `user.`, `api_key.revoked`.")
    actor: Key | None = Field(None, description="Those whose actor's name holds this.")
    since: AwareDatetime | None = Field(None, description="Those of then or later; with a time zone.")


class AuditView(BaseModel):
    """One administrative act."""

    audit_id: int
    at: datetime
    actor_kind: str
    actor_id: str | None
    actor_name: str | None
    action: str
    target_kind: str
    target_id: str | None
    address: str | None
    trace_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditPage(BaseModel):
    """Administrative acts, newest first; `next` is the cursor of the page after."""

    entries: list[AuditView]
    next: str | None
