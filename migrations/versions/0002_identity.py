"""Identity: users, logins, keys, audit, usage; isolation of their rows; the lookups at the door."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

PARTS = ("tables", "isolation", "lookups")


def upgrade() -> None:
    folder = Path(__file__).parents[1] / "sql"
    for part in PARTS:
        # The driver's own cursor: the SQL holds `%` and `:` that are not parameters.
        op.get_bind().connection.cursor().execute((folder / f"0002_{part}.sql").read_text())


def downgrade() -> None:
    raise RuntimeError("Users and keys would be lost. Restore a backup instead.")
