"""Documents in the state that a test starts from."""

from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.ingest.elements import Chunk
from pipelines.stores import chunks, documents
from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.documents import Upload
from pipelines.stores.stages import StageRef
from schemas.knowledge import Stage

WIDTH = 8


class Library:
    """Puts documents into the database the way the workers do, without the workers."""

    def accept(self, tenant_id: UUID, content: str | None = None, assistant_key: str | None = None) -> UUID:
        upload = Upload("tester", "notes.txt", "txt", 10, content or uuid4().hex, assistant_key)
        with tenant_session(tenant_id) as session:
            document, _ = documents.accept(session, tenant_id, uuid4(), upload)
            return document.doc_id

    def admit(self, in_flight: int = 1000, per_tenant: int = 1000) -> list[StageRef]:
        with operator_session() as session:
            return documents.admit(session, in_flight, per_tenant)

    def admitted(self, tenant_id: UUID) -> StageRef:
        doc_id = self.accept(tenant_id)
        return next(ref for ref in self.admit() if ref.doc_id == doc_id)

    def store(self, tenant_id: UUID, texts: list[str], vectors: NDArray[np.float32] | None = None) -> UUID:
        """Return the id of a document that has these texts as its chunks."""
        ref = self.admitted(tenant_id)
        if vectors is None:
            vectors = np.eye(WIDTH, dtype=np.float32)[np.arange(len(texts)) % WIDTH]
        made = [Chunk(i, text, "general", len(text.split()), 0, len(text)) for i, text in enumerate(texts)]
        with tenant_session(tenant_id) as session:
            chunks.replace(session, ref, documents.get(session, ref.doc_id), made, vectors, "test-model")
            documents.switch(session, ref, len(made), 0)
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
