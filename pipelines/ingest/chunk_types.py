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
_STEP = re.compile(r"^\s*(?:(?:step|schritt)\s*\d+\b|\(?\d{1,2}[.)]\s+\S)", re.IGNORECASE | re.MULTILINE)
_ORDER_WORD = re.compile(
    r"(?:^|[.!?:]\s)\s*(First|Second|Third|Then|Next|After that|Afterwards|Finally|Lastly)\b", re.M
)
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
    if len(_STEP.findall(text)) >= MIN_STEPS or (_PROCESS_HEADING.search(heading) and _is_ordered(text, kinds)):
        return "process"
    if len(set(_ORDER_WORD.findall(text))) >= MIN_STEPS:
        return "process"
    if _DEFINITION_HEADING.search(heading) or _DEFINITION.match(text[:_HEAD_CHARS]):
        return "definition"
    digits = sum(map(str.isdigit, text))
    return "data" if digits > _MAX_SHARE_OF_DIGITS * len(text) else "general"


def _is_ordered(text: str, kinds: Sequence[Kind]) -> bool:
    return Kind.LIST_ITEM in kinds or bool(_ORDER_WORD.search(text))
