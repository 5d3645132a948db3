"""Places on pages: the few boxes that cover many."""

from collections.abc import Sequence

from pipelines.ports.passages import Box

MAX_BOXES_PER_PAGE = 4


_Place = tuple[int, float, float, float, float]


def merged(boxes: Sequence[Box]) -> tuple[Box, ...]:
    """Return boxes that cover the given ones, in order: one for each run down a column, at most four a page."""
    if len(boxes) == 1:
        return (boxes[0],)
    found: list[_Place] = []
    for box in boxes:
        page, left, top, right, bottom = box.page, box.left, box.top, box.right, box.bottom
        if found:
            page0, left0, top0, right0, bottom0 = found[-1]
            shared = min(right0, right) - max(left0, left)
            # It goes on below in the same column.
            if page == page0 and top >= top0 and shared >= 0.5 * min(right0 - left0, right - left):
                found[-1] = page, min(left0, left), top0, max(right0, right), max(bottom0, bottom)
                continue
        found.append((page, left, top, right, bottom))
    pages = dict.fromkeys(place[0] for place in found)
    return tuple(Box(*place) for page in pages for place in _few([place for place in found if place[0] == page]))


def _few(places: Sequence[_Place]) -> Sequence[_Place]:
    if len(places) <= MAX_BOXES_PER_PAGE:
        return places
    pages, lefts, tops, rights, bottoms = zip(*places, strict=True)
    return [(pages[0], min(lefts), min(tops), max(rights), max(bottoms))]
