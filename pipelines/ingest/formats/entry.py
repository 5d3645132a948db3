"""Entries: a training pair, or a text with the title that somebody gave it."""

from collections.abc import Callable
from dataclasses import replace

from pipelines.ingest import entries
from pipelines.ingest.elements import Extraction
from pipelines.ingest.formats import html, markdown, text
from schemas.errors.files import Damaged

READERS: dict[str, Callable[[bytes], Extraction]] = {"md": markdown.read, "txt": text.read, "html": html.read}


def read(data: bytes) -> Extraction:
    """Return the elements of what `entries.pack` wrote. Raises Damaged."""
    found = entries.unpack(data)
    if found.kind == entries.PAIR:
        return entries.pair(found.title, found.content)
    if found.kind not in READERS:
        raise Damaged
    return replace(READERS[found.kind](found.content.encode()), title=found.title)
