"""What a passage states: its sentences, its table rows as phrases, its questions with their answers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.text import sentences

_CELL = re.compile(r"\s*\|\s*")
_RULE = re.compile(r"[\s|:+=-]+")
_LABEL = re.compile(r"^\s*(?:Q|A|Question|Answer)\s*[:.]\s*", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*•·]|\(?\d{1,2}[.)])\s+")
_DANGLING = re.compile(
    r"(?:However|But|This|That|These|Those|It|They|He|She|Then|Therefore|Thus|Also|And|Such|Otherwise)\b"
)

MAX_CHARS = 600
"""Longest statement quoted; what has no sentence end for longer is no prose."""


@dataclass(frozen=True)
class Statement:
    """A quotable piece. `context` are words beside it that say what it is about, `dangling` that it
    begins with a word that points back, `start` where it stands in the passage."""

    text: str
    context: str = ""
    dangling: bool = False
    start: int = 0


def statements(text: str) -> list[Statement]:
    """Return the statements of a passage in order."""
    found: list[Statement] = []
    table: list[tuple[int, str]] = []
    at = 0
    prose_from: int | None = None
    for line in [*text.splitlines(keepends=True), ""]:
        is_row = line.count("|") >= 1 and len(_CELL.split(line.strip().strip("|"))) >= 2
        if is_row:
            if prose_from is not None:
                found += _prose(text, prose_from, at)
                prose_from = None
            table.append((at, line))
        else:
            found += _rows(table)
            table = []
            prose_from = at if prose_from is None else prose_from
        at += len(line)
    if prose_from is not None:
        found += _prose(text, prose_from, at)
    return [statement for statement in found if len(statement.text) <= MAX_CHARS]


def _rows(lines: Sequence[tuple[int, str]]) -> Iterator[Statement]:
    """Yield each row of a table as "first cell — header: cell; header: cell"."""
    rows = [(at, _CELL.split(line.strip().strip("|").strip())) for at, line in lines if not _RULE.fullmatch(line)]
    if not rows:
        return
    header = rows[0][1]
    for at, cells in rows[1:]:
        named = [
            f"{name}: {cell}" if name and name.lower() != cell.lower() else cell
            for name, cell in zip(header[1:], cells[1:], strict=False)
            if cell
        ]
        yield Statement(f"{cells[0]} — {'; '.join(named)}" if named else cells[0], " ".join(header), start=at)
    if len(rows) == 1:
        yield Statement(" — ".join(cell for cell in header if cell), start=rows[0][0])


def _prose(text: str, start: int, end: int) -> Iterator[Statement]:
    question, before = "", ""
    for first, last in sentences(text[start:end]):
        said = _BULLET.sub("", _LABEL.sub("", text[start + first : start + last])).strip()
        if not said:
            continue
        if said.endswith("?"):
            question, before = said, ""
            continue
        dangling = bool(_DANGLING.match(said))
        yield Statement(said, f"{question} {before}".strip(), dangling, start + first)
        before = said
