"""Tables of knowledge besides documents: training pairs, logic notes and reference materials.

An entry is findable as the document that has its id and its source: that holds its chunks and the work on them.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ForeignKeyConstraint, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import SchemaItem

from schemas.tables.base import Base


def _constraints(table: str) -> tuple[SchemaItem, ...]:
    return (
        ForeignKeyConstraint(["tenant_id", "id"], ["documents.tenant_id", "documents.doc_id"], ondelete="CASCADE"),
        Index(f"uq_{table}_name", "tenant_id", text("coalesce(assistant_key, '')"), "name_sha256", unique=True),
        Index(f"ix_{table}_listing", "tenant_id", "created_at", "id"),
    )


class TrainingPair(Base):
    """A question and the answer that is given to it, word for word. Of a prompt there is one for each assistant."""

    __tablename__ = "training_data"
    __table_args__ = _constraints("training_data")

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    assistant_key: Mapped[str | None]
    prompt: Mapped[str]
    response: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    created_by: Mapped[str]
    name_sha256: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LogicNote(Base):
    """A rule or fact in somebody's words. Of a title there is one for each assistant."""

    __tablename__ = "logic_notes"
    __table_args__ = _constraints("logic_notes")

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    assistant_key: Mapped[str | None]
    title: Mapped[str]
    content: Mapped[str]
    category: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    created_by: Mapped[str]
    name_sha256: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ReferenceMaterial(Base):
    """A text to be looked up in. `file_size` is in bytes. Of a filename there is one for each assistant."""

    __tablename__ = "reference_materials"
    __table_args__ = _constraints("reference_materials")

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    assistant_key: Mapped[str | None]
    filename: Mapped[str]
    original_filename: Mapped[str]
    title: Mapped[str]
    file_type: Mapped[str]
    file_size: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    uploaded_by: Mapped[str]
    name_sha256: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


Entry = TrainingPair | LogicNote | ReferenceMaterial
