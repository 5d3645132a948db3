"""The migrations make what the models say."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

import schemas.tables.batches
import schemas.tables.chunks
import schemas.tables.dialogue
import schemas.tables.hooks
import schemas.tables.identity
import schemas.tables.knowledge
import schemas.tables.memory
import schemas.tables.recordings
import schemas.tables.records
import schemas.tables.tenancy
import schemas.tables.training  # noqa: F401 (fills the metadata)
from schemas.tables.base import Base


def _ours(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    # Partitions are made by the migration and are not tables of the models.
    return not (kind == "table" and (name or "").startswith("document_chunks_"))


def test_the_migrated_schema_is_that_of_the_models(servers: tuple[str, str, str]) -> None:
    url = servers[0].rpartition("/")[0] + "/aura"
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    options = {"include_object": _ours, "compare_type": False, "compare_server_default": False}
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
    engine.dispose()
    assert differences == []
