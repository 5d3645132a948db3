"""Bodies of sign-up, login, users, keys and tenants. Field names are those of the reference clients."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints

from schemas.identity import Permission
from schemas.requests import Body
from schemas.tenancy import Tier


def _plain(text: str) -> str:
    """Return a text without control characters. Raises ValueError."""
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text):
        raise ValueError("control characters are not allowed")
    return text


MAX_JSON_CHARS = 32_768


def _small(value: dict[str, Any]) -> dict[str, Any]:
    """Return JSON that a row may keep. Raises ValueError."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise ValueError("this cannot be kept as JSON") from error
    if len(text) > MAX_JSON_CHARS or "\\u0000" in text:
        raise ValueError(f"at most {MAX_JSON_CHARS:,} characters of JSON, none of them NUL")
    return value


Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=3, max_length=254, pattern=r"^[^@\s,;<>\"\\()]+@[^@\s,;<>\"\\()]+$"
    ),
    AfterValidator(_plain),
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), AfterValidator(_plain)]
# Length and strength are judged by pipelines/identity/passwords.py; this bounds what is hashed at all.
Password = Annotated[str, StringConstraints(strip_whitespace=False, min_length=1, max_length=1024)]
Json = Annotated[dict[str, Any], AfterValidator(_small)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Color = Annotated[str, StringConstraints(pattern=r"^#(?:[0-9a-fA-F]{3}){1,2}$")]
Locale = Annotated[str, StringConstraints(max_length=255), AfterValidator(_plain)]


class SignupBody(Body):
    """A new organisation and its first admin."""

    organization_name: Name
    email: Email
    password: Password
    name: Name | None = None
    subdomain: str | None = Field(None, max_length=63, description="Made from the organisation's name unless given.")


class LoginBody(Body):
    """Who signs in. The organisation may be left out where the e-mail or the address names only one."""

    email: str = Field(min_length=1, max_length=254)
    password: Password
    tenant_subdomain: str | None = Field(None, max_length=63)


class LoginAnswer(BaseModel):
    """An access token, and the refresh token that gets the next one."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int = Field(description="Seconds for which the access token holds.")
    refresh_token: str = Field(description="Can be used once; each refresh brings a new one.")
    user_id: UUID
    tenant_id: UUID
    organization: str
    role: str


class RefreshBody(Body):
    """A refresh token."""

    refresh_token: Token


class LogoutBody(Body):
    """What to sign out of."""

    everywhere: bool = Field(False, description="All logins of this user, on every device.")


class SignedOut(BaseModel):
    """How many logins were ended."""

    success: bool = True
    logins_ended: int


class PasswordBody(Body):
    """A new password, and the old one as proof."""

    current_password: Password
    new_password: Password


class ForgottenBody(Body):
    """Whose password was forgotten."""

    email: str = Field(min_length=1, max_length=254)
    tenant_subdomain: str | None = Field(None, max_length=63)


class ResetBody(Body):
    """The token of a mail, and the password to set."""

    token: Token
    password: Password


class AcceptBody(ResetBody):
    """The token of an invitation, the password to set, and the name to go by."""

    name: Name | None = None


class Done(BaseModel):
    """It is done; `message` says what."""

    success: bool = True
    message: str


class Ticket(BaseModel):
    """What opens one socket or event stream, once."""

    ticket: str
    expires_in: int


class LoginView(BaseModel):
    """One login, on one device."""

    session_id: UUID
    current: bool
    address: str | None
    user_agent: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


class LoginList(BaseModel):
    """A user's open logins."""

    sessions: list[LoginView]


class UserView(BaseModel):
    """A user of the organisation."""

    user_id: UUID
    email: str
    name: str | None
    role: str
    is_active: bool
    invited: bool = Field(description="The invitation is not accepted yet.")
    can_upload_documents: bool
    can_modify_ai_settings: bool
    can_view_analytics: bool
    persona_settings: dict[str, Any]
    voice_preference: str | None
    created_at: datetime | None
    last_login_at: datetime | None


class UserPage(BaseModel):
    """Users, oldest first; `next` is the cursor of the page after."""

    users: list[UserView]
    next: str | None


class InviteBody(Body):
    """Somebody who is to join. Flags that are left out are those of the role."""

    email: Email
    role: Literal["admin", "manager", "user"] = "user"
    name: Name | None = None
    can_upload_documents: bool | None = None
    can_modify_ai_settings: bool | None = None
    can_view_analytics: bool | None = None


class Invited(BaseModel):
    """An invitation. `invitation_url` opens it once, within a week; it was mailed too."""

    user: UserView
    invitation_token: str
    invitation_url: str


class UserChange(Body):
    """What is to change of a user; what is left out stays."""

    role: Literal["admin", "manager", "user"] | None = None
    name: Name | None = None
    is_active: bool | None = None
    can_upload_documents: bool | None = None
    can_modify_ai_settings: bool | None = None
    can_view_analytics: bool | None = None


class MeChange(Body):
    """What users may change of themselves."""

    name: Name | None = None
    persona_settings: Json | None = None
    voice_preference: Locale | None = None


class Me(BaseModel):
    """Who asks, and what they may do."""

    tenant_id: UUID
    organization: str
    kind: Literal["user", "api_key", "local"]
    user_id: str
    role: str
    permissions: list[str]
    user: UserView | None


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
