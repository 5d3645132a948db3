"""From the markers in an answer to the places they stand for."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pipelines.ports import Passage
from pipelines.text import sentences
from pipelines.turn import tables
from pipelines.turn.words import content_words

MARKER = re.compile(r"\s?\[(\d{1,3})\]")


def cite(answer: str, passages: Sequence[Passage]) -> tuple[str, list[dict[str, Any]]]:
    """Return the answer without markers that stand for nothing, and a citation for each marker used.

    A citation names document, page, heading and boxes, and quotes the sentence of the passage that
    supports the answer's best: text that stands in the source, word for word. Of a table it quotes the
    row, below its header; of a sheet it names the first and last row in `rows`, of a recording the seconds.
    """
    cleaned = MARKER.sub(lambda found: found[0] if 0 < int(found[1]) <= len(passages) else "", answer)
    supported: dict[int, list[str]] = {}
    for start, end in sentences(cleaned):
        sentence = cleaned[start:end]
        for number in dict.fromkeys(int(found) for found in MARKER.findall(sentence)):
            supported.setdefault(number, []).append(MARKER.sub("", sentence))
    return cleaned.strip(), [
        _citation(number, passages[number - 1], " ".join(said)) for number, said in sorted(supported.items())
    ]


def _citation(number: int, passage: Passage, said: str) -> dict[str, Any]:
    sentence = quote(passage.text, said)
    found = tables.cited(passage.text, said, passage.row_from, passage.row_to)
    if found and passage.row_from is None and sentence not in found.quote:
        found = None  # What stands beside the table supports it better.
    rows = found.rows if found else (passage.row_from, passage.row_to)
    return {
        "number": number,
        "document_id": str(passage.doc_id),
        "chunk_id": passage.chunk_id,
        "source": passage.source,
        "filename": passage.filename,
        "page": passage.page_from,
        "page_to": passage.page_to,
        "heading_path": list(passage.heading_path),
        "quote": found.quote if found else sentence,
        "rows": None if None in rows else list(rows),
        "start_s": passage.start_s,
        "end_s": passage.end_s,
        "similarity": round(passage.similarity, 3),
        "boxes": [asdict(box) for box in passage.boxes],
    }


def quote(text: str, said: str) -> str:
    """Return the sentence of `text` that shares most words with `said`; of equals the shorter."""
    wanted = content_words(said)

    def fit(span: tuple[int, int]) -> tuple[float, int]:
        found = content_words(text[span[0] : span[1]])
        return len(wanted & found) / (len(found) + 5), span[0] - span[1]

    spans = sentences(text)
    if not spans:
        return text
    start, end = max(spans, key=fit)
    return text[start:end]
