"""What a tenant has chosen of its providers, read together with a step of its turns: its keys, and whom it avoids."""

from dataclasses import dataclass
from uuid import UUID

from pipelines.stores.database import Driver, Rows
from pipelines.stores.organisation.provider_keys import Kept
from pipelines.stores.turns.voice_policies import VoicePolicy
from schemas.requests.organisation.providers import KeyedProvider

_FOUND = """
SELECT api_keys, custom_settings -> 'voice_policy', custom_settings -> 'model_policy' -> 'avoid'
FROM tenants WHERE tenant_id = %(tenant)s
"""


@dataclass(frozen=True)
class Choices:
    """The tenant's sealed keys, and what it says about who listens and speaks."""

    keys: Kept
    policy: VoicePolicy


def of_tenant(driver: Driver, tenant_id: UUID) -> Rows:
    """Ask for the tenant's choices; `found` reads them."""
    return driver.execute(_FOUND, {"tenant": tenant_id})


def found(rows: Rows) -> Choices:
    """Return the tenant's choices; none where it is gone."""
    row = rows.fetchone()
    if row is None:
        return Choices((), VoicePolicy())
    keys = row[0] or {}
    sealed = tuple((provider, keys[provider]["sealed"]) for provider in KeyedProvider if provider in keys)
    return Choices(sealed, VoicePolicy(row[1], row[2]))
