"""Coming in and going out: sign-up, login, refresh, logout, passwords."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from flask import request
from flask_openapi3 import APIBlueprint, Tag

from api.door import auth, tenancy
from api.door.permissions import allows
from api.identity import posts
from pipelines.identity import bearer, passwords, tokens
from pipelines.identity.bearer import Bearer, Kind
from pipelines.identity.tokens import Claims
from pipelines.stores.database import tenant_session
from pipelines.stores.identity import logins, one_time, standing, users
from pipelines.stores.operations import audit
from pipelines.stores.operations.audit import Actor
from pipelines.stores.organisation import rates, tenants
from pipelines.stores.redis import get_redis
from schemas.errors.callers import Forbidden, InvalidToken, Revoked, Unauthenticated, WrongLogin
from schemas.requests.identity.accounts import (
    AcceptBody,
    Done,
    ForgottenBody,
    LoginAnswer,
    LoginBody,
    LogoutBody,
    PasswordBody,
    RefreshBody,
    ResetBody,
    SignedOut,
    SignupBody,
)
from schemas.settings import get_settings
from schemas.tables.identity import Permission, Purpose, Role

blueprint = APIBlueprint("accounts", __name__, url_prefix="/api", abp_tags=[Tag(name="accounts")])

TRIES, TRIES_BY_ADDRESS, WINDOW_S = 10, 100, 900
"""Tries to sign in to one account from one address, and from one address or to one account in all, in 15 minutes."""

SIGNUPS_PER_HOUR = 20
FORGOTTEN_TAKES_S = 0.25
"""How long the answer to a forgotten password takes, whether the account exists or not."""


@blueprint.post("/signup", responses={201: LoginAnswer})
@allows(Permission.PUBLIC)
def signup(body: SignupBody) -> Any:
    """Found an organisation; whoever asks becomes its admin and is signed in."""
    if not get_settings().open_signup:
        raise Forbidden("Organisations are founded by the operator of this deployment.")
    rates.tries(get_redis(), "signup", _address(), SIGNUPS_PER_HOUR, 3600)
    password = passwords.check(body.password, body.email, body.organization_name)
    kept = passwords.hashed(password)
    tenant_id = tenants.found(body.organization_name, body.email, subdomain=body.subdomain)
    with tenant_session(tenant_id) as session:
        user = users.add(session, tenant_id, body.email, Role.ADMIN, name=body.name, password_hash=kept)
        session_id, refresh = logins.begin(session, tenant_id, user.user_id, _address(), _user_agent())
        acting = Actor("user", str(user.user_id), user.email, _address())
        audit.record(session, tenant_id, acting, "tenant.founded", "tenant", tenant_id, after=users.view(user))
    return _answer(Claims(user.user_id, tenant_id, body.organization_name, user.role, session_id), refresh), 201


@blueprint.post("/login", responses={200: LoginAnswer})
@allows(Permission.PUBLIC)
def login(body: LoginBody) -> dict[str, Any]:
    """Sign in with e-mail and password. Unknown users and wrong passwords are answered alike."""
    subdomain = body.tenant_subdomain or tenancy.resolved_subdomain()
    name = f"{body.email.casefold()}|{(subdomain or '').casefold()}"
    redis, here = get_redis(), _address()
    rates.tries(redis, "login", f"{name}|{here}", TRIES, WINDOW_S)
    rates.tries(redis, "login_account", name, TRIES_BY_ADDRESS, WINDOW_S)
    rates.tries(redis, "login_address", here, TRIES_BY_ADDRESS, WINDOW_S)
    found = logins.account(body.email, subdomain)
    if not passwords.matches(body.password, found.password_hash if found else None):
        raise WrongLogin
    assert found is not None
    rates.forgive(redis, "login", f"{name}|{here}")
    with tenant_session(found.tenant_id) as session:
        user = users.get(session, found.user_id)
        user.last_login_at = datetime.now(UTC)
        if passwords.is_outdated(found.password_hash):
            user.password_hash = passwords.hashed(body.password)
        organization = tenants.get(session, found.tenant_id).organization_name
        session_id, refresh = logins.begin(session, found.tenant_id, user.user_id, here, _user_agent())
    return _answer(Claims(user.user_id, found.tenant_id, organization, user.role, session_id), refresh)


@blueprint.post("/token/refresh", responses={200: LoginAnswer})
@allows(Permission.PUBLIC)
def refresh(body: RefreshBody) -> dict[str, Any]:
    """Exchange a refresh token for the next access token. A token that comes twice ends its login."""
    shown = bearer.shown(body.refresh_token, Kind.REFRESH)
    if shown is None:
        raise Unauthenticated("The refresh token is not known.")
    with tenant_session(shown.tenant_id) as session:
        login, following = logins.spend(session, shown)
        stands = standing.of_login(session, login.session_id) if following else None
    if following is None or stands is None:
        auth.forget(login.session_id)
        raise Revoked
    claims = Claims(login.user_id, shown.tenant_id, stands.organization, stands.role, login.session_id)
    return _answer(claims, following)


@blueprint.post("/logout", responses={200: SignedOut})
@allows(Permission.SELF)
def logout(body: LogoutBody) -> dict[str, Any]:
    """End this login, or all of the user's; its tokens and open sockets end within seconds."""
    asking, user_id = auth.person()
    assert asking.credential is not None
    with tenant_session(asking.tenant_id) as session:
        if body.everywhere:
            ended = logins.end_all(session, user_id, "signed out everywhere")
            audit.record(session, asking.tenant_id, auth.actor(), "user.signed_out_everywhere", "user", user_id)
        else:
            ended = logins.end(session, asking.credential, "signed out")
    auth.forget()
    return SignedOut(logins_ended=ended).model_dump(mode="json")


@blueprint.post("/password", responses={200: Done})
@allows(Permission.SELF)
def change_password(body: PasswordBody) -> dict[str, Any]:
    """Set a new password; the old one is asked for, and all other logins end."""
    asking, user_id = auth.person()
    rates.tries(get_redis(), "password", f"{asking.tenant_id}|{user_id}", TRIES, WINDOW_S)
    with tenant_session(asking.tenant_id) as session:
        kept = users.get(session, user_id).password_hash
    if not passwords.matches(body.current_password, kept):
        raise WrongLogin("The current password is wrong.")
    fresh = passwords.hashed(passwords.check(body.new_password, asking.name or "", asking.organization))
    with tenant_session(asking.tenant_id) as session:
        users.get(session, user_id).password_hash = fresh
        logins.end_all(session, user_id, "the password was changed", but=asking.credential)
        audit.record(session, asking.tenant_id, auth.actor(), "user.password_changed", "user", user_id)
    auth.forget()
    return Done(message="The password is changed; other devices must sign in again.").model_dump()


@blueprint.post("/password/forgot", responses={202: Done})
@allows(Permission.PUBLIC)
def forgot_password(body: ForgottenBody) -> Any:
    """Mail a link that sets a new password, where the account exists; the answer is the same where not."""
    subdomain = body.tenant_subdomain or tenancy.resolved_subdomain()
    rates.tries(get_redis(), "forgot", f"{body.email.casefold()}|{_address()}", 5, 3600)
    rates.tries(get_redis(), "forgot_address", _address(), 50, 3600)
    with _steady(FORGOTTEN_TAKES_S):
        found = logins.account(body.email, subdomain)
        if found is not None:
            with tenant_session(found.tenant_id) as session:
                token = one_time.issue(session, found.tenant_id, found.user_id, Purpose.RESET)
                user = users.get(session, found.user_id)
                mail = posts.reset(session, found.tenant_id, user, token)
            posts.wake(found.tenant_id, mail)
    return Done(message="If there is such an account, a mail is on its way.").model_dump(), 202


@blueprint.post("/password/reset", responses={200: Done})
@allows(Permission.PUBLIC)
def reset_password(body: ResetBody) -> dict[str, Any]:
    """Set a new password with the token of a mail; all logins of the user end."""
    shown, fresh = _link(body.token, body.password)
    with tenant_session(shown.tenant_id) as session:
        user = users.get(session, one_time.use(session, shown, Purpose.RESET))
        user.password_hash = fresh
        logins.end_all(session, user.user_id, "the password was reset")
        acting = Actor("user", str(user.user_id), user.email, _address())
        audit.record(session, shown.tenant_id, acting, "user.password_reset", "user", user.user_id)
    auth.forget()
    return Done(message="The password is set. Sign in with it.").model_dump()


@blueprint.post("/invitations/accept", responses={201: LoginAnswer})
@allows(Permission.PUBLIC)
def accept_invitation(body: AcceptBody) -> Any:
    """Join an organisation: set a password and be signed in."""
    shown, fresh = _link(body.token, body.password)
    with tenant_session(shown.tenant_id) as session:
        user = users.get(session, one_time.use(session, shown, Purpose.INVITATION))
        tenant = tenants.get(session, shown.tenant_id)
        if not (user.is_active and tenant.is_active):
            raise InvalidToken
        user.password_hash, user.name = fresh, body.name or user.name
        session_id, refreshing = logins.begin(session, shown.tenant_id, user.user_id, _address(), _user_agent())
        acting = Actor("user", str(user.user_id), user.email, _address())
        audit.record(session, shown.tenant_id, acting, "user.joined", "user", user.user_id)
    claims = Claims(user.user_id, shown.tenant_id, tenant.organization_name, user.role, session_id)
    return _answer(claims, refreshing), 201


def _link(token: str, password: str) -> tuple[Bearer, str]:
    """Return the token and the new password's hash. Raises InvalidToken, InvalidRequest, TooManyTries."""
    rates.tries(get_redis(), "link", _address(), 50, 3600)
    shown = bearer.shown(token, Kind.LINK)
    if shown is None:
        raise InvalidToken
    return shown, passwords.hashed(passwords.check(password))


def _answer(claims: Claims, refreshing: Bearer) -> dict[str, Any]:
    lifetime_s = get_settings().access_token_s
    return LoginAnswer(
        access_token=tokens.signed(claims, auth.key_ring().signing(), lifetime_s),
        expires_in=lifetime_s,
        refresh_token=refreshing.text,
        user_id=claims.user_id,
        tenant_id=claims.tenant_id,
        organization=claims.organization,
        role=claims.role,
    ).model_dump(mode="json")


def _address() -> str:
    return request.remote_addr or ""


def _user_agent() -> str | None:
    return request.headers.get("User-Agent")


@contextmanager
def _steady(seconds: float) -> Iterator[None]:
    """Take this long at least, so that the time tells nothing of what was done."""
    until = time.monotonic() + seconds
    try:
        yield
    finally:
        time.sleep(max(0.0, until - time.monotonic()))
