"""Vectors of chunks. Those that the tenant has already are not asked for again."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from pipelines.ingest import card, elements
from pipelines.ingest import embed as embedding
from pipelines.ports.models import Embedder
from pipelines.stores.database import tenant_session
from pipelines.stores.ingest.parts import Made, StageRef
from pipelines.stores.knowledge import cards as kept_cards
from pipelines.stores.knowledge import chunks, documents
from schemas.errors.requests import InvalidRequest
from schemas.events import Event, EventName
from schemas.tables.knowledge import Stage
from workers import send, wiring
from workers.spending import budget
from workers.steps.extract import progress
from workers.steps.step import Job, Pages, Result, Step, artefacts, made, tried

Vectors = dict[str, NDArray[np.float16]]


class Embed(Step):
    """One request carries the texts of the whole bundle."""

    durable = True

    def __init__(self) -> None:
        self._model = ""
        self._asked: dict[StageRef, int] = {}

    def work(self, jobs: Sequence[Job], pages: Pages) -> Sequence[Result]:
        try:
            return self._together(jobs)
        except InvalidRequest:
            if len(jobs) == 1:
                raise
            # Which text the provider refuses, nobody knows: alone, it fails its own document only.
            return [tried(partial(self._alone, job)) for job in jobs]

    def _alone(self, job: Job) -> Result:
        [made] = self._together([job])
        return made

    def _together(self, jobs: Sequence[Job]) -> Sequence[Result]:
        tenant_id = jobs[0].ref.tenant_id
        packed = artefacts([job.ref for job in jobs], Stage.CHUNK, slices=True)
        texts = {job.ref: _texts(job, packed[job.ref.doc_id][0]) for job in jobs}
        cards = {job.ref: _card(job, packed[job.ref.doc_id][0]) for job in jobs}
        wanted = [text for ref, found in texts.items() for text in (*cards[ref], *found)]
        vectors, asked = self._vectors(tenant_id, wanted, jobs[0])
        self._asked |= {ref: len(asked.intersection(found)) for ref, found in texts.items()}
        return [
            made(
                job,
                f"vectors-{job.ref.part}",
                embedding.pack(np.stack([vectors[text] for text in (*cards[job.ref], *texts[job.ref])])),
                Stage.STORE,
            )
            for job in jobs
        ]

    def effect(self, session: Session, kept: Sequence[Made]) -> None:
        documents.embedded_by(session, self._model, {one.claim.ref: self._asked[one.claim.ref] for one in kept})

    def events(self, session: Session, jobs: Sequence[Job], kept: Sequence[Made]) -> list[Event]:
        return progress(session, jobs, kept, EventName.DOCUMENT_EMBEDDED, "chunks")

    def _vectors(self, tenant_id: UUID, texts: Sequence[str], first: Job) -> tuple[Vectors, set[str]]:
        """Return a vector for each text, and the texts that the embedder was asked for."""
        embedder = _embedder(first)
        self._model = embedder.model
        hashes = {text: chunks.context_sha256(text) for text in texts}
        with tenant_session(tenant_id) as session:
            known = chunks.known_vectors(session, tenant_id, embedder.model, set(hashes.values()))
            known |= kept_cards.known_vectors(session, tenant_id, embedder.model, set(hashes.values()))
        vectors = {text: known[sha256] for text, sha256 in hashes.items() if sha256 in known}
        missing = [text for text in hashes if text not in vectors]
        if missing:
            with budget.embedding(tenant_id, embedder, missing, first.ref.doc_id):
                found = embedding.embed(missing, embedder).astype(np.float16)
            vectors |= dict(zip(missing, found, strict=True))
        return vectors, set(missing)


def _embedder(job: Job) -> Embedder:
    """Return what embeds the part: by the model of the parts before it, where the setting changed meanwhile."""
    embedder, span = wiring.embedder(job.ref.tenant_id), job.claim.span
    if span is None or (span.start == 0 and span.end < send.texts_a_request() - 1):
        return embedder  # It is the only part.
    with tenant_session(job.ref.tenant_id) as session:
        begun = documents.embedding_models(session, [job.ref]).get(job.ref.doc_id)
    return embedder if begun in (None, embedder.model) else wiring.embedder_of(job.ref.tenant_id, begun)


def _card(job: Job, packed: bytes) -> list[str]:
    """Return the text of the document's card, whose vector comes before those of its first part; none for others."""
    if job.ref.part:
        return []
    text = card.of_part(packed, job.document.filename)
    return [] if text is None else [text]


def _texts(job: Job, packed: bytes) -> list[str]:
    """Return what is embedded of a part's chunks: each with the place where it stands."""
    found, title = elements.unpack_chunks(packed)
    return [piece.embedded(job.document.filename, title) for piece in found]
