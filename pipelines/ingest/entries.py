"""Knowledge that was written down as such, rather than uploaded, on its way through the ingest.

A training pair is one chunk, whatever its length: its question is the heading and what is embedded, so that a
question finds it; its answer is the text, word for word.
"""

import json
from collections.abc import Mapping
from typing import Any

from pipelines.ingest.elements import Chunk, Element, Extraction, Kind
from pipelines.ingest.tokens import count

FILE_TYPE = "entry"
"""What reads what `written` wrote."""

PAIR = "qa"
TEXTS = ("md", "txt", "html")


def written(content: str, kind: str, title: str) -> bytes:
    """Return an entry as the reader of its type takes it; `kind` is PAIR, or what its content is written in."""
    return json.dumps({"kind": kind, "title": title, "content": content}).encode()


def opened(data: bytes) -> Mapping[str, Any]:
    """Return what `written` wrote: `kind`, `title` and `content`."""
    found: Mapping[str, Any] = json.loads(data)
    return found


def pair(prompt: str, response: str) -> Extraction:
    """Return a question with its answer, which stays as it is."""
    return Extraction((Element(prompt, Kind.TITLE, level=1), Element(response)), prompt)


def chunk(extraction: Extraction) -> list[Chunk]:
    """Return the one chunk of a pair."""
    prompt, response = (element.text for element in extraction.elements)
    start = len(prompt) + 2
    return [
        Chunk(
            index=0,
            text=response,
            chunk_type="question",
            token_count=count(response),
            start_char=start,
            end_char=start + len(response),
            heading_path=(prompt,),
            question=prompt,
        )
    ]
