"""Headings that are told by their type alone, where a format or its author does not mark them."""

RATIOS = (2.0, 1.6, 1.35, 1.15, 1.05)
"""A heading's level is the first of these ratios, to the size of running text, that its type reaches.

Bold type of the running text's size is one level below. Fixed steps rather than a ranking of the
sizes found, so that the parts of a long document, read apart, agree.
"""

MAX_CHARS = 200
BOLD_LEVEL = len(RATIOS) + 1


def level_of(ratio: float, bold: bool) -> int | None:
    """Return the level of type that is `ratio` times as large as running text, None for running text."""
    for level, least in enumerate(RATIOS, 1):
        if ratio >= least:
            return level
    return BOLD_LEVEL if bold and ratio >= 0.95 else None
