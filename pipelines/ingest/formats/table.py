"""One way to write a table, whatever it was read from."""

from collections.abc import Sequence

from pipelines.ingest.elements import Element, Kind
from pipelines.ports import Box


def table(rows: Sequence[Sequence[str]], page: int | None = None, box: Box | None = None) -> Element:
    """Return a table whose text has one line for each of its `rows`; cells must hold no line ends."""
    text = "\n".join(" | ".join(row) for row in rows)
    return Element(text, Kind.TABLE, page, box, rows=tuple(tuple(row) for row in rows))
