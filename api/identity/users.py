"""Users of an organisation, invitations, and what users may do with themselves."""

from typing import Any
from uuid import UUID

from flask_openapi3 import APIBlueprint, Tag
from sqlalchemy.orm import Session

from api.door import auth
from api.door.paging import cursor, position
from api.door.permissions import allows
from api.door.tickets import VALID_S, issue
from api.identity import posts
from pipelines.identity.bearer import Bearer
from pipelines.identity.roles import FLAGS, PRESETS
from pipelines.stores.database import tenant_session
from pipelines.stores.identity import logins, one_time, users
from pipelines.stores.operations import audit
from schemas.errors.callers import Forbidden
from schemas.errors.requests import NotFound, NotReady
from schemas.requests.common import IdPath, Listing
from schemas.requests.identity.accounts import SignedOut
from schemas.requests.identity.users import (
    InviteBody,
    Invited,
    LoginList,
    LoginView,
    Me,
    MeChange,
    Ticket,
    UserChange,
    UserPage,
    UserView,
)
from schemas.tables.identity import Permission, Purpose, Role, TenantUser

blueprint = APIBlueprint("users", __name__, url_prefix="/api", abp_tags=[Tag(name="users")])


@blueprint.get("/me", responses={200: Me})
@allows(Permission.SELF)
def me() -> dict[str, Any]:
    """Return who asks, and what they may do."""
    asking = auth.caller()
    user = None
    if asking.kind == "user":
        with tenant_session(asking.tenant_id) as session:
            user = users.view(users.get(session, UUID(asking.user_id)))
    return {
        "tenant_id": str(asking.tenant_id),
        "organization": asking.organization,
        "kind": asking.kind,
        "user_id": asking.user_id,
        "role": asking.role,
        "permissions": sorted(asking.permissions),
        "user": user,
    }


@blueprint.patch("/me", responses={200: UserView})
@allows(Permission.SELF)
def change_me(body: MeChange) -> dict[str, Any]:
    """Change one's own name, persona or voice."""
    asking, user_id = auth.person()
    with tenant_session(asking.tenant_id) as session:
        user = users.get(session, user_id)
        users.change(session, user, body.model_dump(exclude_unset=True, exclude_none=True))
        return users.view(user)


@blueprint.get("/me/sessions", responses={200: LoginList})
@allows(Permission.SELF)
def my_logins() -> dict[str, Any]:
    """Return one's open logins, the last used first."""
    asking, user_id = auth.person()
    with tenant_session(asking.tenant_id) as session:
        found = logins.listing(session, user_id)
    views = [
        LoginView(
            session_id=login.session_id,
            current=login.session_id == asking.credential,
            address=login.address,
            user_agent=login.user_agent,
            created_at=login.created_at,
            last_used_at=login.last_used_at,
            expires_at=login.expires_at,
        ).model_dump(mode="json")
        for login in found
    ]
    return {"sessions": views}


@blueprint.delete("/me/sessions/<uuid:id>", responses={200: SignedOut})
@allows(Permission.SELF)
def end_login(path: IdPath) -> dict[str, Any]:
    """End one of one's own logins."""
    asking, user_id = auth.person()
    with tenant_session(asking.tenant_id) as session:
        if path.id not in {login.session_id for login in logins.listing(session, user_id)}:
            raise NotFound("There is no open login with this id.")
        ended = logins.end(session, path.id, "ended from another device")
    auth.forget(path.id)
    return SignedOut(logins_ended=ended).model_dump(mode="json")


@blueprint.post("/ticket", responses={201: Ticket})
@allows(Permission.CHAT)
def ticket() -> Any:
    """Return what opens one socket (`token`) or event stream (`?ticket=`), once, within half a minute."""
    asking = auth.caller()
    return Ticket(ticket=issue(asking.tenant_id, asking.kind, asking.credential), expires_in=VALID_S).model_dump(), 201


@blueprint.get("/tenant/users", responses={200: UserPage})
@allows(Permission.TENANT_ADMIN)
def listing(query: Listing) -> dict[str, Any]:
    """Return the organisation's users, oldest first."""
    with tenant_session(auth.caller().tenant_id) as session:
        found = users.listing(session, query.limit + 1, position(query.after))
    last = found[query.limit - 1] if len(found) > query.limit else None
    return {
        "users": [users.view(user) for user in found[: query.limit]],
        "next": cursor(last.created_at, last.user_id) if last else None,
    }


@blueprint.post("/tenant/users", responses={201: Invited})
@allows(Permission.TENANT_ADMIN)
def invite(body: InviteBody) -> Any:
    """Invite somebody to the organisation; the invitation is mailed, and returned for where mail is not set up."""
    tenant_id, role = auth.caller().tenant_id, Role(body.role)
    flags = {**PRESETS[role], **_flags(body.model_dump(exclude_none=True))}
    with tenant_session(tenant_id) as session:
        user = users.add(session, tenant_id, body.email, role, name=body.name, flags=flags)
        session.refresh(user)
        invited, mail_id = _invited(session, user)
        audit.record(
            session, tenant_id, auth.actor(), "user.invited", "user", user.user_id, after=_plain(users.view(user))
        )
    posts.wake(tenant_id, mail_id)
    return invited, 201


@blueprint.post("/tenant/users/<uuid:id>/invitation", responses={201: Invited})
@allows(Permission.TENANT_ADMIN)
def invite_again(path: IdPath) -> Any:
    """Send a new invitation to somebody who has not accepted theirs; the earlier one is void."""
    tenant_id = auth.caller().tenant_id
    with tenant_session(tenant_id) as session:
        user = _reachable(session, path.id)
        if user.password_hash is not None:
            raise NotReady("This user has joined already.")
        invited, mail_id = _invited(session, user)
        audit.record(session, tenant_id, auth.actor(), "user.invited_again", "user", user.user_id)
    posts.wake(tenant_id, mail_id)
    return invited, 201


@blueprint.get("/tenant/users/<uuid:id>", responses={200: UserView})
@allows(Permission.TENANT_ADMIN)
def show(path: IdPath) -> dict[str, Any]:
    """Return a user of the organisation."""
    with tenant_session(auth.caller().tenant_id) as session:
        return users.view(users.get(session, path.id))


@blueprint.patch("/tenant/users/<uuid:id>", responses={200: UserView})
@allows(Permission.TENANT_ADMIN)
def change(path: IdPath, body: UserChange) -> dict[str, Any]:
    """Change a user's role, flags or name, or deactivate them, which ends their logins within seconds."""
    tenant_id = auth.caller().tenant_id
    with tenant_session(tenant_id) as session:
        user = _reachable(session, path.id)
        before = _plain(users.view(user))
        users.change(session, user, body.model_dump(exclude_unset=True, exclude_none=True))
        if body.is_active is False:
            logins.end_all(session, user.user_id, "the user was deactivated")
        old, new = audit.changed(before, _plain(users.view(user)))
        audit.record(session, tenant_id, auth.actor(), "user.changed", "user", path.id, before=old, after=new)
        found = users.view(user)
    auth.forget()
    return found


@blueprint.delete("/tenant/users/<uuid:id>", responses={200: UserView})
@allows(Permission.TENANT_ADMIN)
def remove(path: IdPath) -> dict[str, Any]:
    """Remove a user with all logins; what they uploaded and asked stays the organisation's."""
    tenant_id = auth.caller().tenant_id
    with tenant_session(tenant_id) as session:
        user = _reachable(session, path.id)
        found = users.view(user)
        users.remove(session, user)
        audit.record(session, tenant_id, auth.actor(), "user.removed", "user", path.id, before=_plain(found))
    auth.forget()
    return found


@blueprint.delete("/tenant/users/<uuid:id>/sessions", responses={200: SignedOut})
@allows(Permission.TENANT_ADMIN)
def end_logins(path: IdPath) -> dict[str, Any]:
    """End all logins of a user; tokens and open sockets end within seconds."""
    tenant_id = auth.caller().tenant_id
    with tenant_session(tenant_id) as session:
        _reachable(session, path.id)
        ended = logins.end_all(session, path.id, "ended by an admin")
        audit.record(session, tenant_id, auth.actor(), "user.logins_ended", "user", path.id)
    auth.forget()
    return SignedOut(logins_ended=ended).model_dump(mode="json")


def _invited(session: Session, user: TenantUser) -> tuple[dict[str, Any], UUID]:
    """Return the answer to an invitation, with a new token, and the id of its mail."""
    token: Bearer = one_time.issue(session, user.tenant_id, user.user_id, Purpose.INVITATION)
    mail_id = posts.invitation(session, user.tenant_id, user, token)
    return {
        "user": users.view(user),
        "invitation_token": token.text,
        "invitation_url": posts.invitation_url(token),
    }, mail_id


def _reachable(session: Session, user_id: UUID) -> TenantUser:
    """Return a user whom the caller may administer. Raises NotFound; Forbidden for an operator, unless by one."""
    user = users.get(session, user_id)
    if user.role == Role.OPERATOR and Permission.OPERATE not in auth.caller().permissions:
        raise Forbidden("Operators are administered by operators.")
    return user


def _flags(fields: dict[str, Any]) -> dict[str, bool]:
    return {name: fields[name] for name in FLAGS if name in fields}


def _plain(view: dict[str, Any]) -> dict[str, Any]:
    """Return of a user's view what the audit log keeps: no personal settings."""
    return {name: view[name] for name in ("email", "name", "role", "is_active", *FLAGS)}
