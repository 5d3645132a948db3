"""Bulk ingestion: batches, resumable uploads, bundles, re-indexing; isolation of their rows; fair admission."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"

PARTS = ("tables", "isolation", "work")


def upgrade() -> None:
    folder = Path(__file__).parents[1] / "sql"
    for part in PARTS:
        # The driver's own cursor: the SQL holds `%` and `:` that are not parameters.
        op.get_bind().connection.cursor().execute((folder / f"0004_{part}.sql").read_text())


def downgrade() -> None:
    raise RuntimeError("Batches would be lost. Restore a backup instead.")
