"""From the markers in an answer to the places they stand for."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pipelines.ports import Passage
from pipelines.text import sentences
from pipelines.turn.words import content_words

MARKER = re.compile(r"\s?\[(\d{1,3})\]")


def cite(answer: str, passages: Sequence[Passage]) -> tuple[str, list[dict[str, Any]]]:
    """Return the answer without markers that stand for nothing, and a citation for each marker used.

    A citation names document, page, heading and boxes, and quotes the sentence of the passage that
    supports the answer's best: text that stands in the source, word for word.
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
    return {
        "number": number,
        "document_id": str(passage.doc_id),
        "chunk_id": passage.chunk_id,
        "source": passage.source,
        "filename": passage.filename,
        "page": passage.page_from,
        "page_to": passage.page_to,
        "heading_path": list(passage.heading_path),
        "quote": quote(passage.text, said),
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
