"""Which tables hold rows of tenants: read from the models, so that a new table is never forgotten."""

import pkgutil
from functools import lru_cache
from importlib import import_module
from uuid import UUID

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from schemas import tables
from schemas.tables.base import Base
from schemas.tables.records import TenantDeletion


@lru_cache
def tenant_tables() -> tuple[Table, ...]:
    """Return every table with a `tenant_id`, those that others refer to first."""
    for module in pkgutil.iter_modules(tables.__path__):
        import_module(f"{tables.__name__}.{module.name}")
    return tuple(table for table in Base.metadata.sorted_tables if "tenant_id" in table.columns)


def counted(session: Session, tenant_id: UUID) -> dict[str, int]:
    """Return how many rows the tenant has in each table but that of the receipts, which outlive it."""
    return {
        table.name: session.scalar(select(func.count()).select_from(table).where(table.c.tenant_id == tenant_id)) or 0
        for table in tenant_tables()
        if table.name != TenantDeletion.__tablename__
    }
