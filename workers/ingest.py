"""extract → chunk → embed → store: each reads the artefact before it, calls one pure function, writes its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from pipelines.ingest import chunk as chunking
from pipelines.ingest import elements
from pipelines.ingest import embed as embedding
from pipelines.ingest import extract as extraction
from pipelines.stores import chunks, documents, stages
from pipelines.stores.database import tenant_session
from pipelines.stores.objects import artefact_key, document_prefix, original_key
from pipelines.stores.stages import Claim, Span, StageRef
from schemas.errors import LeaseLost, NotFound, Permanent, TooManyAttempts, Transient
from schemas.events import EventName
from schemas.knowledge import Document, Stage
from schemas.settings import get_settings
from workers import announce, budget, leases, send, wiring
from workers.app import app

PREVIEW_CHARS = 500


@dataclass(frozen=True)
class Outcome:
    """What a part made: an artefact, the parts that follow, and its effect in the same transaction."""

    artefact: str | None = None
    following: Stage | None = None
    spans: Sequence[Span | None] = (None,)
    effect: Callable[[Session], object] = lambda session: None


@app.task(name="workers.ingest.extract")
def extract(tenant_id: str, doc_id: str, version: int, part: int) -> None:
    """Read elements from the original, or plan page ranges where it is long."""
    _run(StageRef(UUID(tenant_id), UUID(doc_id), version, Stage.EXTRACT, part), _extract)


@app.task(name="workers.ingest.chunk")
def chunk(tenant_id: str, doc_id: str, version: int, part: int) -> None:
    """Cut the elements of all extract parts into chunks."""
    _run(StageRef(UUID(tenant_id), UUID(doc_id), version, Stage.CHUNK, part), _chunk)


@app.task(name="workers.ingest.embed")
def embed(tenant_id: str, doc_id: str, version: int, part: int) -> None:
    """Embed one batch of chunks."""
    _run(StageRef(UUID(tenant_id), UUID(doc_id), version, Stage.EMBED, part), _embed)


@app.task(name="workers.ingest.store")
def store(tenant_id: str, doc_id: str, version: int, part: int) -> None:
    """Replace the document's chunks in one transaction; from then on it answers."""
    _run(StageRef(UUID(tenant_id), UUID(doc_id), version, Stage.STORE, part), _store)


def _run(ref: StageRef, work: Callable[[Claim, Document], Outcome | list[Span]]) -> None:
    """Claim the part, do the work, commit its effect with what follows, then tell."""
    lease_s = get_settings().stage_lease_s
    try:
        with tenant_session(ref.tenant_id) as session:
            claimed = stages.claim(session, ref, lease_s)
            if claimed is None:
                return
            document = documents.get(session, ref.doc_id)
        with leases.kept(lambda: _renew(claimed, lease_s), lease_s / 4):
            outcome = work(claimed, document)
        _commit(claimed, document, outcome)
    except Transient as error:
        _defer(claimed, error)
    except Permanent as error:
        _fail(ref, error)
    except LeaseLost:
        _tidy(ref)


def _extract(claimed: Claim, document: Document) -> Outcome | list[Span]:
    ref = claimed.ref
    data = wiring.objects().get(original_key(ref.tenant_id, ref.doc_id))
    pages = None
    if claimed.span is not None:
        pages = range(claimed.span.start, claimed.span.end)
    elif (count := extraction.count_pages(data, document.file_type)) is not None and count > extraction.PAGES_PER_PART:
        return [
            Span(start, min(start + extraction.PAGES_PER_PART, count))
            for start in range(0, count, extraction.PAGES_PER_PART)
        ]
    found = extraction.extract(data, document.file_type, document.filename, pages)
    name = _put(ref, f"extract-{ref.part}", elements.pack(found))
    return Outcome(name, Stage.CHUNK)


def _chunk(claimed: Claim, document: Document) -> Outcome:
    ref = claimed.ref
    with tenant_session(ref.tenant_id) as session:
        names = stages.artefacts(session, ref, Stage.EXTRACT)
    whole = elements.join(elements.unpack(_get(ref, name)) for name in names)
    extraction.require_text(whole)
    made = chunking.chunk(whole)
    title = whole.title or document.filename
    name = _put(ref, "chunks", elements.pack_chunks(made, title))
    size = embedding.LOCAL_BATCH if get_settings().embedder == "local" else embedding.REMOTE_BATCH
    spans = [Span(start, min(start + size, len(made))) for start in range(0, len(made), size)]
    preview = "\n".join(piece.text for piece in made[:2])[:PREVIEW_CHARS]
    return Outcome(name, Stage.EMBED, spans, lambda session: documents.described(session, ref, title, preview))


def _embed(claimed: Claim, document: Document) -> Outcome:
    ref, span = claimed.ref, claimed.span
    assert span is not None
    with tenant_session(ref.tenant_id) as session:
        names = stages.artefacts(session, ref, Stage.CHUNK)
    made, title = elements.unpack_chunks(_get(ref, names[0]))
    texts = [piece.context(document.filename, title) for piece in made[span.start : span.end]]
    embedder = wiring.embedder(ref.tenant_id)
    with budget.embedding(ref.tenant_id, embedder, texts, ref.doc_id):
        vectors = embedding.embed(texts, embedder)
    name = _put(ref, f"vectors-{ref.part}", embedding.pack(vectors))
    model = embedder.model
    return Outcome(name, Stage.STORE, effect=lambda session: documents.embedded_by(session, ref, model))


def _store(claimed: Claim, document: Document) -> Outcome:
    ref = claimed.ref
    with tenant_session(ref.tenant_id) as session:
        chunk_names = stages.artefacts(session, ref, Stage.CHUNK)
        vector_names = stages.artefacts(session, ref, Stage.EMBED)
        model = documents.embedding_model(session, ref)
    made, _ = elements.unpack_chunks(_get(ref, chunk_names[0]))
    vectors = embedding.join(_get(ref, name) for name in vector_names)

    def effect(session: Session) -> None:
        chunks.replace(session, ref, document, made, vectors, model)
        documents.switch(session, ref, len(made), sum(piece.token_count for piece in made))

    return Outcome(effect=effect)


def _commit(claimed: Claim, document: Document, outcome: Outcome | list[Span]) -> None:
    ref = claimed.ref
    with tenant_session(ref.tenant_id) as session:
        if isinstance(outcome, list):
            following = stages.split(session, claimed, outcome)
        else:
            outcome.effect(session)
            following = stages.finish(session, claimed, outcome.artefact, outcome.following, outcome.spans)
        done, total = stages.done_of_total(session, ref)
    send.stages(following)
    _tell(ref, document, done, total)


def _tell(ref: StageRef, document: Document, done: int, total: int) -> None:
    if ref.stage is Stage.STORE:
        with tenant_session(ref.tenant_id) as session:
            stored = documents.get(session, ref.doc_id)
        announce.document(
            EventName.DOCUMENT_PROCESSED,
            ref.tenant_id,
            ref.doc_id,
            filename=stored.filename,
            chunks=stored.chunks_count,
            tokens=stored.tokens_count,
        )
        send.admission()
        return
    name, unit = TOLD[ref.stage]
    announce.document(name, ref.tenant_id, ref.doc_id, done=done, total=total, unit=unit)


TOLD = {
    Stage.EXTRACT: (EventName.DOCUMENT_EXTRACTED, "pages"),
    Stage.CHUNK: (EventName.DOCUMENT_CHUNKED, "documents"),
    Stage.EMBED: (EventName.DOCUMENT_EMBEDDED, "chunks"),
}


def _renew(claimed: Claim, lease_s: float) -> bool:
    with tenant_session(claimed.ref.tenant_id, durable=False) as session:
        return stages.renew(session, claimed, lease_s)


def _defer(claimed: Claim, error: Transient) -> None:
    with tenant_session(claimed.ref.tenant_id) as session:
        put_off = stages.defer(session, claimed, error)
    if not put_off:
        _fail(claimed.ref, error)


def _fail(ref: StageRef, error: Permanent | Transient | TooManyAttempts) -> None:
    with tenant_session(ref.tenant_id) as session:
        ended = stages.fail(session, ref, error)
    if ended:
        announce.document(EventName.DOCUMENT_FAILED, ref.tenant_id, ref.doc_id, code=error.code, detail=error.detail)
        send.admission()


def _tidy(ref: StageRef) -> None:
    """Remove what this worker wrote for a document that was deleted meanwhile."""
    try:
        with tenant_session(ref.tenant_id) as session:
            documents.get(session, ref.doc_id)
    except NotFound:
        wiring.objects().delete_prefix(document_prefix(ref.tenant_id, ref.doc_id))


def _put(ref: StageRef, name: str, data: bytes) -> str:
    wiring.objects().put(artefact_key(ref.tenant_id, ref.doc_id, ref.version, name), data)
    return name


def _get(ref: StageRef, name: str) -> bytes:
    return wiring.objects().get(artefact_key(ref.tenant_id, ref.doc_id, ref.version, name))
