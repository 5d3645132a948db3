"""Where documents stand: how far their work is, and how many go before those that wait. Many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from schemas.tables.knowledge import Document, Stage, Status


@dataclass(frozen=True)
class Progress:
    """How far the newest version's latest stage is: `done` of `total` pages, chunks or milliseconds.

    `holder` is the worker that has a part of it, None while nobody has. `queue` is where its open parts wait.
    `attempts` counts the claims of the part that was begun most often; `due_at` is when the next is due.
    """

    stage: Stage
    done: int
    total: int
    holder: str | None
    attempts: int
    queue: str
    due_at: datetime | None
    embedding_model: str | None


def progress(session: Session, documents: Sequence[Document]) -> dict[UUID, Progress]:
    """Return how far each of these documents is that was ever begun."""
    if not documents:
        return {}
    rows = session.execute(text(_PROGRESS), {"ids": [document.doc_id for document in documents]})
    order = list(Stage)
    found: dict[UUID, Progress] = {}
    for doc_id, stage, *values in rows:
        here = Progress(Stage(stage), *values)
        if doc_id not in found or order.index(here.stage) > order.index(found[doc_id].stage):
            found[doc_id] = here
    return found


def places(session: Session, documents: Sequence[Document]) -> dict[UUID, int]:
    """Return, for those of the documents that are queued, how many of the tenant's are begun before each.

    Admission takes the tenant's lanes (its batches, and what came alone) in turn, so of every other lane as many
    go before as there are in front in its own, if it has so many. Lanes of paused batches do not move and are not
    counted. Priorities count over all lanes. It is an estimate: large documents weigh as sixteen small ones in
    the turns, and what is uploaded meanwhile with a higher priority goes before.
    """
    queued = [document.doc_id for document in documents if document.processing_status == Status.QUEUED]
    if not queued:
        return {}
    return {doc_id: int(before) for doc_id, before in session.execute(text(_PLACES), {"ids": queued})}


_PROGRESS = """
SELECT s.doc_id, s.stage,
       coalesce(sum(CASE WHEN s.status = 'processed' THEN w.size
                         WHEN s.status = 'running' THEN least(s.done, w.size) END), 0)::int,
       sum(w.size)::int,
       max(s.worker) FILTER (WHERE s.status = 'running' AND s.lease_until > now()),
       max(s.attempts)::int,
       coalesce(max(s.queue) FILTER (WHERE s.status IN ('queued', 'running')), max(s.queue)),
       min(s.due_at) FILTER (WHERE s.status = 'queued'),
       max(v.embedding_model)
FROM (SELECT tenant_id, doc_id, max(version) AS version FROM document_versions
      WHERE doc_id = ANY(:ids) GROUP BY 1, 2) n
JOIN document_versions v USING (tenant_id, doc_id, version)
JOIN document_stages s USING (tenant_id, doc_id, version)
JOIN documents d USING (tenant_id, doc_id)
CROSS JOIN LATERAL (
    SELECT coalesce(s.span_to - s.span_from, CASE WHEN s.stage = 'extract' THEN d.pages END, 1) AS size
) w
GROUP BY s.doc_id, s.stage
"""

# The index of what is queued has each lane in this order, so no row is sorted.
_PLACES = """
WITH waiting AS (
    SELECT d.doc_id, d.lane, d.priority,
           row_number() OVER (PARTITION BY d.lane ORDER BY d.priority DESC, d.queued_at, d.doc_id) - 1 AS before,
           coalesce(b.state = 'paused', false) AS paused
    FROM documents d LEFT JOIN batches b ON b.tenant_id = d.tenant_id AND b.batch_id = d.lane
    WHERE d.processing_status = 'queued'
),
lanes AS (
    SELECT lane, priority, count(*) AS documents FROM waiting WHERE NOT paused GROUP BY 1, 2
),
asked AS (
    SELECT w.doc_id, w.lane, w.priority, w.before,
           w.before - coalesce(sum(l.documents) FILTER (WHERE l.priority > w.priority), 0) AS among_equals
    FROM waiting w LEFT JOIN lanes l ON l.lane = w.lane
    WHERE w.doc_id = ANY(:ids) GROUP BY 1, 2, 3, 4
)
SELECT a.doc_id, a.before + coalesce(sum(
    CASE WHEN l.priority > a.priority THEN l.documents
         WHEN l.priority = a.priority THEN least(l.documents, greatest(a.among_equals, 0)) ELSE 0 END), 0)
FROM asked a LEFT JOIN lanes l ON l.lane <> a.lane
GROUP BY a.doc_id, a.before
"""
