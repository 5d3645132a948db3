"""What a tenant says about who listens and speaks for it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from pipelines.stores.database import tenant_session

# Who may not see a tenant's questions may not hear them either.
_FOUND = text(
    "SELECT custom_settings -> 'voice_policy', custom_settings -> 'model_policy' -> 'avoid' FROM tenants"
    " WHERE tenant_id = :tenant"
)


@dataclass(frozen=True)
class VoicePolicy:
    """`custom_settings.voice_policy` as it was set, and whom `model_policy` avoids."""

    given: Any = None
    avoided: Any = None

    def of(self, kind: str) -> tuple[object, object]:
        """Return what holds for a `kind` of work, `transcription` or `speech`, as `Policy.of` takes it."""
        return {"avoid": self.avoided}, self.given.get(kind) if isinstance(self.given, dict) else None


def found(tenant_id: UUID) -> VoicePolicy:
    """Return the tenant's policy. Raises StoreUnavailable."""
    with tenant_session(tenant_id, durable=False) as session:
        row = session.execute(_FOUND, {"tenant": tenant_id}).one_or_none()
    return VoicePolicy(*row) if row is not None else VoicePolicy()
