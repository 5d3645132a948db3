"""Places on pages: the few boxes that cover many."""

from collections.abc import Sequence

from pipelines.ports import Box

MAX_BOXES_PER_PAGE = 4


def merged(boxes: Sequence[Box]) -> tuple[Box, ...]:
    """Return boxes that cover the given ones, in order: one for each run down a column, at most four a page."""
    found: list[Box] = []
    for box in boxes:
        if found and _goes_on(found[-1], box):
            found[-1] = _union(found[-1], box)
        else:
            found.append(box)
    pages = dict.fromkeys(box.page for box in found)
    return tuple(box for page in pages for box in _few([box for box in found if box.page == page]))


def _goes_on(above: Box, below: Box) -> bool:
    """Tell whether `below` follows `above` in the same column of the same page."""
    shared = min(above.right, below.right) - max(above.left, below.left)
    narrower = min(above.right - above.left, below.right - below.left)
    return above.page == below.page and below.top >= above.top and shared >= 0.5 * narrower


def _few(boxes: Sequence[Box]) -> list[Box]:
    if len(boxes) <= MAX_BOXES_PER_PAGE:
        return list(boxes)
    whole = boxes[0]
    for box in boxes[1:]:
        whole = _union(whole, box)
    return [whole]


def _union(a: Box, b: Box) -> Box:
    left, top = min(a.left, b.left), min(a.top, b.top)
    return Box(a.page, left, top, max(a.right, b.right), max(a.bottom, b.bottom))
