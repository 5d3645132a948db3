"""The chunks next to a chunk in its document."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from pipelines.turn.finding.neighbours import Beside


def of(session: Session, tenant_id: UUID, chunk_ids: Sequence[int]) -> dict[int, Beside]:
    """Return the texts before and after these chunks, by chunk id, as far as they stand under the same headings.

    A chunk whose headings continue those of the other is of the same section.
    """
    rows = session.execute(text(_BESIDE), {"tenant_id": tenant_id, "chunk_ids": list(chunk_ids)})
    return {row.chunk_id: Beside(row.before or "", row.after or "") for row in rows}


_BESIDE = """
SELECT c.chunk_id, max(n.chunk_text) FILTER (WHERE n.chunk_index < c.chunk_index) AS before,
       max(n.chunk_text) FILTER (WHERE n.chunk_index > c.chunk_index) AS after
FROM document_chunks c
JOIN document_chunks n ON n.tenant_id = c.tenant_id AND n.doc_id = c.doc_id AND n.version = c.version
    AND n.chunk_index IN (c.chunk_index - 1, c.chunk_index + 1)
    AND (n.heading_path[1:cardinality(c.heading_path)] = c.heading_path
         OR c.heading_path[1:cardinality(n.heading_path)] = n.heading_path)
WHERE c.tenant_id = :tenant_id AND c.chunk_id = ANY (:chunk_ids)
GROUP BY c.chunk_id
"""
