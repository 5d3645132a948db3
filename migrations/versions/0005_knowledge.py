"""Knowledge besides documents, and assistants that can be set up."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    folder = Path(__file__).parents[1] / "sql"
    for script in sorted(folder.glob("0005_*.sql")):
        # The driver's own cursor: the SQL holds `%` and `:` that are not parameters.
        op.get_bind().connection.cursor().execute(script.read_text())


def downgrade() -> None:
    raise RuntimeError("What it holds would be lost. Restore a backup instead.")
