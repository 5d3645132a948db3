"""Chunks from the elements of all parts."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from pipelines.ingest import chunk, elements, entries, extract
from pipelines.stores.database import tenant_session
from pipelines.stores.ingest.parts import Made, Span, StageRef
from pipelines.stores.knowledge import documents, kept_edits
from pipelines.stores.knowledge.documents import Description, Sizes
from schemas.events import Event, EventName
from schemas.settings import get_settings
from schemas.tables.chunks import ChunkEdit
from schemas.tables.knowledge import Stage
from schemas.tables.training import TrainingPair
from workers import send
from workers.steps.extract import progress
from workers.steps.step import Job, Pages, Result, Step, artefacts, made_of_slices, tried

PREVIEW_CHARS = 500


class Chunk(Step):
    """Of a document without a letter nothing follows: it has failed."""

    def __init__(self) -> None:
        self._described: dict[StageRef, Description] = {}
        self._options: Mapping[UUID, Mapping[str, Any]] = {}
        self._edits: Mapping[UUID, Sequence[ChunkEdit]] = {}

    def work(self, jobs: Sequence[Job], pages: Pages) -> Sequence[Result]:
        refs = [job.ref for job in jobs]
        found = artefacts(refs, Stage.LISTEN, Stage.EXTRACT)
        again = [job.ref for job in jobs if job.document.version]
        with tenant_session(refs[0].tenant_id) as session:
            self._options = documents.options(session, refs)
            self._edits = kept_edits.applied(session, [ref.doc_id for ref in again]) if again else {}
        return [tried(partial(self._chunk, job, found[job.ref.doc_id])) for job in jobs]

    def effect(self, session: Session, kept: Sequence[Made]) -> None:
        documents.described(session, [self._described[one.claim.ref] for one in kept])
        documents.cut_to(session, {one.claim.ref: self._sizes(one.claim.ref) for one in kept})

    def events(self, session: Session, jobs: Sequence[Job], kept: Sequence[Made]) -> list[Event]:
        return progress(session, jobs, kept, EventName.DOCUMENT_CHUNKED, "documents")

    def _sizes(self, ref: StageRef) -> Sizes:
        settings, options = get_settings(), self._options.get(ref.doc_id, {})
        return Sizes(
            options.get("chunk_tokens", settings.chunk_tokens), options.get("chunk_overlap", settings.chunk_overlap)
        )

    def _chunk(self, job: Job, parts: Sequence[bytes]) -> Result:
        whole = extract.require_text(elements.join(map(elements.unpack, parts)))
        sizes = self._sizes(job.ref)
        is_pair = job.document.source == TrainingPair.__tablename__
        cut = entries.chunk(whole) if is_pair else chunk.chunk(whole, max_tokens=sizes.tokens, overlap=sizes.overlap)
        found = kept_edits.edited(cut, self._edits.get(job.ref.doc_id, ()))
        title = whole.title or job.document.filename
        preview = "\n".join(piece.text for piece in found[:2])[:PREVIEW_CHARS]
        self._described[job.ref] = Description(job.ref, title, preview, whole.pages)
        size = send.texts_a_request()
        # The first part is asked for together with the document's card.
        starts = [0, *range(size - 1, len(found), size)]
        spans = [Span(start, end) for start, end in pairwise([*starts, len(found)])]
        slices = [elements.pack_chunks(found[span.start : span.end], title) for span in spans]
        return made_of_slices(job, "chunks", slices, Stage.EMBED, spans)
