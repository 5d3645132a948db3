"""Where a quotation stands, as near as what is kept of a document tells: the lines of its paragraph.

Only the box of each paragraph is kept. Its lines are all about as long, so a sentence in the middle of it stands in the
middle of its box; a line more on either side covers what that guess is off by. `pipelines/ingest/quoted.py` finds the
lines themselves, in the file.
"""

import math
from dataclasses import replace
from itertools import pairwise

from pipelines.ports.passages import Box, Passage, Spot

WIDTH_EM, LINE_EM = 0.5, 1.25
"""An average letter's width and the distance of lines, in sizes of the type."""


def narrowed(passage: Passage, quote: str) -> list[Box]:
    """Return the boxes of the lines on which the quotation stands; those of the whole passage where it is not known."""
    found: list[Box] = []
    for line in quote.split("\n"):
        start = passage.text.find(line)
        if line and start >= 0:
            found += _boxes(passage, start, start + len(line))
    return list(dict.fromkeys(found)) or list(passage.boxes)


def _boxes(passage: Passage, start: int, end: int) -> list[Box]:
    spots = [*passage.spots, Spot(len(passage.text), passage.spots[0].box)] if passage.spots else []
    found = []
    for spot, following in pairwise(spots):
        first, last = max(start, spot.start), min(end, following.start)
        length = len(passage.text[spot.start : following.start].rstrip())
        if first < last and length:
            found.append(_lines(spot.box, (first - spot.start) / length, (last - spot.start) / length, length))
    return found


def _lines(box: Box, first: float, last: float, length: int) -> Box:
    """Return the part of a paragraph's box in which the share from `first` to `last` of its text stands."""
    height, width = box.bottom - box.top, box.right - box.left
    size = math.sqrt(max(height * width, 1.0) / (WIDTH_EM * LINE_EM * length))
    lines = max(1, round(height / (LINE_EM * size)))
    if lines < 3:
        return box
    step = height / lines
    top = max(0, math.floor(first * lines - 0.5)) * step
    bottom = min(lines, math.ceil(last * lines + 0.5)) * step
    return replace(box, top=round(box.top + top, 1), bottom=round(box.top + bottom, 1))
