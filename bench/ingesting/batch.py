"""Files sent as one batch, and the moment when all of it can be found."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.ephemeral import Stack

LOOK_EVERY_S = 0.02
GIVE_UP_S = 900.0
ENDS = ("processed", "failed")
_pause = threading.Event()


@dataclass(frozen=True)
class Took:
    """Seconds from the first byte sent to the answer, and from there until all was searchable; what was not."""

    upload_s: float
    pipeline_s: float
    failed: int
    chunks: int

    @property
    def whole_s(self) -> float:
        return self.upload_s + self.pipeline_s


def warm(stack: Stack, files: Sequence[tuple[str, bytes]]) -> None:
    """Have every worker load what it needs, over files that are not measured."""
    send(stack, [*files, ("warm.txt", b"Something to warm up with.")])


def send(stack: Stack, files: Sequence[tuple[str, bytes]]) -> Took:
    """Upload (name, content) as one batch and return how long it took. Raises TimeoutError."""
    began = time.monotonic()
    parts = [("files", (name, content)) for name, content in files]
    answer = stack.client.post("/api/documents/upload", files=parts)
    accepted = time.monotonic()
    answer.raise_for_status()
    batch = answer.json()["job_id"]
    # Asked of the database, whose answer costs less than a page of the batch would.
    question = (
        "SELECT count(*) FILTER (WHERE processing_status = ANY (%s)),"
        " count(*) FILTER (WHERE processing_status = 'failed'), coalesce(sum(chunks_count), 0)"
        " FROM documents WHERE batch_id = %s OR doc_id = %s"
    )
    with stack.database() as database:
        while True:
            ended, failed, chunks = database.execute(question, (list(ENDS), batch, batch)).fetchone() or (0, 0, 0)
            now = time.monotonic()
            if ended == len(files):
                return Took(accepted - began, now - accepted, failed, chunks)
            if now - accepted > GIVE_UP_S:
                raise TimeoutError(f"{ended} of {len(files)} documents ended within {GIVE_UP_S:.0f} s")
            _pause.wait(LOOK_EVERY_S)


def forget(stack: Stack) -> None:
    """Delete every document, so that the next round finds an empty tenant and no vector to take again."""
    with stack.database() as database:
        ids = [row[0] for row in database.execute("SELECT doc_id FROM documents").fetchall()]
    for doc_id in ids:
        stack.client.delete(f"/api/documents/{doc_id}").raise_for_status()
