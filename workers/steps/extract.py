"""Elements from originals. A long file is split by pages; a recording goes on to be listened to."""

import json
from collections.abc import Sequence
from functools import partial

from sqlalchemy.orm import Session

from pipelines.ingest import elements, extract, recording
from pipelines.ingest.elements import Extraction
from pipelines.stores import stages
from pipelines.stores.accepting import password_of
from pipelines.stores.objects import original_key
from pipelines.stores.parts import Made, Span, StageRef
from schemas.errors import AuraError
from schemas.events import Event, EventName
from schemas.knowledge import RECORDING, Stage
from workers import announce, wiring
from workers.steps.step import Job, Pages, Result, Step, artefacts, made, tried

PIECES_PER_PART = 4
"""Pieces of a recording, half a minute each, that are listened to at a time."""


class Extract(Step):
    """Small files are read together, in one child process."""

    def work(self, jobs: Sequence[Job], pages: Pages) -> Sequence[Result]:
        if len(jobs) == 1:
            return [tried(partial(_extract, jobs[0], pages))]
        items = [(original(job), job.document.file_type, job.document.filename, None) for job in jobs]
        found = extract.extract_many(items)
        return [
            one if isinstance(one, AuraError) else _extracted(job, one) for job, one in zip(jobs, found, strict=True)
        ]

    def events(self, session: Session, jobs: Sequence[Job], kept: Sequence[Made]) -> list[Event]:
        return progress(session, kept, EventName.DOCUMENT_EXTRACTED, "pages")


def original(job: Job) -> bytes:
    """Return the file as it was uploaded. Raises NotFound, StoreUnavailable."""
    return wiring.objects().get(original_key(job.ref.tenant_id, job.ref.doc_id))


def progress(session: Session, kept: Sequence[Made], name: EventName, unit: str) -> list[Event]:
    """Return an event for each part: how much of its stage is done."""
    refs = [one.claim.ref for one in kept]
    done = stages.progress_of(session, refs)
    return [
        announce.of_document(
            name, ref.tenant_id, ref.doc_id, done=done[ref.doc_id][0], total=done[ref.doc_id][1], unit=unit
        )
        for ref in refs
    ]


def _extract(job: Job, pages: Pages) -> Result:
    document, span = job.document, job.claim.span
    if (kept := _extracted_before(job)) is not None:
        return _extracted(job, kept)
    data = original(job)
    if document.file_type == RECORDING:
        return _planned(job, data)
    password, size = password_of(document), extract.PAGES_PER_PART
    if span is None and (count := extract.count_pages(data, document.file_type, password) or 0) > size:
        return [Span(start, min(start + size, count)) for start in range(0, count, size)]
    found = extract.extract(
        data,
        document.file_type,
        document.filename,
        range(span.start, span.end) if span else None,
        lambda done: pages.update({job.ref: done}),
        password,
    )
    return _extracted(job, found)


def _planned(job: Job, data: bytes) -> Made:
    spans = recording.plan(data).spans
    parts = [Span(i, min(i + PIECES_PER_PART, len(spans))) for i in range(0, len(spans), PIECES_PER_PART)]
    return Made(job.claim, payload=json.dumps(spans).encode(), following=Stage.LISTEN, spans=parts)


def _extracted(job: Job, found: Extraction) -> Made:
    return made(job, f"extract-{job.ref.part}", elements.pack(found), Stage.CHUNK)


def _extracted_before(job: Job) -> Extraction | None:
    """Return what was read for the version that answers, where a re-index may take that."""
    version = job.document.wanted.get("from_version")
    if not version or job.claim.span is not None:
        return None
    ref = StageRef(job.ref.tenant_id, job.ref.doc_id, version, job.ref.stage)
    parts = artefacts([ref], Stage.LISTEN, Stage.EXTRACT)[ref.doc_id]
    return elements.join(map(elements.unpack, parts)) if parts else None
