"""Nobody but the app calls the functions that act across tenants."""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    folder = Path(__file__).parents[1] / "sql"
    for script in sorted(folder.glob("0014_*.sql")):
        # The driver's own cursor: the SQL holds `%` and `:` that are not parameters.
        op.get_bind().connection.cursor().execute(script.read_text())


def downgrade() -> None:
    raise RuntimeError("What it holds would be lost. Restore a backup instead.")
