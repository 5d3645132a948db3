"""From the markers in an answer to the places they stand for."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pipelines.ports.passages import Passage
from pipelines.text import sentences
from pipelines.turn.checking import tables
from pipelines.turn.checking.spots import narrowed
from pipelines.turn.checking.support import stands_in, supports
from pipelines.turn.wording.words import content_words

MARKER = re.compile(r"\s?\[(\d{1,3})\]")


def cite(answer: str, passages: Sequence[Passage]) -> tuple[str, list[dict[str, Any]]]:
    """Return the answer without markers that stand for nothing, and a citation for each marker that is left.

    A marker stands for nothing where there is no such passage, where the passage does not support the sentence
    before it (`support.supports`), or where what would be quoted does not stand in it. A citation names document,
    page, heading and boxes, and quotes the sentence of the passage that supports the answer's best, word for word.
    Of a table it quotes the row, below its header; of a sheet it names the first and last row in `rows`, of a
    recording the seconds.
    """
    supported: dict[int, list[str]] = {}
    parts: list[str] = []
    at = 0
    for start, end in sentences(answer):
        said = MARKER.sub("", answer[start:end]).strip()
        named = dict.fromkeys(int(found) for found in MARKER.findall(answer[start:end]))
        held = {number for number in named if 0 < number <= len(passages) and supports(passages[number - 1], said)}
        for number in held:
            supported.setdefault(number, []).append(said)
        parts += [answer[at:start], _with_only(answer[start:end], held)]
        at = end
    cleaned = "".join([*parts, answer[at:]]).strip()
    found = [_citation(number, passages[number - 1], " ".join(said)) for number, said in sorted(supported.items())]
    unfounded = {one["number"] for one in found if not stands_in(one["quote"], passages[one["number"] - 1].text)}
    if unfounded:
        cleaned = _with_only(cleaned, supported.keys() - unfounded)
    return cleaned, [one for one in found if one["number"] not in unfounded]


def by_sentence(answer: str, cited: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the sentences of an answer that `cite` has cleaned: text, the numbers of its citations, and `supported`.

    A sentence that names no source is not supported: it is the model's own.
    """
    there = {one.get("number") for one in cited}
    found = []
    for start, end in sentences(answer):
        text = MARKER.sub("", answer[start:end]).strip()
        numbers = [int(number) for number in dict.fromkeys(MARKER.findall(answer[start:end])) if int(number) in there]
        if text:
            found.append({"text": text, "citations": numbers, "supported": bool(numbers)})
    return found


def _with_only(text: str, numbers: Collection[int]) -> str:
    return MARKER.sub(lambda found: found[0] if int(found[1]) in numbers else "", text)


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
        "boxes": [asdict(box) for box in narrowed(passage, found.quote if found else sentence)],
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
