"""Documents that are stored while others search, as the workers store them."""

import threading
import time
from types import TracebackType
from uuid import UUID, uuid4

import numpy as np

from bench.searching.corpus import CHUNKS_A_DOCUMENT, MODEL, Corpus
from pipelines.ingest.elements import Chunk
from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.ingest import accepting
from pipelines.stores.ingest.accepting import Upload
from pipelines.stores.knowledge import chunks, documents
from pipelines.stores.knowledge.chunks import Incoming
from pipelines.stores.knowledge.documents import Switch


class Ingest:
    """Stores documents from the beginning of the block to its end: in the largest tenants and in others, in turn."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus, self.stored, self.took_s = corpus, 0, 0.0
        self._rng = np.random.default_rng(9)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._store)

    def __enter__(self) -> "Ingest":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _store(self) -> None:
        began = time.monotonic()
        while not self._ended.is_set():
            for tenant in (0, 1, 2, int(self._rng.integers(len(self.corpus.sizes)))):
                self._document(tenant)
        self.took_s = time.monotonic() - began

    def _document(self, tenant: int) -> None:
        tenant_id: UUID = self.corpus.tenants[tenant]
        with tenant_session(tenant_id) as session:
            document, _ = accepting.accept(session, tenant_id, Upload("bench", "n.txt", "txt", 9, uuid4().hex))
        with operator_session() as session:
            [part] = documents.admit(session, 10**6, 10**6)
        start, end = self.corpus.starts[tenant], self.corpus.starts[tenant + 1]
        like = self._rng.integers(start, end, CHUNKS_A_DOCUMENT)
        vectors = self.corpus.shape.near(self.corpus.vectors[like].astype(np.float32), self._rng, 0.8)
        made = [
            Chunk(index, self.corpus.texts[chunk], "general", 100, 0, len(self.corpus.texts[chunk]))
            for index, chunk in enumerate(like)
        ]
        with tenant_session(tenant_id) as session:
            incoming = Incoming(part.ref, document, made, vectors.astype(np.float16), MODEL)
            chunks.replace(session, tenant_id, [incoming])
            documents.switch(session, [Switch(part.ref, len(made), 0)])
        self.stored += len(made)
