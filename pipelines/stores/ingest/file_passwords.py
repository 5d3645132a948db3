"""The passwords that came with files, sealed again when the deployment's secret changes."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from pipelines.stores import sealing
from schemas.errors.callers import Unsealable

PLACES = (("documents", "doc_id", "document"), ("batches", "batch_id", "batch"), ("uploads", "upload_id", "upload"))
"""Where a password is kept: the table, its key, and what the seal is bound to."""


def reseal(session: Session, tenant_id: UUID) -> tuple[int, int]:
    """Seal the tenant's passwords with the newest secret; return how many, and how many did not open."""
    done = unopened = 0
    for table, key, bound_to in PLACES:
        waiting = f"SELECT {key}, password_sealed FROM {table} WHERE password_sealed IS NOT NULL"
        for row_id, sealed in session.execute(text(waiting)).all():
            purpose = f"{bound_to}:{row_id}"
            try:
                opened = sealing.unseal(sealed, tenant_id, purpose)
            except Unsealable:
                unopened += 1
                continue
            if sealing.is_current(sealed):
                continue
            again = sealing.seal(opened, tenant_id, purpose)
            swap = f"UPDATE {table} SET password_sealed = :again WHERE {key} = :id AND password_sealed = :sealed"
            found = session.execute(text(swap), {"again": again, "id": row_id, "sealed": sealed})
            done += found.rowcount  # type: ignore[attr-defined]
    return done, unopened
