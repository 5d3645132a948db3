"""Whose tenant a request names: its host, and what it repeats of the caller's."""

import time
from functools import lru_cache
from uuid import UUID

from flask import Flask, g, request

from api.door import origins
from api.door.auth import TRUSTED_FOR_S, Caller
from pipelines.stores.organisation import tenants
from schemas.errors.callers import WrongTenant
from schemas.errors.requests import NotFound
from schemas.settings import get_settings

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


def register(app: Flask) -> None:
    """Refuse requests that name another tenant than their caller's. Stands after what may refuse them unread."""
    app.before_request(_require_own_tenant)


def resolved_subdomain() -> str | None:
    """Return the subdomain that the request's host names, below AURA_BASE_DOMAIN; None where it names none."""
    base = get_settings().base_domain.lower()
    name = origins.name(request.host)
    if not base or not name.endswith("." + base):
        return None
    found = name.removesuffix("." + base)
    return None if found in tenants.RESERVED else found


def tenant_of(subdomain: str) -> UUID:
    """Return the tenant of a subdomain. Raises NotFound."""
    tenant_id = _looked_up(subdomain, int(time.monotonic() // TRUSTED_FOR_S))
    if tenant_id is None:
        raise NotFound("There is no organisation at this address.")
    return tenant_id


@lru_cache(maxsize=4096)
def _looked_up(subdomain: str, _moment: int) -> UUID | None:
    return tenants.by_subdomain(subdomain)


def _require_own_tenant() -> None:
    """Raise WrongTenant where header, query, body or host name a tenant that is not the caller's."""
    asking: Caller | None = g.get("caller")
    if asking is None:
        return
    named: list[object] = [request.headers.get("X-Tenant-ID"), request.args.get("tenant_id")]
    if request.is_json:
        body = request.get_json(silent=True)
        named.append(body.get("tenant_id") if isinstance(body, dict) else None)
    elif request.mimetype in FORMS:
        named.append(request.form.get("tenant_id"))
    for name in named:
        if name not in (None, "") and str(name).lower() != str(asking.tenant_id):
            raise WrongTenant
    subdomain = resolved_subdomain()
    if subdomain is not None and tenant_of(subdomain) != asking.tenant_id:
        raise WrongTenant
