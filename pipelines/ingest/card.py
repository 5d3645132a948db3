"""A document's card: what it is called and how it begins, by which a question is led to the document as a whole."""

from collections.abc import Sequence

from pipelines.ingest.elements import Chunk, named, unpack_chunks

MAX_CHARS = 1000
"""About what the local model reads at once: the names and dates that tell a document from its siblings come first."""


def card(chunks: Sequence[Chunk], filename: str, title: str) -> str | None:
    """Return the text of the card of a document that begins with these chunks: name, title, first page.

    None for a single chunk, which with its document's name above it is a card already.
    """
    if len(chunks) < 2:
        return None
    page = [chunk for chunk in chunks if chunk.page_from == chunks[0].page_from]
    lines = dict.fromkeys(line for chunk in page for line in (*chunk.heading_path, chunk.text))
    return "\n".join((" > ".join(named(filename, title)), *lines))[:MAX_CHARS]


def of_part(packed: bytes, filename: str) -> str | None:
    """Return the card of a document whose first chunks were packed so."""
    found, title = unpack_chunks(packed)
    return card(found, filename, title)
