"""Elements from originals. A long file is split by pages; a recording goes on to be listened to."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from uuid import UUID

import msgspec
from sqlalchemy.orm import Session

from pipelines.ingest import elements, extract, recording
from pipelines.ingest.elements import Extraction
from pipelines.ingest.entries import FILE_TYPE
from pipelines.ingest.file_types import RECORDINGS
from pipelines.stores.database import tenant_session
from pipelines.stores.ingest import stages
from pipelines.stores.ingest.accepting import password_of
from pipelines.stores.ingest.parts import Made, Span, StageRef
from pipelines.stores.knowledge import entries
from pipelines.stores.objects import original_key
from schemas.errors.requests import NotFound
from schemas.errors.tree import AuraError
from schemas.events import Event, EventName
from schemas.settings import get_settings
from schemas.tables.knowledge import UPLOADED, Stage
from workers import announce, wiring
from workers.steps.step import Job, Pages, Result, Step, artefacts, made, tried

PIECES_PER_PART = 4
"""Pieces of a recording, half a minute each, that are listened to at a time."""


class Extract(Step):
    """Small files are read together, in one child process."""

    def work(self, jobs: Sequence[Job], pages: Pages) -> Sequence[Result]:
        before = _extracted_before(jobs)
        to_read = [job for job in jobs if job.ref not in before]
        read = dict(zip([job.ref for job in to_read], _read(to_read, pages), strict=True))
        return [read[job.ref] if job.ref in read else _extracted(job, before[job.ref]) for job in jobs]

    def events(self, session: Session, jobs: Sequence[Job], kept: Sequence[Made]) -> list[Event]:
        return progress(session, jobs, kept, EventName.DOCUMENT_EXTRACTED, "pages")


def original(job: Job) -> bytes:
    """Return the file as it was uploaded. Raises NotFound, StoreUnavailable."""
    return wiring.objects().get(original_key(job.ref.tenant_id, job.ref.doc_id))


def _files(jobs: Sequence[Job]) -> dict[StageRef, tuple[bytes, str] | NotFound]:
    """Return what is read for each job, and what reads it: its file, or of an entry what its row says now."""
    written: Mapping[UUID, bytes] = {}
    if any(job.document.source != UPLOADED for job in jobs):
        with tenant_session(jobs[0].ref.tenant_id) as session:
            written = entries.originals(session, [job.document for job in jobs])
    return {job.ref: _file(job, written) for job in jobs}


def _file(job: Job, written: Mapping[UUID, bytes]) -> tuple[bytes, str] | NotFound:
    try:
        if job.document.source == UPLOADED:
            return original(job), job.document.file_type
        return written[job.ref.doc_id], FILE_TYPE
    except NotFound as error:
        return error
    except KeyError:
        return NotFound("The entry was deleted.")


def progress(session: Session, jobs: Sequence[Job], kept: Sequence[Made], name: EventName, unit: str) -> list[Event]:
    """Return an event for each part that is still ours: how much of its stage is done."""
    ours = {one.claim.ref for one in kept}
    done = stages.progress_of(session, list(ours))
    return [
        announce.about(name, job.document, done=done[job.ref.doc_id][0], total=done[job.ref.doc_id][1], unit=unit)
        for job in jobs
        if job.ref in ours
    ]


def _read(jobs: Sequence[Job], pages: Pages) -> Sequence[Result]:
    """Return what became of reading the files."""
    if len(jobs) <= 1:
        return [tried(partial(_extract, job, pages)) for job in jobs]
    files = _files(jobs)
    results: dict[StageRef, Result] = {ref: found for ref, found in files.items() if isinstance(found, NotFound)}
    there = [(job, *found) for job in jobs if not isinstance(found := files[job.ref], NotFound)]
    read = extract.extract_many([(data, kind, job.document.filename, None) for job, data, kind in there])
    for (job, *_), one in zip(there, read, strict=True):
        results[job.ref] = one if isinstance(one, AuraError) else _extracted(job, one)
    return [results[job.ref] for job in jobs]


def _extract(job: Job, pages: Pages) -> Result:
    document, span = job.document, job.claim.span
    found = _files([job])[job.ref]
    if isinstance(found, NotFound):
        raise found
    data, kind = found
    if kind in RECORDINGS:
        return _planned(job, data)
    password, size = password_of(document), extract.PAGES_PER_PART
    if span is None and (count := extract.count_pages(data, kind, password) or 0) > size:
        return [Span(start, min(start + size, count)) for start in range(0, count, size)]
    whole = extract.extract(
        data,
        kind,
        document.filename,
        range(span.start, span.end) if span else None,
        lambda done: pages.update({job.ref: done}),
        password,
    )
    return _extracted(job, whole)


def _planned(job: Job, data: bytes) -> Made:
    spans = recording.plan(data, get_settings().max_recording_s).spans
    parts = [Span(i, min(i + PIECES_PER_PART, len(spans))) for i in range(0, len(spans), PIECES_PER_PART)]
    return Made(job.claim, payload=json.dumps(spans).encode(), following=Stage.LISTEN, spans=parts)


def _extracted(job: Job, found: Extraction) -> Made:
    return made(job, f"extract-{job.ref.part}", elements.pack(found), Stage.CHUNK)


def _extracted_before(jobs: Sequence[Job]) -> dict[StageRef, Extraction]:
    """Return what was read for the versions that answer, of those documents of which a re-index may take that."""
    versions = {job.ref: job.document.wanted.get("from_version") for job in jobs if job.claim.span is None}
    wanted = {replace(ref, version=version): ref for ref, version in versions.items() if version}
    found: dict[StageRef, Extraction] = {}
    if not wanted:
        return found
    parts = _parts(list(wanted))
    for old, ref in wanted.items():
        with suppress(msgspec.MsgspecError):  # An earlier release wrote it otherwise: it is read anew.
            if kept := parts.get(old.doc_id):
                found[ref] = elements.join(map(elements.unpack, kept))
    return found


def _parts(refs: Sequence[StageRef]) -> Mapping[UUID, list[bytes]]:
    """Return what was made of the elements of these versions, without those of which some is gone."""
    try:
        return artefacts(refs, Stage.LISTEN, Stage.EXTRACT)
    except NotFound:
        return {} if len(refs) == 1 else {doc_id: made for ref in refs for doc_id, made in _parts([ref]).items()}
