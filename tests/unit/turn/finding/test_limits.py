"""What a question may search is never more than its assistant may know."""

from datetime import UTC, datetime
from uuid import uuid4

from pipelines.ports.passages import KnowledgeFilter
from pipelines.turn.finding import limits

EARLY, LATE = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


def test_what_is_kept_as_json_is_read() -> None:
    doc_id = uuid4()
    kept = {
        "doc_ids": [str(doc_id)],
        "tags": ["a"],
        "created_after": "2025-01-01T00:00:00Z",
        "sources": ["logic_notes"],
    }
    expected = KnowledgeFilter(doc_ids=(doc_id,), tags=("a",), created_after=EARLY, sources=("logic_notes",))
    assert limits.read(kept) == expected
    assert limits.read({}) == KnowledgeFilter()


def test_both_must_hold() -> None:
    asked = KnowledgeFilter(file_types=("pdf", "md"), created_after=EARLY, tags=("a",))
    allowed = KnowledgeFilter(file_types=("md", "txt"), created_after=LATE, created_before=LATE)
    expected = KnowledgeFilter(file_types=("md",), created_after=LATE, created_before=LATE, tags=("a",))
    assert limits.within(asked, allowed) == expected


def test_what_excludes_the_other_finds_nothing() -> None:
    asked, allowed = KnowledgeFilter(doc_ids=(uuid4(),)), KnowledgeFilter(doc_ids=(uuid4(),))
    assert limits.within(asked, allowed) == limits.NOTHING


def test_no_wish_leaves_what_is_allowed() -> None:
    allowed = KnowledgeFilter(tags=("public",))
    assert limits.within(KnowledgeFilter(), allowed) == allowed
