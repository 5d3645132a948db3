"""Accepted work is done exactly once in effect, whatever dies: the short form of `make faults`."""

from uuid import uuid4

from deploy.ephemeral import Stack, wait_until
from tests.faults import chaos, ledger, texts
from tests.faults.uploads import all_processed, upload

DOCUMENTS = 12
BUSY = ("extract", "embed", "store")


def test_documents_survive_killed_workers_and_an_emptied_redis(stack: Stack) -> None:
    run = uuid4().hex[:8]
    found = upload(stack, {f"{run}-{i}.md": texts.prose(f"{run}{i}", 600) for i in range(DOCUMENTS)})
    with stack.database() as connection:
        wait_until(lambda: _begun(connection, list(found.values())), 120, "something is begun")
    # What they held is begun again, by other processes, once its lease has run out.
    for queue in BUSY:
        chaos.kill(stack, queue)
    chaos.empty_redis(stack)
    all_processed(stack, list(found.values()), 400)
    with stack.database() as connection:
        assert ledger.wrong_counts(connection) == []
    wait_until(stack.is_ready, 180, "the return of every worker")


def _begun(connection: ledger.Connection, doc_ids: list[str]) -> bool:
    row = connection.execute(
        "SELECT 1 FROM document_stages WHERE doc_id = ANY (%s::uuid[]) AND attempts > 0", (doc_ids,)
    )
    return row.fetchone() is not None
