"""Entries: a training pair, or a text with the title that somebody gave it."""

from collections.abc import Callable
from dataclasses import replace

from pipelines.ingest import entries
from pipelines.ingest.elements import Extraction
from pipelines.ingest.formats import html, markdown, text

READERS: dict[str, Callable[[bytes], Extraction]] = {"md": markdown.read, "txt": text.read, "html": html.read}


def read(data: bytes) -> Extraction:
    """Return the elements of what `entries.written` wrote. Raises Damaged."""
    found = entries.opened(data)
    if found["kind"] == entries.PAIR:
        return entries.pair(found["title"], found["content"])
    return replace(READERS[found["kind"]](found["content"].encode()), title=found["title"])
