"""Elements from some pieces of a recording, each with the seconds at which it is said."""

import json
from collections.abc import Sequence
from functools import partial

from sqlalchemy.orm import Session

from pipelines.ingest import elements, listen, recording
from pipelines.stores.ingest.parts import Made
from schemas.events import Event, EventName
from schemas.tables.knowledge import Stage
from workers import wiring
from workers.spending import budget
from workers.steps.extract import original, progress
from workers.steps.step import Job, Pages, Result, Step, artefacts, made, tried


class Listen(Step):
    """What was paid for is on the disk before the next step begins."""

    durable = True

    def work(self, jobs: Sequence[Job], pages: Pages) -> Sequence[Result]:
        return [tried(partial(_listen, job, pages)) for job in jobs]

    def events(self, session: Session, jobs: Sequence[Job], kept: Sequence[Made]) -> list[Event]:
        return progress(session, jobs, kept, EventName.DOCUMENT_EXTRACTED, "pieces")


def _listen(job: Job, pages: Pages) -> Result:
    span, tenant_id = job.claim.span, job.ref.tenant_id
    assert span is not None
    [planned] = artefacts([job.ref], Stage.EXTRACT)[job.ref.doc_id]
    data, transcriber = original(job), wiring.transcriber(tenant_id)
    heard = []
    for done, (start_s, end_s) in enumerate(json.loads(planned)[span.start : span.end], 1):
        sound = recording.piece(data, start_s, end_s)
        with budget.transcription(tenant_id, transcriber, sound.duration_s, job.ref.doc_id):
            heard.append(listen.elements([(start_s, end_s, sound)], transcriber))
        pages[job.ref] = done
    return made(job, f"heard-{job.ref.part}", elements.pack(elements.join(heard)), Stage.CHUNK)
