"""Cells of a spreadsheet: what would be taken for a formula is written as text, and read back as it was."""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")

TAGS = ", "
_BETWEEN_TAGS = re.compile(r"[,;|]")


def escaped(text: str) -> str:
    """Return a text that no spreadsheet runs: an apostrophe stands before what begins a formula.

    It also stands before what begins like something escaped, so that `restored` is its exact inverse.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def restored(cell: str) -> str:
    """Return the text that `escaped` wrote as this cell."""
    return cell[1:] if _ESCAPED.match(cell) else cell


def tags(cell: str) -> list[str]:
    """Return the tags that a cell lists, between commas, semicolons or bars."""
    return [tag for part in _BETWEEN_TAGS.split(cell) if (tag := part.strip())]
