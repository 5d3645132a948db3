"""Bodies of users, their logins and invitations. Field names are those of the reference clients."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from schemas.requests.common import Body
from schemas.requests.fields import Email, Json, Locale, Name


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
