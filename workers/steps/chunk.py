"""Chunks from the elements of all parts."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy.orm import Session

from pipelines.ingest import chunk, elements, extract
from pipelines.stores import documents
from pipelines.stores.documents import Description
from pipelines.stores.parts import Made, Span, StageRef
from schemas.events import Event, EventName
from schemas.knowledge import Stage
from workers import send
from workers.steps.extract import progress
from workers.steps.step import Job, Pages, Result, Step, artefacts, made_of_slices, tried

PREVIEW_CHARS = 500


class Chunk(Step):
    """Of a document without a letter nothing follows: it has failed."""

    def __init__(self) -> None:
        self._described: dict[StageRef, Description] = {}

    def work(self, jobs: Sequence[Job], pages: Pages) -> Sequence[Result]:
        found = artefacts([job.ref for job in jobs], Stage.LISTEN, Stage.EXTRACT)
        return [tried(partial(self._chunk, job, found[job.ref.doc_id])) for job in jobs]

    def effect(self, session: Session, kept: Sequence[Made]) -> None:
        documents.described(session, [self._described[one.claim.ref] for one in kept])

    def events(self, session: Session, jobs: Sequence[Job], kept: Sequence[Made]) -> list[Event]:
        return progress(session, kept, EventName.DOCUMENT_CHUNKED, "documents")

    def _chunk(self, job: Job, parts: Sequence[bytes]) -> Result:
        whole = extract.require_text(elements.join(map(elements.unpack, parts)))
        found = chunk.chunk(whole)
        title = whole.title or job.document.filename
        preview = "\n".join(piece.text for piece in found[:2])[:PREVIEW_CHARS]
        self._described[job.ref] = Description(job.ref, title, preview, whole.pages)
        size = send.texts_a_request()
        spans = [Span(start, min(start + size, len(found))) for start in range(0, len(found), size)]
        slices = [elements.pack_chunks(found[span.start : span.end], title) for span in spans]
        return made_of_slices(job, "chunks", slices, Stage.EMBED, spans)
