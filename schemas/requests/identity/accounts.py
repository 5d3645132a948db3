"""Bodies of coming in and going out. Field names are those of the reference clients."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from schemas.requests.common import Body
from schemas.requests.fields import Email, Name, Password, Token


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
