"""Run migrations as `aura_owner`, on the connection that the caller hands over."""

from alembic import context
from sqlalchemy import create_engine, text

import schemas.tables.batches
import schemas.tables.chunks
import schemas.tables.dialogue
import schemas.tables.hooks
import schemas.tables.identity
import schemas.tables.knowledge
import schemas.tables.records
import schemas.tables.tenancy  # noqa: F401 (fills the metadata)
from schemas.tables.base import Base


def migrate(connection) -> None:
    connection.execute(text("SET ROLE aura_owner"))
    connection.commit()
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(text("RESET ROLE"))
    connection.commit()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    migrate(handed_over)
else:
    with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as opened:
        migrate(opened)
