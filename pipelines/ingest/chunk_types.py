"""What a chunk is good for: definition, question, process, data or general, by simple signs."""

import re
from collections.abc import Sequence

from pipelines.ingest.elements import Kind

MIN_STEPS = 3
_HEAD_CHARS = 400
_MAX_SHARE_OF_DIGITS = 0.2

_QUESTION = re.compile(
    r"^\s*(?:Q(?:uestion)?\s*\d*\s*[:.)]|(?:who|what|when|where|why|how|which|can|do|does|is|are|may|should|will)\b[^.!?\n]{3,200}\?)",
    re.IGNORECASE | re.MULTILINE,
)
_STEP = re.compile(r"\s*(?:(?:step|schritt)\s*\d+\b|\(?\d{1,2}[.)]\s+\S)", re.IGNORECASE)
_ORDER_WORDS = ("First", "Second", "Third", "Then", "Next", "After that", "Afterwards", "Finally", "Lastly")
_ORDER_WORD = re.compile(rf"(?:^|[.!?:]\s)\s*({'|'.join(_ORDER_WORDS)})\b", re.MULTILINE)
_PROCESS_HEADING = re.compile(
    r"\b(?:how to|steps?|procedure|process|instructions?|workflow|set ?up|installation)\b", re.I
)
_DEFINITION_HEADING = re.compile(r"\b(?:definitions?|glossary|terms?|terminology|what (?:is|are))\b", re.IGNORECASE)
_DEFINITION = re.compile(
    r"^\W*(?:the |an? )?[^.!?\n:]{2,80}?\b(?:(?:is|are) (?:an?|the|any|one of)\b|means?\b|refers? to\b|denotes?\b"
    r"|(?:is|are) (?:defined|known) as\b|stands for\b)",
    re.IGNORECASE,
)


def chunk_type(text: str, kinds: Sequence[Kind], heading_path: Sequence[str]) -> str:
    """Return the type of a chunk with this text, made of elements of these kinds under these headings."""
    heading = heading_path[-1] if heading_path else ""
    if Kind.TABLE in kinds and kinds.count(Kind.TABLE) * 2 >= len(kinds):
        return "data"
    if heading.rstrip().endswith("?") or _QUESTION.search(text):
        return "question"
    if _steps(text) >= MIN_STEPS or (_PROCESS_HEADING.search(heading) and _is_ordered(text, kinds)):
        return "process"
    # Looking for words is ten times as fast as looking for sentences that begin with them.
    if sum(word in text for word in _ORDER_WORDS) >= MIN_STEPS and len(set(_ORDER_WORD.findall(text))) >= MIN_STEPS:
        return "process"
    if _DEFINITION_HEADING.search(heading) or _DEFINITION.match(text[:_HEAD_CHARS]):
        return "definition"
    return "data" if _has_many_digits(text) else "general"


def _has_many_digits(text: str) -> bool:
    most = _MAX_SHARE_OF_DIGITS * len(text)
    digits = sum(map(text.count, "0123456789"))
    # One by one they take ten times as long: only where digits of other scripts could make a difference.
    others = len(text) - len(text.encode("ascii", "ignore"))
    return digits > most or (digits + others > most and sum(map(str.isdigit, text)) > most)


def _steps(text: str) -> int:
    """Return how many lines begin a step, 0 for a text of too few lines."""
    lines = text.split("\n")
    return sum(_STEP.match(line) is not None for line in lines) if len(lines) >= MIN_STEPS else 0


def _is_ordered(text: str, kinds: Sequence[Kind]) -> bool:
    return Kind.LIST_ITEM in kinds or bool(_ORDER_WORD.search(text))
