"""Waiting until a document's ingest has ended."""

import time
from uuid import UUID

from api.door.auth import Caller
from api.live.process import relay
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import documents
from schemas.errors.tree import AuraError
from schemas.events import Subject
from schemas.tables.knowledge import Document, Status


def finished_document(asking: Caller, doc_id: UUID, wait_s: float) -> Document | None:
    """Wait until the document is processed; None after `wait_s`. Raises the error it failed with."""
    deadline = time.monotonic() + wait_s
    with relay().follow(Subject.document(asking.tenant_id, doc_id)) as following:
        while True:
            with tenant_session(asking.tenant_id) as session:
                document = documents.get(session, doc_id)
            if document.processing_status == Status.PROCESSED:
                return document
            if document.processing_status in (Status.FAILED, Status.CANCELLED):
                raise AuraError.by_code(document.error_code or "", document.error_detail)
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            following.next(min(left, 5.0))
