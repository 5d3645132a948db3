"""What is counted over a tenant's chunks: the frequencies and lengths that BM25 needs, the models of the vectors,
and the languages.

Counted in the transactions that write the chunks, so that scores are exact at every moment.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


def count(
    session: Session, tenant_id: UUID, doc_ids: Sequence[UUID] = (), chunk_ids: Sequence[int] = (), *, sign: int
) -> None:
    """Add (sign 1) or take away (-1) the chunks of these documents, or these chunks.

    Needs the tenant's corpus to be locked (`chunks.lock_corpus`).
    """
    which = "c.chunk_id = ANY (:chunk_ids)" if chunk_ids else "c.doc_id = ANY (:doc_ids)"
    facts = {"tenant_id": tenant_id, "doc_ids": list(doc_ids), "chunk_ids": list(chunk_ids), "sign": sign}
    for statement in _COUNTS:
        session.execute(text(statement.format(which=which)), facts)


_COUNTS = (
    """
    INSERT INTO term_frequencies AS f (tenant_id, lexeme, chunks)
    SELECT c.tenant_id, l.lexeme, :sign * count(*) FROM document_chunks c, unnest(c.lexemes) l
    WHERE c.tenant_id = :tenant_id AND {which} GROUP BY 1, 2
    ON CONFLICT (tenant_id, lexeme) DO UPDATE SET chunks = f.chunks + EXCLUDED.chunks
    """,
    """
    INSERT INTO corpus_sizes AS s (tenant_id, chunks, lexemes)
    SELECT :tenant_id, :sign * count(*), :sign * coalesce(sum(lexeme_count), 0) FROM document_chunks c
    WHERE c.tenant_id = :tenant_id AND {which}
    ON CONFLICT (tenant_id) DO UPDATE SET chunks = s.chunks + EXCLUDED.chunks, lexemes = s.lexemes + EXCLUDED.lexemes
    """,
    """
    INSERT INTO corpus_models AS m (tenant_id, embedding_model, chunks)
    SELECT :tenant_id, c.embedding_model, :sign * count(*) FROM document_chunks c
    WHERE c.tenant_id = :tenant_id AND {which} GROUP BY 2
    ON CONFLICT (tenant_id, embedding_model) DO UPDATE SET chunks = m.chunks + EXCLUDED.chunks
    """,
    """
    INSERT INTO corpus_languages AS g (tenant_id, language, chunks)
    SELECT :tenant_id, c.language, :sign * count(*) FROM document_chunks c
    WHERE c.tenant_id = :tenant_id AND {which} GROUP BY 2
    ON CONFLICT (tenant_id, language) DO UPDATE SET chunks = g.chunks + EXCLUDED.chunks
    """,
)
