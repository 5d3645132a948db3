"""Documents in the state that a test starts from."""

from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.ingest.elements import Chunk
from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.ingest import accepting
from pipelines.stores.ingest.accepting import Upload
from pipelines.stores.ingest.parts import Part, StageRef
from pipelines.stores.knowledge import chunks, documents
from pipelines.stores.knowledge.chunks import Incoming
from pipelines.stores.knowledge.documents import Switch
from schemas.tables.knowledge import Stage

WIDTH = 8


class Library:
    """Puts documents into the database the way the workers do, without the workers."""

    def accept(
        self, tenant_id: UUID, content: str | None = None, assistant_key: str | None = None, file_size: int = 1 << 20
    ) -> UUID:
        upload = Upload("tester", "notes.txt", "txt", file_size, content or uuid4().hex, assistant_key)
        with tenant_session(tenant_id) as session:
            document, _ = accepting.accept(session, tenant_id, upload)
            return document.doc_id

    def accept_many(
        self, tenant_id: UUID, count: int, *, file_size: int = 100, batch_id: UUID | None = None, priority: int = 0
    ) -> list[UUID]:
        """Accept `count` documents; of 100 bytes they are small."""
        uploads = [Upload("tester", "notes.txt", "txt", file_size, uuid4().hex) for _ in range(count)]
        with tenant_session(tenant_id) as session:
            found = accepting.accept_many(session, tenant_id, uploads, batch_id, priority)
            return [document.doc_id for document, _ in found]

    def admit(self, all_units: int = 1_000_000, tenant_units: int = 1_000_000) -> list[Part]:
        with operator_session() as session:
            return documents.admit(session, all_units, tenant_units)

    def admitted(self, tenant_id: UUID) -> StageRef:
        doc_id = self.accept(tenant_id)
        return next(part.ref for part in self.admit() if part.ref.doc_id == doc_id)

    def store(
        self,
        tenant_id: UUID,
        texts: list[str],
        vectors: NDArray[np.float32] | None = None,
        model: str = "test-model",
    ) -> UUID:
        """Return the id of a document that has these texts as its chunks."""
        ref = self.admitted(tenant_id)
        if vectors is None:
            vectors = np.eye(WIDTH, dtype=np.float32)[np.arange(len(texts)) % WIDTH]
        made = [Chunk(i, text, "general", len(text.split()), 0, len(text)) for i, text in enumerate(texts)]
        with tenant_session(tenant_id) as session:
            document = documents.get(session, ref.doc_id)
            chunks.replace(session, tenant_id, [Incoming(ref, document, made, vectors.astype(np.float16), model)])
            documents.switch(session, [Switch(ref, len(made), 0)])
        return ref.doc_id


@pytest.fixture
def library(servers: object) -> Library:
    return Library()


@pytest.fixture
def extract_ref(library: Library, tenant: UUID) -> StageRef:
    """Return the first part of a document that has just been admitted."""
    ref = library.admitted(tenant)
    assert ref.stage is Stage.EXTRACT
    return ref
