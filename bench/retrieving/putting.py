"""Puts a set into a tenant of its own as the workers do, without queues: cut, embedded in one go, stored."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import numpy as np
import psycopg

from bench.retrieving.kinds import Source
from pipelines.ingest import card, chunk
from pipelines.ingest.embed import embed
from pipelines.ports.models import Embedder
from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.ingest import accepting
from pipelines.stores.ingest.accepting import Upload
from pipelines.stores.knowledge import cards, chunks, documents
from pipelines.stores.knowledge.cards import IncomingCard
from pipelines.stores.knowledge.chunks import Incoming
from pipelines.stores.knowledge.documents import Description, Switch


def new_tenant(admin_url: str) -> UUID:
    """Return the id of a tenant that has nothing yet."""
    tenant_id = uuid4()
    with psycopg.connect(admin_url.rpartition("/")[0] + "/aura", autocommit=True) as admin:
        admin.execute(
            "INSERT INTO tenants (tenant_id, organization_name, admin_email) VALUES (%s, %s, %s)",
            (tenant_id, "Bench", "bench@example.org"),
        )
    return tenant_id


def put(tenant_id: UUID, sources: Sequence[Source], embedder: Embedder) -> int:
    """Make the documents searchable and return how many chunks they have."""
    cut = {source.filename: chunk.chunk(source.extraction) for source in sources}
    titles = {source.filename: source.extraction.title or source.filename for source in sources}
    uploads = [Upload("bench", name, name.rpartition(".")[2], 100, uuid4().hex) for name in cut]
    with tenant_session(tenant_id, durable=False) as session:
        accepting.accept_many(session, tenant_id, uploads)
    with operator_session() as session:
        refs = {part.ref.doc_id: part.ref for part in documents.admit(session, 10**6, 10**6)}
    with tenant_session(tenant_id, durable=False) as session:
        names = {upload.doc_id: upload.filename for upload in uploads}
        documents.described(
            session,
            [Description(refs[doc_id], titles[name], cut[name][0].text[:500], None) for doc_id, name in names.items()],
        )
        session.expire_all()
        found = documents.many(session, list(names))
        texts = [p.context(names[doc_id], found[doc_id].title) for doc_id in names for p in cut[names[doc_id]]]
        fronts = {doc_id: card.card(cut[name], name, found[doc_id].title) for doc_id, name in names.items()}
        told = {doc_id: text for doc_id, text in fronts.items() if text is not None}
        vectors = iter(embed([*texts, *told.values()], embedder).astype(np.float16))
        incoming = [
            Incoming(
                refs[doc_id], found[doc_id], cut[name], np.stack([next(vectors) for _ in cut[name]]), embedder.model
            )
            for doc_id, name in names.items()
        ]
        chunks.replace(session, tenant_id, incoming)
        made = [IncomingCard(doc_id, text, next(vectors), embedder.model) for doc_id, text in told.items()]
        cards.replace(session, tenant_id, list(names), made)
        documents.switch(session, [Switch(one.ref, len(one.chunks), 0) for one in incoming])
    return len(texts)
