"""Who is asking, and from where."""

from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, Request, request

from api.errors import trace_id
from pipelines.stores.audit import Actor
from schemas.base import DEFAULT_TENANT_ID
from schemas.errors import Forbidden, Unauthenticated
from schemas.identity import Permission
from schemas.settings import get_settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Caller:
    """Who a request acts for, and what it may do.

    `kind` is user, api_key or local (single-tenant mode without a token); `credential` is the id of the
    login or key, by which it can be revoked; `name` is the e-mail or the key's name.
    """

    tenant_id: UUID
    user_id: str
    role: str
    kind: str = "local"
    permissions: frozenset[Permission] = frozenset(Permission)
    credential: UUID | None = None
    name: str | None = None
    organization: str = ""


def register(app: Flask) -> None:
    """Check where every request comes from before anything else happens."""
    app.before_request(lambda: check_origin(request))


def caller(tenant_id: UUID | None = None, user_id: str | None = None) -> Caller:
    """Return who asks. In single-tenant mode that is the default tenant's admin.

    A `tenant_id` in the request may only repeat the caller's. Raises Unauthenticated, Forbidden.
    """
    if not get_settings().single_tenant:
        raise Unauthenticated
    found = Caller(UUID(DEFAULT_TENANT_ID), user_id or "local", "admin")
    if tenant_id not in (None, found.tenant_id):
        raise Forbidden("The tenant named in the request is not yours.")
    return found


def actor() -> Actor:
    """Return who acts in this request, as the audit log names them."""
    asking = caller()
    return Actor(asking.kind, asking.user_id, asking.name, request.remote_addr, trace_id())


def holder(token: str | None) -> Caller:
    """Return who holds the token that a socket was opened with. Raises Unauthenticated."""
    return caller()


def check_origin(asking: Request) -> None:
    """Refuse what a web page of another site could send to a server without tokens.

    The Host must be one of ours (a name that resolves to loopback is not enough: DNS rebinding), and
    whatever changes state or opens a socket must not come from another site. Raises Forbidden.
    """
    settings = get_settings()
    if not settings.single_tenant:
        return
    if _name(asking.host) not in settings.allowed_hosts:
        raise Forbidden("This server does not answer to that host name (AURA_ALLOWED_HOSTS).")
    if asking.method in SAFE_METHODS and asking.headers.get("Upgrade", "").lower() != "websocket":
        return
    origin = asking.headers.get("Origin")
    if origin is not None and _name(urlsplit(origin).netloc) not in settings.allowed_hosts:
        raise Forbidden("Requests from other sites are refused.")
    if asking.headers.get("Sec-Fetch-Site") == "cross-site":
        raise Forbidden("Requests from other sites are refused.")


def refuse_unsafe_start() -> None:
    """Raise ValueError where single-tenant mode would be reachable beyond this machine."""
    settings = get_settings()
    if settings.single_tenant and settings.host not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError(
            f"AURA_SINGLE_TENANT answers without a token, so it listens on loopback only, not on {settings.host}."
            " Set AURA_SINGLE_TENANT=0."
        )


def _name(host: str) -> str:
    """Return a Host header's name without the port; brackets of IPv6 stay."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()
