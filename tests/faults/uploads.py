"""Files sent to a stack, and the wait for their end."""

from collections.abc import Mapping, Sequence

from deploy.ephemeral import Stack, wait_until
from tests.faults import ledger


def upload(stack: Stack, files: Mapping[str, bytes]) -> dict[str, str]:
    """Upload files as one batch and return their documents' ids by their names."""
    accepted = stack.client.post("/api/documents/upload", files=[("files", file) for file in files.items()])
    assert accepted.status_code == 202, accepted.text
    with stack.database() as connection:
        rows = connection.execute("SELECT filename, doc_id FROM documents WHERE filename = ANY (%s)", (list(files),))
        found = {filename: str(doc_id) for filename, doc_id in rows}
    assert found.keys() == files.keys()
    return found


def all_processed(stack: Stack, doc_ids: Sequence[str], within_s: float = 200) -> None:
    """Wait until the documents are processed and see that each chunk is there once."""
    with stack.database() as connection:

        def done() -> bool:
            found = ledger.states(connection, doc_ids)
            assert not [state for state in found if state.startswith(("failed", "cancelled"))], found
            return found == {"processed": len(doc_ids)}

        wait_until(done, within_s, "processing of all documents")
        assert ledger.wrong_documents(connection, doc_ids) == []
        assert ledger.wrong_counts(connection) == []
        assert ledger.unfinished(connection, doc_ids) == []
