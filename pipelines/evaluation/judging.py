"""What came of one question: where its source was found, and whether the answer is right or rightly refused."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.evaluation import metrics
from pipelines.ports.passages import Passage
from pipelines.turn.checking.guard import is_leak_refusal
from pipelines.turn.composing.compose import is_refusal

DEPTH = 10
"""Passages that are looked at for the measures of retrieval, however many an answer is made from."""

SAME_TEXT = 0.8
"""Share of a passage's words that stand in the source's text, or of its in the passage's, to be the same place."""

_REFUSAL = re.compile(
    r"\b(?:I (?:do not|don[’']t|cannot|can[’']t) (?:know|find|answer)|not (?:mentioned|stated|contained) in"
    r"|no information|ich weiß (?:es )?nicht|weiß ich nicht|je ne sais pas|no lo sé|non lo so|ik weet het niet)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Outcome:
    """What came of a question in one configuration; of one that could not be asked, `error` says why.

    `ranks` are those of its sources among the passages; `right` is whether the answer holds a right one, or is a
    refusal where it should be.
    """

    answer: str = ""
    refused: bool = False
    should_refuse: bool = False
    right: bool = False
    exact: bool = False
    f1: float = 0.0
    ranks: list[int | None] = field(default_factory=list)
    confidence: float = 0.0
    latency_ms: float = 0.0
    cost_usd: float = 0.0
    model: str = ""
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def judged(
    answer: str,
    cited: Sequence[object],
    golds: Sequence[str],
    source: Mapping[str, Any],
    passages: Sequence[Passage],
    **measured: Any,
) -> Outcome:
    """Return the outcome of an answer. Without `golds` it is right where it refuses."""
    refused = is_refusal(answer) or is_leak_refusal(answer) or (not cited and _REFUSAL.search(answer) is not None)
    plain = re.sub(r"\s?\[\d{1,3}\]", "", answer)
    should_refuse = not golds
    holds = not refused and metrics.holds(plain, golds)
    return Outcome(
        answer=answer,
        refused=refused,
        should_refuse=should_refuse,
        right=refused if should_refuse else holds,
        exact=not refused and metrics.exact_match(plain, golds),
        f1=0.0 if refused else metrics.f1(plain, golds),
        ranks=[] if should_refuse else ranks(passages[:DEPTH], source, golds),
        **measured,
    )


def ranks(passages: Sequence[Passage], source: Mapping[str, Any], golds: Sequence[str]) -> list[int | None]:
    """Return the rank of the first passage that is of the source; without a source, that holds a right answer."""
    if source:
        fits = [_is_of(passage, source) for passage in passages]
    elif golds:
        fits = [metrics.holds(passage.text, golds) for passage in passages]
    else:
        return []
    return [fits.index(True) + 1 if any(fits) else None]


def _is_of(passage: Passage, source: Mapping[str, Any]) -> bool:
    """Return whether a passage is of the document, the page and the text that the source names."""
    if source.get("document_id") and str(passage.doc_id) != str(source["document_id"]):
        return False
    if source.get("filename") and passage.filename.casefold() != str(source["filename"]).casefold():
        return False
    page = source.get("page")
    if page is not None:
        first = passage.page_from if passage.page_from is not None else page
        if not first <= page <= (passage.page_to or first):
            return False
    return not source.get("text") or _same_place(passage.text, str(source["text"]))


def _same_place(one: str, other: str) -> bool:
    first, second = set(metrics.normalised(one).split()), set(metrics.normalised(other).split())
    return len(first & second) >= SAME_TEXT * max(1, min(len(first), len(second)))
