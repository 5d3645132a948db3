"""The spine: tenants, documents, chunks, turns; isolation; search; the work functions."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

PARTS = ("tables", "isolation", "search", "work")


def upgrade() -> None:
    folder = Path(__file__).parents[1] / "sql"
    for part in PARTS:
        # The driver's own cursor: the SQL holds `%` and `:` that are not parameters.
        op.get_bind().connection.cursor().execute((folder / f"0001_{part}.sql").read_text())


def downgrade() -> None:
    raise RuntimeError("There is nothing below the first version. Drop the database instead.")
