"""The text next to a passage, which helps to understand it: what stood before and after it in its section."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipelines.ports.passages import Passage
from pipelines.text import sentences

EXPANDED = 3
"""Passages, best first, that get their neighbours: those further down seldom carry the answer, and all cost tokens."""

MAX_CHARS = 500
"""Of a neighbour: the sentences that are nearest to the passage."""

LEAST_OVERLAP = 12
"""Characters from which on an equal end and beginning is the overlap of two chunks, not chance."""


@dataclass(frozen=True)
class Beside:
    """The whole texts before and after a passage, empty where its section begins or ends."""

    before: str = ""
    after: str = ""


def expanded(passages: Sequence[Passage], beside: Mapping[int, Beside]) -> list[Passage]:
    """Return the passages with the ends of their neighbours, by chunk id, without what they share with the passage.

    What another of the passages says anyway is not said twice.
    """
    shown = [passage.text for passage in passages]
    found = []
    for passage in passages:
        there = beside.get(passage.chunk_id, Beside())
        before = "" if there.before in shown else _last(_without_end(there.before, passage.text))
        after = "" if there.after in shown else _first(_without_start(there.after, passage.text))
        found.append(replace(passage, before=before, after=after) if before or after else passage)
    return found


def _without_end(before: str, text: str) -> str:
    """Return `before` without the end that `text` begins with."""
    return before[: len(before) - _shared(before, text)].rstrip()


def _without_start(after: str, text: str) -> str:
    return after[_shared(text, after) :].lstrip()


def _shared(first: str, second: str) -> int:
    """Return how many characters the end of the first and the beginning of the second share: LEAST_OVERLAP or none."""
    start = second[:LEAST_OVERLAP]
    if len(start) < LEAST_OVERLAP:
        return 0
    at = first.find(start)
    while at >= 0:
        if second.startswith(first[at:]):
            return len(first) - at
        at = first.find(start, at + 1)
    return 0


def _last(text: str) -> str:
    """Return the last whole sentences of a text within MAX_CHARS."""
    if len(text) <= MAX_CHARS:
        return text
    return next((text[start:] for start, _ in sentences(text) if len(text) - start <= MAX_CHARS), "")


def _first(text: str) -> str:
    if len(text) <= MAX_CHARS:
        return text
    return next((text[:end] for _, end in reversed(sentences(text)) if end <= MAX_CHARS), "")
