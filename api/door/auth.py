"""Who is asking, and what they may do: the one place where every request is let in."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import structlog
from flask import Flask, current_app, g, request

from api.door import origins, tickets, visitors
from api.door.errors import trace_id
from api.door.permissions import declared
from api.door.visitors import Visit
from pipelines.identity import bearer, tokens
from pipelines.identity.bearer import Kind
from pipelines.stores.database import tenant_session
from pipelines.stores.identity import api_keys, standing
from pipelines.stores.identity.signing_keys import KeyRing
from pipelines.stores.identity.standing import Standing
from pipelines.stores.operations.audit import Actor
from schemas.errors.callers import Forbidden, Revoked, Unauthenticated, WrongTenant
from schemas.settings import get_settings
from schemas.tables.base import DEFAULT_TENANT_ID
from schemas.tables.identity import ApiKey, Permission, Role

TRUSTED_FOR_S = 2.0
"""Seconds for which a credential is not looked up again. What is revoked is refused after them."""

USE_NOTED_EVERY_S = 60.0
MAX_REMEMBERED = 20_000
WIDE_ROLES = (Role.ADMIN, Role.OPERATOR, "api_key")
"""Who may act for any user of the organisation."""


@dataclass(frozen=True)
class Caller:
    """Who a request acts for, and what it may do.

    `kind` is user, api_key, visitor (of a widget) or local (single-tenant mode without a token); `credential` is the id
    of the login, key or widget, by which it can be revoked; `name` is the e-mail or the key's name. With an
    `assistant_key` no other assistant may be asked.
    """

    tenant_id: UUID
    user_id: str
    role: str
    kind: str = "local"
    permissions: frozenset[Permission] = frozenset(Permission) - {Permission.VISIT}
    credential: UUID | None = None
    name: str | None = None
    organization: str = ""
    assistant_key: str | None = None

    @property
    def sees_all(self) -> bool:
        """Return whether the conversations of other users are theirs to see."""
        return self.role in WIDE_ROLES


def register(app: Flask) -> None:
    """Check every request before anything else happens: where it comes from, who sends it, what they may do."""
    app.before_request(_let_in)


def caller(tenant_id: UUID | None = None, user_id: str | None = None) -> Caller:
    """Return who asks in this request; as `user_id`, where they may act for others.

    A `tenant_id` may only repeat the caller's. Raises Unauthenticated, Forbidden.
    """
    found: Caller | None = g.get("caller")
    if found is None:
        raise Unauthenticated
    if tenant_id not in (None, found.tenant_id):
        raise WrongTenant
    if user_id in (None, "", found.user_id):
        return found
    if not found.sees_all:
        raise Forbidden("You may ask in your own name only.")
    return Caller(**{**vars(found), "user_id": user_id})


def person() -> tuple[Caller, UUID]:
    """Return the user who asks, with their id. Raises Forbidden where no person is signed in."""
    asking = caller()
    if asking.kind != "user":
        raise Forbidden("This is for users who have signed in; there is none behind this request.")
    return asking, UUID(asking.user_id)


def actor() -> Actor:
    """Return who acts in this request, as the audit log names them."""
    asking = caller()
    kind = "operator" if asking.role == Role.OPERATOR else asking.kind
    return Actor(kind, asking.user_id, asking.name, request.remote_addr, trace_id())


def holder(token: str | None, needs: Permission = Permission.CHAT) -> Caller:
    """Return who holds the token or ticket that a socket was opened with. Raises Unauthenticated, Revoked, Forbidden.

    A request that was let in by its headers needs none.
    """
    if token is None:
        return caller()
    found = _holder(token)
    if needs not in found.permissions:
        raise Forbidden
    return found


def still(asking: Caller) -> Caller:
    """Return a caller of some time ago with what they may do now. Raises Revoked and StoreUnavailable."""
    if asking.credential is None:
        return asking
    return _standing(asking.tenant_id, asking.kind, asking.credential)


def forget(credential: UUID | None = None) -> None:
    """Look credentials up again at their next use: one, or all."""
    _known().forget(credential)


def _let_in() -> None:
    # The thread served somebody else before.
    structlog.contextvars.clear_contextvars()
    origins.check(request)
    permission = declared(current_app, request.endpoint)
    # A browser asks for leave (CORS) before it shows a token; Flask answers that without the view.
    asks_leave = request.method == "OPTIONS" and getattr(request.url_rule, "provide_automatic_options", False)
    if permission is Permission.PUBLIC or asks_leave:
        return
    found = _who()
    if found is None:
        # The headers of a socket's opening may be silent: a browser cannot set them. Its first message speaks.
        # The route says what is a socket; an `Upgrade` header can be put on any request.
        if not getattr(request.url_rule, "websocket", False):
            raise Unauthenticated
        return
    g.caller = found
    structlog.contextvars.bind_contextvars(tenant_id=str(found.tenant_id), user_id=found.user_id)
    if permission not in found.permissions:
        raise Forbidden(f"Your role or key does not allow this (it needs `{permission}`).")


def _who() -> Caller | None:
    """Return the bearer of the request's credential, else the local user, else nobody."""
    authorization = request.headers.get("Authorization", "")
    scheme, _, token = authorization.partition(" ")
    if authorization and (scheme.lower() != "bearer" or not token.strip()):
        raise Unauthenticated("The Authorization header carries no bearer token.")
    ticket = request.args.get("ticket", "") if request.method == "GET" else ""
    if shown := token.strip() or request.headers.get("X-API-Key", "") or ticket:
        return _holder(shown)
    if get_settings().single_tenant:
        return LOCAL
    return None


def _holder(shown: str) -> Caller:
    secret = bearer.shown(shown, Kind.API_KEY, Kind.TICKET, Kind.VISITOR)
    if secret is None:
        claims = tokens.verified(shown, key_ring().verifying())
        return _standing(claims.tenant_id, "user", claims.session_id)
    if secret.kind is Kind.TICKET:
        kind, credential = tickets.redeem(secret)
        if kind == LOCAL.kind and get_settings().single_tenant:
            return LOCAL
        return _standing(secret.tenant_id, kind, credential)
    if secret.kind is Kind.VISITOR:
        return _visiting(secret.tenant_id, visitors.redeem(secret, origins.shown(request)))
    return _known().get(secret.hash, lambda: _of_secret(secret.tenant_id, secret.hash), Unauthenticated)


def _visiting(tenant_id: UUID, visit: Visit) -> Caller:
    """Return a visitor of a widget. Raises Revoked where it lets nobody in any more."""

    site = None if origins.is_own(visit.origin, request) else visit.origin

    def look() -> Standing | None:
        with tenant_session(tenant_id, durable=False) as session:
            return standing.of_widget(session, visit.widget_id, site, visit.visitor)

    return _known().get(f"{tenant_id}:{visit.visitor}", look, Revoked)


def _standing(tenant_id: UUID, kind: str, credential: UUID) -> Caller:
    """Return the caller behind a login or a key by its id. Raises Revoked."""

    def look() -> Standing | None:
        with tenant_session(tenant_id, durable=False) as session:
            if kind == "user":
                return standing.of_login(session, credential)
            return standing.of_key(session, ApiKey.key_id == credential)

    return _known().get(f"{tenant_id}:{credential}", look, Revoked)


def _of_secret(tenant_id: UUID, key_hash: str) -> Standing | None:
    with tenant_session(tenant_id, durable=False) as session:
        found = standing.of_key(session, ApiKey.key_hash == key_hash)
        if found is not None and _known().is_time_to_note(found.credential):
            api_keys.used(session, found.credential)
        return found


class Known:
    """Callers that were looked up a moment ago. Safe to share among threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callers: dict[str, tuple[float, Caller]] = {}
        self._noted: dict[UUID, float] = {}

    def get(self, name: str, look: Callable[[], Standing | None], error: type[Unauthenticated]) -> Caller:
        """Return the caller called `name`, looked up unless that was done a moment ago. Raises `error`."""
        now = time.monotonic()
        there = self._callers.get(name)
        if there is not None and now - there[0] < TRUSTED_FOR_S:
            return there[1]
        found = look()
        if found is None:
            self._callers.pop(name, None)
            raise error
        asking = Caller(**vars(found))
        with self._lock:
            if len(self._callers) >= MAX_REMEMBERED:
                self._callers = {key: kept for key, kept in self._callers.items() if now - kept[0] < TRUSTED_FOR_S}
            self._callers[name] = (now, asking)
        return asking

    def forget(self, credential: UUID | None) -> None:
        with self._lock:
            self._callers = {
                name: kept
                for name, kept in self._callers.items()
                if credential is not None and kept[1].credential != credential
            }

    def is_time_to_note(self, credential: UUID) -> bool:
        """Return whether a use of this key is to be written down: once a minute is enough."""
        now = time.monotonic()
        with self._lock:
            due = now - self._noted.get(credential, -USE_NOTED_EVERY_S) >= USE_NOTED_EVERY_S
            if due:
                if len(self._noted) >= MAX_REMEMBERED:
                    self._noted.clear()
                self._noted[credential] = now
        return due


@lru_cache
def _known() -> Known:
    return Known()


@lru_cache
def key_ring() -> KeyRing:
    """Return the signing keys as this process knows them."""
    return KeyRing()


LOCAL = Caller(UUID(DEFAULT_TENANT_ID), "local", Role.ADMIN, organization="Default Organization")
"""Who asks without a token in single-tenant mode: the person at this machine, who may do everything."""
