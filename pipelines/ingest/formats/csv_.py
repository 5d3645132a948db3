"""CSV and TSV: whatever parts the columns, in any encoding, with rows of any length."""

import csv
import io
from collections import Counter
from collections.abc import Iterator

from pipelines.ingest.elements import Extraction, Kind
from pipelines.ingest.formats.decoding import decode
from pipelines.ingest.formats.foreign import blamed_on_file
from pipelines.ingest.formats.sheets.grid import MAX_CELLS, MAX_CHARS, Cells, Sheet
from pipelines.ingest.formats.sheets.tables import sheet_elements
from schemas.errors.files import Bomb

SEPARATORS = ",;\t|\x1f:^~"
SAMPLE_CHARS = 65_536
SAMPLE_ROWS = 200
MAX_LINES_IN_CELL = 200
"""A cell with more lines began with a quote that nobody closed."""

_NAMED = "sep="


def read(data: bytes) -> Extraction:
    """Return the tables of a file, rows counted from 1 as records. Raises Damaged, Bomb."""
    text = decode(data).replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    separator, text, skipped = separator_of(text)
    sheet = Sheet()
    cells = Cells()
    # Python refuses fields of more than 128 kB unless told otherwise; this is a child process.
    csv.field_size_limit(MAX_CHARS)
    with blamed_on_file():
        quoted = is_quoted(text, separator)
        for number, values in enumerate(records(text, separator, quoted), 1 + skipped):
            if len(values) > MAX_CELLS:
                raise Bomb(f"The file holds more than {MAX_CELLS:,} cells.")
            if row := cells.row(number, dict(enumerate(values))):
                sheet.rows.append(row)
    elements = tuple(sheet_elements(sheet))
    first = elements[0] if elements else None
    return Extraction(elements, first.text if first and first.kind is Kind.TITLE else "")


def separator_of(text: str) -> tuple[str, str, int]:
    """Return what parts the columns, the text without a line that only says so, and the number of such lines."""
    first, _, rest = text.partition("\n")
    if first.lower().startswith(_NAMED) and len(first.strip()) == len(_NAMED) + 1:
        return first.strip()[-1], rest, 1
    sample = text[:SAMPLE_CHARS]
    if len(text) > SAMPLE_CHARS and "\n" in sample:
        sample = sample.rpartition("\n")[0]
    return max(SEPARATORS, key=lambda separator: _fit(sample, separator)), text, 0


def _fit(sample: str, separator: str) -> float:
    """Return how well a separator explains a sample: as the share of rows that have the usual number of columns.

    More columns decide between equals; a comma is preferred to what also occurs inside of values.
    """
    if separator not in sample:
        return 0.0
    try:
        widths = Counter(len(row) for row in _sampled(sample, separator) if any(map(str.strip, row)))
    except csv.Error:
        return 0.0
    wide = {width: count for width, count in widths.items() if width > 1}
    if not wide:
        return 0.0
    usual = max(wide, key=lambda width: (wide[width], width))
    near = sum(count for width, count in wide.items() if abs(width - usual) <= 1)
    share = (wide[usual] + 0.5 * (near - wide[usual])) / sum(widths.values())
    return share + min(usual, 50) / 1000 - SEPARATORS.index(separator) / 10_000 - 0.3 * (separator in ":^~")


def _sampled(sample: str, separator: str) -> Iterator[list[str]]:
    for _, row in zip(range(SAMPLE_ROWS), records(sample, separator, quoted=True), strict=False):
        yield row


def records(text: str, separator: str, quoted: bool) -> Iterator[list[str]]:
    """Return the records of a text, each a list of its values; without `quoted`, quotes are characters like others."""
    lines = io.StringIO(text, newline="")
    if quoted:
        return csv.reader(lines, delimiter=separator, skipinitialspace=True)
    return csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE, skipinitialspace=True)


def is_quoted(text: str, separator: str) -> bool:
    """Tell whether the quotes in a file hold cells together; where one stays open they are only characters."""
    if '"' not in text:
        return True
    most = max((value.count("\n") for row in records(text, separator, quoted=True) for value in row), default=0)
    return most <= MAX_LINES_IN_CELL
