"""Indexes over the vectors of large tenants, made and dropped again by upkeep.

Search inside a tenant is exact, which takes some microseconds a chunk. From `PROMOTE_AT` chunks of one model on, the
tenant gets an HNSW index of its own: over its rows alone, so that no other tenant's rows stand in the way of its
neighbours. Only the owner of a table may index it, and the app owns nothing. So this goes over a connection of a role
that may become `aura_owner`, which no process but upkeep is given.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
import structlog
from psycopg import sql
from sqlalchemy import text

from pipelines.stores.database import operator_session, tenant_session

PROMOTE_AT = 2_000
"""Chunks from which a tenant has an index: from there on exact search takes longer. See docs/decisions.md."""

MAX_WIDTH = 4_000
"""Widest half vectors that pgvector indexes."""

LINKS, BUILD_EFFORT = 16, 128
"""`m` and `ef_construction` of pgvector."""

ONE_AT_A_TIME = 0x48535749
"""Advisory lock: an index that somebody builds is not yet valid, and looks like one whose builder died."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Corpus:
    """A tenant's chunks of one model, and what their index is called."""

    tenant_id: UUID
    model: str
    chunks: int
    index: str


@dataclass(frozen=True)
class Settled:
    """The names of indexes that were made and dropped."""

    made: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def large_corpora(at_least: int = PROMOTE_AT) -> list[Corpus]:
    """Return what has so many chunks, over all tenants, the largest first."""
    question = text(
        "SELECT tenant_id, embedding_model, chunks, vector_index_name(tenant_id, embedding_model)"
        " FROM large_corpora(:at_least) ORDER BY chunks DESC"
    )
    with operator_session() as session:
        return [Corpus(*row) for row in session.execute(question, {"at_least": at_least})]


def settle(owner_url: str, promote_at: int = PROMOTE_AT) -> Settled:
    """Make the indexes that are missing and drop those that nobody needs, or whose builder died.

    Builds one after another, each without blocking who reads or writes. Returns at once while another process does.
    """
    with _owner(owner_url) as owner:
        if not owner.execute("SELECT pg_try_advisory_lock(%s)", (ONE_AT_A_TIME,)).fetchone()[0]:  # type: ignore[index]
            return Settled()
        # Half of it keeps an index that is there: a tenant at the limit is not indexed again and again.
        kept = large_corpora(promote_at // 2)
        known = dict(owner.execute(_KNOWN).fetchall())
        useless = {name for name, is_valid in known.items() if not is_valid} | (
            known.keys() - {corpus.index for corpus in kept}
        )
        for name in sorted(useless):
            _drop(owner, name)
        made = []
        for corpus in kept:
            missing = corpus.index not in known or corpus.index in useless
            if missing and corpus.chunks >= promote_at and _make(owner, corpus):
                made.append(corpus.index)
        return Settled(tuple(made), tuple(sorted(useless)))


_KNOWN = """
SELECT c.relname, i.indisvalid
FROM pg_inherits h
JOIN pg_index i ON i.indrelid = h.inhrelid
JOIN pg_class c ON c.oid = i.indexrelid
WHERE h.inhparent = 'document_chunks'::regclass AND c.relname LIKE 'vectors\\_%'
"""


@contextmanager
def _owner(url: str) -> Iterator[psycopg.Connection]:
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain, autocommit=True, connect_timeout=5, application_name="aura indexes") as connection:
        connection.execute("SET ROLE aura_owner")
        # A graph that fits is built several times faster; only what it needs is taken.
        connection.execute("SET maintenance_work_mem = '512MB'")
        yield connection


def _make(owner: psycopg.Connection, corpus: Corpus) -> bool:
    place = _place(corpus)
    if place is None:
        return False
    partition, width = place
    statement = sql.SQL(
        "CREATE INDEX CONCURRENTLY {name} ON {partition} USING hnsw ((embedding::halfvec({width})) halfvec_cosine_ops)"
        " WITH (m = {links}, ef_construction = {effort}) WHERE tenant_id = {tenant} AND embedding_model = {model}"
    ).format(
        name=sql.Identifier(corpus.index),
        partition=sql.Identifier(partition),
        width=sql.Literal(width),
        links=sql.Literal(LINKS),
        effort=sql.Literal(BUILD_EFFORT),
        tenant=sql.Literal(str(corpus.tenant_id)),
        model=sql.Literal(corpus.model),
    )
    about = {"tenant_id": str(corpus.tenant_id), "model": corpus.model, "chunks": corpus.chunks}
    try:
        owner.execute(statement)
    except psycopg.OperationalError:
        raise  # The server has gone, or ends us: what is half made is dropped the next time.
    except psycopg.Error as error:
        log.warning("vectors are searched exactly, as they could not be indexed", **about, detail=str(error)[:200])
        _drop(owner, corpus.index)
        return False
    log.info("vectors indexed", **about)
    return True


def _place(corpus: Corpus) -> tuple[str, int] | None:
    """Return the partition that the chunks are in and the width of their vectors; None where there is nothing to do."""
    question = text(
        "SELECT tableoid::regclass::text, vector_dims(embedding) FROM document_chunks"
        " WHERE tenant_id = :tenant_id AND embedding_model = :model LIMIT 1"
    )
    with tenant_session(corpus.tenant_id) as session:
        row = session.execute(question, {"tenant_id": corpus.tenant_id, "model": corpus.model}).one_or_none()
    return (row[0], row[1]) if row is not None and row[1] <= MAX_WIDTH else None


def _drop(owner: psycopg.Connection, name: str) -> None:
    owner.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(name)))
