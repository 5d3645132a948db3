"""The documents' chunks in place of those before, in one transaction: from then on they answer."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from pipelines.ingest import card, elements, embed
from pipelines.stores.database import tenant_session
from pipelines.stores.ingest import stages
from pipelines.stores.ingest.parts import Made, StageRef
from pipelines.stores.knowledge import cards, chunks, documents, kept_edits
from pipelines.stores.knowledge.cards import IncomingCard
from pipelines.stores.knowledge.chunks import Incoming
from pipelines.stores.knowledge.documents import Switch
from pipelines.stores.objects import document_prefix
from schemas.errors.requests import NotFound
from schemas.events import Event, EventName
from schemas.tables.knowledge import Stage
from workers import announce, wiring
from workers.steps.step import INLINE_BYTES, Job, Pages, Result, Step, artefacts


class Store(Step):
    """Several documents at once: the frequencies that they share are counted once."""

    durable = True
    is_last = True

    def __init__(self) -> None:
        self._incoming: dict[StageRef, Incoming] = {}
        self._cards: dict[StageRef, IncomingCard] = {}
        self._in_objects: set[StageRef] = set()

    def work(self, jobs: Sequence[Job], pages: Pages) -> Sequence[Result]:
        refs = [job.ref for job in jobs]
        packed, vectors = artefacts(refs, Stage.CHUNK), artefacts(refs, Stage.EMBED)
        with tenant_session(refs[0].tenant_id) as session:
            models = documents.embedding_models(session, refs)
        for job in jobs:
            doc_id = job.ref.doc_id
            if doc_id in models:
                found = [piece for part in packed[doc_id] for piece in elements.unpack_chunks(part)[0]]
                joined = embed.join(vectors[doc_id])
                if len(joined) > len(found):
                    # The card's is the first.
                    text = card.of_part(packed[doc_id][0], job.document.filename)
                    if text is not None:
                        self._cards[job.ref] = IncomingCard(doc_id, text, joined[0], models[doc_id])
                    joined = joined[1:]
                self._incoming[job.ref] = Incoming(job.ref, job.document, found, joined, models[doc_id])
                made = (*packed[doc_id], *vectors[doc_id])
                if len(made) > 2 or max(map(len, made)) > INLINE_BYTES:
                    self._in_objects.add(job.ref)
        return [
            Made(job.claim) if job.ref in self._incoming else NotFound("The version has no vectors.") for job in jobs
        ]

    def effect(self, session: Session, kept: Sequence[Made]) -> None:
        incoming = [self._incoming[one.claim.ref] for one in kept]
        chunks.replace(session, incoming[0].ref.tenant_id, incoming)
        made = [self._cards[one.ref] for one in incoming if one.ref in self._cards]
        cards.replace(session, incoming[0].ref.tenant_id, [one.ref.doc_id for one in incoming], made)
        if again := [one.ref for one in incoming if one.document.version]:
            kept_edits.move(session, again)
        documents.switch(session, [Switch(one.ref, len(one.chunks), _tokens(one)) for one in incoming])
        stages.forget_steps(session, [one.ref for one in incoming])

    def events(self, session: Session, jobs: Sequence[Job], kept: Sequence[Made]) -> list[Event]:
        ours = {one.claim.ref for one in kept}
        return [self._processed(job) for job in jobs if job.ref in ours]

    def tidy(self, kept: Sequence[Made]) -> None:
        """Delete the objects of earlier versions, and those between the steps of this one.

        What was extracted or heard stays with this one: a re-index takes it from there.
        """
        objects = wiring.objects()
        for ref in (one.claim.ref for one in kept):
            folder = document_prefix(ref.tenant_id, ref.doc_id)
            if ref.version > 1:
                earlier = {f"v{version}" for version in range(1, ref.version)}
                objects.delete(*[key for key in objects.listing(folder) if key.split("/")[-2] in earlier])
            if ref in self._in_objects:
                objects.delete_some_of(f"{folder}/v{ref.version}", ("chunks", "vectors-"))

    def _processed(self, job: Job) -> Event:
        found = self._incoming[job.ref]
        return announce.about(
            EventName.DOCUMENT_PROCESSED,
            job.document,
            filename=job.document.filename,
            chunks=len(found.chunks),
            tokens=_tokens(found),
        )


def _tokens(incoming: Incoming) -> int:
    return sum(piece.token_count for piece in incoming.chunks)
