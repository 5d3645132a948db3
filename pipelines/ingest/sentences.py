"""Where sentences begin and end.

nupunkt (Punkt with a large table of English abbreviations) decides at full stops; what it leaves
open is added here: lines that cannot run on, terminators of other scripts, foreign abbreviations.
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nupunkt import PunktSentenceTokenizer

Span = tuple[int, int]

# A blank line, or a line end before a list item, a heading mark or a table row, always ends a sentence.
_HARD_BREAK = re.compile(
    r"\n[^\S\n]*\n\s*"
    r"|\n(?=[^\S\n]*(?:[-*+•‣◦▪–]|\d{1,3}[.)]|[A-Za-z][.)]|\(\w{1,3}\)|\#{1,6})\s)"
    r"|\n(?=[^\n]*\s\|\s)|(?<=\|)\n"
)
# These end a sentence wherever they stand, with the quotes and brackets that close after them.
_TERMINATOR = re.compile(r"[。！？｡।॥۔؟።။៖។]+[\"'」』）】〉》”’»)\]]*\s*")
_ABBREVIATED = re.compile(
    r"(?:^|[\s(])(?:"
    r"bzw|ca|d\.\s?h|dipl|dott|dra|fa|fr|hr|inkl|ing|mlle|mme|mmes|nr|p\.\s?ex|sig|sra?|srta|str|tel|u\.\s?a|z\.\s?b|zzgl|"
    r"г|им|св|т\.\s?е|т\.\s?к|ул"
    r")\.\s*$",
    re.IGNORECASE,
)
# "am 3. Oktober": the full stop makes the number an ordinal.
_ORDINAL = re.compile(r"\b(?:am|ab|bis|dem|den|der|des|im|seit|vom|zum)\s+\d{1,2}\.\s*$", re.IGNORECASE)
_MARKER_ONLY = re.compile(r"\s*(?:\(?(?:\d{1,3}|[A-Za-z])[.)])\s*$")
# "… said.[3][4] He left": the references belong to what they support.
_REFERENCES = re.compile(r"\s*(?:\[\d{1,3}(?:[,–-]\s?\d{1,3})*\])+\s+")
_SHORT_LAST_WORD = re.compile(r"(?:^|[\s(])[^\W\d]{1,4}(?:\.[^\W\d]{1,3})*\.\s*$")


def sentences(text: str) -> list[Span]:
    """Return the (start, end) of each sentence of `text`, in order, without the white space around it.

    Every character that is not white space lies in exactly one span. About 4 MB/s; the first call
    loads the model (50 ms, 15 MB).
    """
    found: list[Span] = []
    for start, end in _blocks(text):
        for first, last in _in_block(text[start:end]):
            span = _trimmed(text, start + first, start + last)
            if span[0] < span[1]:
                found.append(span)
    return found


@lru_cache(maxsize=1)
def _model() -> "PunktSentenceTokenizer":
    from nupunkt import load_default_model  # The web process imports this module and may never split a sentence.

    return load_default_model()


def _blocks(text: str) -> list[Span]:
    edges = [0, *(m.end() for m in _HARD_BREAK.finditer(text)), len(text)]
    return [(a, b) for a, b in zip(edges, edges[1:], strict=False) if a < b]


def _in_block(block: str) -> list[Span]:
    """Return contiguous spans that cover `block`."""
    spans: list[Span] = []
    for _, (start, end) in _model().tokenize_with_spans(block):
        references = _REFERENCES.match(block, start, end) if spans else None
        if references and references.end() < end:
            spans[-1] = (spans[-1][0], references.end())
            start = references.end()
        if spans and _runs_on(block, spans[-1], start):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return [piece for span in spans for piece in _at_terminators(block, span)]


def _runs_on(block: str, before: Span, start: int) -> bool:
    """Tell whether the text from `start` on belongs to the sentence `before` it."""
    head = block[max(before[0], before[1] - 24) : before[1]]
    if not head.rstrip().endswith("."):
        return bool(_MARKER_ONLY.match(block[before[0] : before[1]]))
    if _ABBREVIATED.search(head) or _ORDINAL.search(head) or _MARKER_ONLY.match(block[before[0] : before[1]]):
        return True
    return block[start : start + 1].islower() and bool(_SHORT_LAST_WORD.search(head))


def _at_terminators(block: str, span: Span) -> list[Span]:
    start, end = span
    edges = [start, *(m.end() for m in _TERMINATOR.finditer(block, start, end)), end]
    return [(a, b) for a, b in zip(edges, edges[1:], strict=False) if a < b]


def _trimmed(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
