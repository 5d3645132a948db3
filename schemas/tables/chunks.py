"""Tables of what documents became: chunks, their edits, cards, and what is counted over a tenant's."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from schemas.tables.base import Base, HalfVector, Tsvector
from schemas.tables.knowledge import Status


class DocumentChunk(Base):
    """A findable piece of a document. Partitioned by tenant; see the migration.

    `context_sha256` is of the text that was embedded: a chunk that has it already is not embedded again.
    `language` is the text search configuration that made its `lexemes`.
    """

    __tablename__ = "document_chunks"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "doc_id"], ["documents.tenant_id", "documents.doc_id"], ondelete="CASCADE"),
        Index("uq_document_chunks_index", "tenant_id", "doc_id", "version", "chunk_index", unique=True),
        Index("ix_document_chunks_lexemes", "lexemes", postgresql_using="gin"),
        Index("ix_document_chunks_context", "tenant_id", "context_sha256"),
        {"postgresql_partition_by": "HASH (tenant_id)"},
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    chunk_id: Mapped[int] = mapped_column(
        BigInteger, server_default=text("nextval('document_chunk_ids')"), primary_key=True
    )
    doc_id: Mapped[UUID]
    version: Mapped[int]
    chunk_index: Mapped[int]
    assistant_key: Mapped[str | None]
    chunk_text: Mapped[str]
    chunk_type: Mapped[str]
    token_count: Mapped[int]
    start_char: Mapped[int]
    end_char: Mapped[int]
    heading_path: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    page_from: Mapped[int | None]
    page_to: Mapped[int | None]
    boxes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, server_default="{}")
    embedding: Mapped[NDArray[np.float16]] = mapped_column(HalfVector)
    embedding_model: Mapped[str]
    lexemes: Mapped[str] = mapped_column(Tsvector)
    lexeme_count: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    context_sha256: Mapped[bytes | None]
    edited_at: Mapped[datetime | None]
    language: Mapped[str] = mapped_column(server_default="english")


class DocumentCard(Base):
    """What a document of several chunks is called and how it begins: it leads a question to the document as a whole.

    `lexemes` are stems as `pipelines/turn/wording/words.py` makes them; `card_sha256` is of the text that was embedded.
    """

    __tablename__ = "document_cards"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "doc_id"], ["documents.tenant_id", "documents.doc_id"], ondelete="CASCADE"),
        Index("ix_document_cards_sha256", "tenant_id", "card_sha256"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    doc_id: Mapped[UUID] = mapped_column(primary_key=True)
    embedding_model: Mapped[str]
    embedding: Mapped[NDArray[np.float16]] = mapped_column(HalfVector)
    lexemes: Mapped[str] = mapped_column(Tsvector)
    card_sha256: Mapped[bytes]


class EditStatus(StrEnum):
    """Where an edit stands. `superseded`: a later edit of the same chunk is in its place."""

    QUEUED = "queued"
    RUNNING = "running"
    APPLIED = "applied"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    DROPPED = "dropped"


class ChunkEdit(Base):
    """A chunk's text that somebody replaced: accepted work until it is embedded and stored.

    `replaced_sha256` is of the text that the document had there before any edit: a re-index keeps an edit
    whose text is still cut so, and moves it to the chunk that has that text now.
    """

    __tablename__ = "chunk_edits"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "doc_id"], ["documents.tenant_id", "documents.doc_id"], ondelete="CASCADE"),
        Index("ix_chunk_edits_document", "tenant_id", "doc_id", "chunk_id"),
        Index("ix_chunk_edits_open", "enqueued_at", postgresql_where=text("status IN ('queued', 'running')")),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    edit_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    doc_id: Mapped[UUID]
    chunk_id: Mapped[int] = mapped_column(BigInteger)
    chunk_index: Mapped[int]
    user_id: Mapped[str]
    chunk_text: Mapped[str]
    replaced_sha256: Mapped[bytes | None]
    status: Mapped[str] = mapped_column(server_default=Status.QUEUED)
    attempts: Mapped[int] = mapped_column(server_default="0")
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    enqueued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    applied_at: Mapped[datetime | None]


class TermFrequency(Base):
    """In how many chunks of a tenant a lexeme occurs: the `df` of BM25."""

    __tablename__ = "term_frequencies"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    lexeme: Mapped[str] = mapped_column(primary_key=True)
    chunks: Mapped[int]


class CorpusSize(Base):
    """How many chunks and lexemes a tenant has: the `N` and the average length of BM25."""

    __tablename__ = "corpus_sizes"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    chunks: Mapped[int] = mapped_column(BigInteger)
    lexemes: Mapped[int] = mapped_column(BigInteger)


class CorpusModel(Base):
    """How many of a tenant's chunks have vectors of a model: which models a question is put to."""

    __tablename__ = "corpus_models"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    embedding_model: Mapped[str] = mapped_column(primary_key=True)
    chunks: Mapped[int] = mapped_column(BigInteger)


class CorpusLanguage(Base):
    """How many of a tenant's chunks are in a language: by which stemmers a question is read."""

    __tablename__ = "corpus_languages"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    chunks: Mapped[int] = mapped_column(BigInteger)
