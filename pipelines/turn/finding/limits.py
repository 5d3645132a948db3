"""What a question may search: what its asker limits it to, within what its assistant may know."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pipelines.ports.passages import KnowledgeFilter

NOTHING = KnowledgeFilter(doc_ids=(UUID(int=0),))
"""Holds for no document."""


def read(kept: Mapping[str, Any]) -> KnowledgeFilter:
    """Return the filter that was kept as JSON, in the form of its body."""
    times = {name: datetime.fromisoformat(kept[name]) for name in ("created_after", "created_before") if kept.get(name)}
    return KnowledgeFilter(
        doc_ids=tuple(UUID(str(doc_id)) for doc_id in kept.get("doc_ids") or ()),
        tags=tuple(kept.get("tags") or ()),
        file_types=tuple(kept.get("file_types") or ()),
        sources=tuple(kept.get("sources") or ()),
        **times,
    )


def within(asked: KnowledgeFilter, allowed: KnowledgeFilter) -> KnowledgeFilter:
    """Return the filter that holds where both do; NOTHING where they exclude each other.

    Of tags only one side may name some: a document may have one of each, which no single list says.
    """
    if asked == KnowledgeFilter():
        return allowed
    if asked.tags and allowed.tags:
        raise ValueError("tags on both sides")
    lists: dict[str, Any] = {"tags": asked.tags or allowed.tags}
    for name in ("doc_ids", "file_types", "sources"):
        ours, theirs = getattr(asked, name), getattr(allowed, name)
        lists[name] = _both(ours, theirs)
        if ours and theirs and not lists[name]:
            return NOTHING
    return KnowledgeFilter(
        **lists,
        created_after=max(filter(None, (asked.created_after, allowed.created_after)), default=None),
        created_before=min(filter(None, (asked.created_before, allowed.created_before)), default=None),
    )


def _both(ours: Sequence[Any], theirs: Sequence[Any]) -> tuple[Any, ...]:
    if not ours or not theirs:
        return tuple(ours or theirs)
    return tuple(value for value in ours if value in theirs)
