"""What documents are called and tagged with: that is not in the file, and may be changed without reading it again."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from pipelines.stores.knowledge.documents import touch_knowledge
from schemas.tables.knowledge import Document

MOST_TAGS = 200


def change(session: Session, document: Document, title: str | None, tags: Sequence[str] | None) -> None:
    """Give a document another title, other tags, or both; answers from before are cached no longer."""
    metadata = dict(document.metadata_)
    if title is not None:
        # Extraction takes this before what the file says itself.
        metadata["title"] = document.title = title
    if tags is not None:
        metadata["tags"] = list(tags)
    if metadata != document.metadata_:
        document.metadata_ = metadata
        touch_knowledge(session)


def tags_of(document: Document) -> list[str]:
    """Return the document's tags; none where its metadata say something else under that name."""
    found = document.metadata_.get("tags")
    return [tag for tag in found if isinstance(tag, str)] if isinstance(found, list) else []


def counts(session: Session) -> list[tuple[str, int]]:
    """Return the tags of the tenant's documents with how many have each, the most frequent first, 200 at most."""
    rows = session.execute(
        text(
            "SELECT tag, count(*) FROM documents d, jsonb_array_elements_text("
            " CASE jsonb_typeof(d.metadata->'tags') WHEN 'array' THEN d.metadata->'tags' ELSE '[]' END) tag"
            " WHERE d.source = 'document_chunks' GROUP BY tag ORDER BY count(*) DESC, tag LIMIT :most"
        ),
        {"most": MOST_TAGS},
    )
    return [(tag, count) for tag, count in rows]
