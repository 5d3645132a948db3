"""Webhooks: endpoints, deliveries and their tries; isolation of their rows; who takes what is due."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"

PARTS = ("tables", "isolation", "work")


def upgrade() -> None:
    folder = Path(__file__).parents[1] / "sql"
    for part in PARTS:
        # The driver's own cursor: the SQL holds `%` and `:` that are not parameters.
        op.get_bind().connection.cursor().execute((folder / f"0003_{part}.sql").read_text())


def downgrade() -> None:
    raise RuntimeError("Endpoints and what they are owed would be lost. Restore a backup instead.")
