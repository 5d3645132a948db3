"""What tenants have chosen of their providers, brought along by who reads their rows anyhow: it spares a round trip."""

from uuid import UUID

from pipelines.stores.database import Driver, Rows
from pipelines.stores.turns import choices
from workers import wiring
from workers.speech import voice_line


def ask(driver: Driver, tenant_id: UUID) -> Rows | None:
    """Ask for it where it is to be read again; to be given to `know`."""
    return choices.of_tenant(driver, tenant_id) if wiring.wants_keys(tenant_id) else None


def know(tenant_id: UUID, rows: Rows | None) -> None:
    """Take what was asked for."""
    if rows is not None:
        found = choices.found(rows)
        wiring.know(tenant_id, found.keys)
        voice_line.know(tenant_id, found.policy)
