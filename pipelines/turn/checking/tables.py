"""Which row of a table supports an answer, and where in its sheet it stands.

A chunk of a table has a line for each row, its cells joined by ` | `, below the header; a row that is longer than a
chunk goes on below its first cell and the names of its columns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.turn.wording.words import content_words

SEPARATOR = " | "

Rows = tuple[int | None, int | None]


@dataclass(frozen=True)
class Cited:
    """A row with its header, word for word, and the first and last row of the sheet that it may be."""

    quote: str
    rows: Rows


@dataclass(frozen=True)
class _Line:
    text: str
    header: str
    row: int | None


def cited(text: str, said: str, row_from: int | None = None, row_to: int | None = None) -> Cited | None:
    """Return the row of a chunk that shares most words with `said`; None where no row shares any.

    `row_from`, `row_to` are the sheet's rows that the chunk holds, where it is of a sheet.
    """
    wanted = content_words(said)
    lines = list(_lines(text, row_from, row_to))
    shares = [len(wanted & content_words(line.text)) / (len(content_words(line.text)) + 5) for line in lines]
    if not shares or not max(shares):
        return None
    best = lines[shares.index(max(shares))]
    quote = f"{best.header}\n{best.text}" if best.header else best.text
    return Cited(quote, (row_from, row_to) if best.row is None else (best.row, best.row))


def _lines(text: str, row_from: int | None, row_to: int | None) -> Iterator[_Line]:
    """Yield the rows below their headers; each with its number where that is certain."""
    blocks = [block for block in _blocks(text.split("\n")) if _is_table(block, row_from)]
    for number, block in enumerate(blocks):
        header = block[0] if SEPARATOR in block[0] and len(block) > 1 else ""
        below = block[1:] if header else block
        for at, line in enumerate(below):
            row = None
            if row_from is not None and row_to is not None:
                # The first table of a chunk is counted from its first row, the last one from its last.
                from_top, from_bottom = row_from + at, row_to - (len(below) - 1 - at)
                if len(blocks) == 1 or number == len(blocks) - 1:
                    row = from_bottom if from_bottom >= row_from else row_from
                elif number == 0:
                    row = from_top
            yield _Line(line, header, row)


def _blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []


def _is_table(block: Sequence[str], row_from: int | None) -> bool:
    """Tell whether lines are rows: in a sheet all are, elsewhere those of which most have cells."""
    return row_from is not None or (len(block) > 1 and 2 * sum(SEPARATOR in line for line in block) > len(block))
