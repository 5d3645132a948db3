"""A tenant's own keys of providers: sealed in its row, opened only where a provider is made.

`tenants.api_keys` holds, by provider, what `sealing` made of the key, its last characters and when it was set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from pipelines.stores import sealing
from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.ingest import file_passwords
from pipelines.stores.operations import audit, mails
from pipelines.stores.operations.audit import Actor
from pipelines.stores.webhooks import endpoints
from schemas.errors.callers import Unsealable
from schemas.errors.requests import NotFound, NotOffered
from schemas.logs import hide
from schemas.requests.organisation.providers import KeyedProvider
from schemas.tables.tenancy import Tenant

HINT_CHARS = 4
HINTED_FROM_CHARS = 16
"""A shorter key is given no hint: it would be much of the key."""

PAGE = 200
TRIES = 5

Kept: TypeAlias = tuple[tuple[KeyedProvider, str], ...]
"""Sealed keys by their providers, in order, so that the same keys are the same value."""


@dataclass(frozen=True)
class Resealed:
    """What sealing again has done. Finished is it where `unopened` and `contended` are 0."""

    tenants: int = 0
    keys: int = 0
    mails: int = 0
    webhooks: int = 0
    passwords: int = 0
    unopened: int = 0
    contended: int = 0


def listing(session: Session) -> list[dict[str, Any]]:
    """Return what may be seen of the tenant's keys, by provider."""
    rows = session.scalar(select(Tenant.api_keys)) or {}
    return [_view(provider, rows[provider]) for provider in KeyedProvider if provider in rows]


def put(session: Session, tenant_id: UUID, actor: Actor, provider: KeyedProvider, key: str) -> dict[str, Any]:
    """Keep a key in place of the one there is, and return what may be seen of it. Raises NotFound."""
    hide(key)
    tenant = _held(session, tenant_id)
    before = tenant.api_keys.get(provider)
    row = {
        "sealed": sealing.seal(key, tenant_id, _purpose(provider)),
        "hint": key[-HINT_CHARS:] if len(key) >= HINTED_FROM_CHARS else "",
        "set_at": datetime.now(UTC).isoformat(),
    }
    tenant.api_keys = {**tenant.api_keys, provider.value: row}
    audit.record(
        session,
        tenant_id,
        actor,
        "provider_key.set",
        "provider_key",
        provider.value,
        before=_view(provider, before) if before else None,
        after=_view(provider, row),
    )
    return _view(provider, row)


def remove(session: Session, tenant_id: UUID, actor: Actor, provider: KeyedProvider) -> dict[str, Any]:
    """Forget a key and return what could be seen of it. Raises NotFound."""
    tenant = _held(session, tenant_id)
    if provider not in tenant.api_keys:
        raise NotFound(f"No key of {provider.value} is kept.")
    gone = _view(provider, tenant.api_keys[provider])
    tenant.api_keys = {name: row for name, row in tenant.api_keys.items() if name != provider}
    audit.record(
        session, tenant_id, actor, "provider_key.removed", "provider_key", provider.value, before=gone, after=None
    )
    return gone


def kept(tenant_id: UUID) -> Kept:
    """Return the tenant's sealed keys; none where it has none, or is gone. Raises StoreUnavailable."""
    with tenant_session(tenant_id, durable=False) as session:
        rows = session.scalar(select(Tenant.api_keys)) or {}
    return tuple((provider, rows[provider]["sealed"]) for provider in KeyedProvider if provider in rows)


def opened(sealed: str, tenant_id: UUID, provider: KeyedProvider) -> str:
    """Return a key that the tenant keeps; no log line shows it from now on.

    Raises NotOffered where it cannot be opened: with the deployment's key instead, somebody else would pay.
    """
    try:
        key = sealing.unseal(sealed, tenant_id, _purpose(provider))
    except Unsealable as error:
        raise NotOffered(f"The organisation's own key of {provider.value} cannot be opened. Set it again.") from error
    hide(key)
    return key


def reseal_all() -> Resealed:
    """Seal keys, webhook secrets, mails and passwords of files of all tenants with the newest secret; others may write.

    A value is replaced only where it is still the one that was read. What none of the secrets opens is left
    as it is and counted.
    """
    total: dict[str, int] = dict.fromkeys(Resealed.__dataclass_fields__, 0)
    before: tuple[datetime | None, UUID | None] = (None, None)
    while page := _page(before):
        for tenant_id, created_at in page:
            before = (created_at, tenant_id)
            for reseal in (_reseal_keys, _reseal_rows):
                for name, count in reseal(tenant_id).items():
                    total[name] += count
        total["tenants"] += len(page)
    return Resealed(**total)


def _page(before: tuple[datetime | None, UUID | None]) -> list[tuple[UUID, datetime]]:
    question = text(
        "SELECT tenant_id, created_at FROM list_tenants(CAST(:at AS timestamptz), CAST(:id AS uuid), :limit)"
    )
    with operator_session() as session:
        rows = session.execute(question, {"at": before[0], "id": before[1], "limit": PAGE})
        return [(row.tenant_id, row.created_at) for row in rows]


def _reseal_keys(tenant_id: UUID) -> dict[str, int]:
    """Return how many keys were sealed again, could not be opened, or were written too often to be caught."""
    done = unopened = 0
    for _ in range(TRIES):
        unopened = lost = 0
        for provider, sealed in kept(tenant_id):
            try:
                key = sealing.unseal(sealed, tenant_id, _purpose(provider))
            except Unsealable:
                unopened += 1
                continue
            if sealing.is_current(sealed):
                continue
            swapped = _swap(tenant_id, provider, sealed, sealing.seal(key, tenant_id, _purpose(provider)))
            done, lost = done + swapped, lost + (not swapped)
        if not lost:
            break
    return {"keys": done, "unopened": unopened, "contended": lost}


def _swap(tenant_id: UUID, provider: KeyedProvider, old: str, new: str) -> bool:
    """Put `new` where `old` still stands; return whether it did."""
    place = [provider.value, "sealed"]
    with tenant_session(tenant_id) as session:
        found = session.execute(
            text(
                "UPDATE tenants SET api_keys = jsonb_set(api_keys, :place, to_jsonb(CAST(:new AS text)))"
                " WHERE tenant_id = :tenant AND api_keys #>> :place = :old"
            ),
            {"place": place, "new": new, "old": old, "tenant": tenant_id},
        )
    return bool(found.rowcount)  # type: ignore[attr-defined]


def _reseal_rows(tenant_id: UUID) -> dict[str, int]:
    with tenant_session(tenant_id) as session:
        mailed, closed_mails = mails.reseal(session, tenant_id)
        hooks, closed_hooks = endpoints.reseal(session, tenant_id)
        passwords, closed_files = file_passwords.reseal(session, tenant_id)
    unopened = closed_mails + closed_hooks + closed_files
    return {"mails": mailed, "webhooks": hooks, "passwords": passwords, "unopened": unopened}


def _held(session: Session, tenant_id: UUID) -> Tenant:
    """Return the tenant's row, locked against other writers but not against rows that refer to it."""
    tenant = session.scalar(
        select(Tenant).where(Tenant.tenant_id == tenant_id).with_for_update(key_share=True),
        execution_options={"populate_existing": True},
    )
    if tenant is None:
        raise NotFound("There is no tenant with this id.")
    return tenant


def _view(provider: KeyedProvider, row: Mapping[str, Any]) -> dict[str, Any]:
    return {"provider": provider.value, "hint": row["hint"], "set_at": row["set_at"]}


def _purpose(provider: KeyedProvider) -> str:
    return f"provider_key:{provider.value}"
