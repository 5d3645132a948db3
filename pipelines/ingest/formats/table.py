"""One way to write a table, whatever it was read from."""

from collections.abc import Sequence

from pipelines.ingest.elements import Element, Kind
from pipelines.ports.passages import Box

MAX_HEADER_CHARS = 400
"""Some hundred tokens."""

MAX_NAME_CHARS = 60


def table(
    rows: Sequence[Sequence[str]], page: int | None = None, box: Box | None = None, first_row: int | None = None
) -> Element:
    """Return a table whose text has one line for each of its `rows`; cells must hold no line ends.

    Where the header is so long that it would take much of each chunk, the rows name their columns instead.
    """
    if is_wide(rows[0]):
        return lines(
            [" | ".join(filter(None, rows[0])), *(named(rows[0], row) for row in rows[1:])], first_row, page, box
        )
    text = "\n".join(" | ".join(row) for row in rows)
    return Element(text, Kind.TABLE, page, box, rows=tuple(tuple(row) for row in rows), first_row=first_row)


def lines(
    texts: Sequence[str], first_row: int | None = None, page: int | None = None, box: Box | None = None
) -> Element:
    """Return a table without a header, or one whose lines each name their columns, from its lines."""
    return Element("\n".join(texts), Kind.TABLE, page, box, first_row=first_row)


def is_wide(header: Sequence[str]) -> bool:
    """Tell whether a header is long because it has many names, rather than because they are long themselves."""
    chars = sum(len(name) + 3 for name in header)
    return MAX_HEADER_CHARS < chars <= (MAX_NAME_CHARS + 3) * len(header)


def named(header: Sequence[str], row: Sequence[str]) -> str:
    """Return a row with its columns' names: `name: value | name: value`, without what is empty."""
    names = (*header, *[""] * (len(row) - len(header)))
    return " | ".join(f"{name}: {text}" if name else text for name, text in zip(names, row, strict=False) if text)
