"""Paragraphs, list items and headings out of the lines of a page.

A line break is a paragraph's end where the gap, the indent or the type changes, or where the next
word would still have fitted on the line: then whoever set the page meant to stop there.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipelines.ingest.clean import one_line
from pipelines.ingest.elements import Element, Kind
from pipelines.ingest.formats.headings import BOLD_LEVEL, MAX_CHARS, RATIOS, level_of
from pipelines.ingest.formats.pdf.aligned import aligned
from pipelines.ingest.formats.pdf.frame import Frame
from pipelines.ingest.formats.pdf.lines import HYPHEN, Line, union, without_leaders
from pipelines.ingest.formats.pdf.order import regions, rows
from pipelines.ingest.formats.table import table

MAX_HEADING_LINES = 3

_MARK = re.compile(
    r"\s*(?:(?P<bullet>[•●○◦▪■□▸►‣➢➤✓✔✗·*–—-]|o(?=\s{2}))"
    r"|(?:\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)]|\[\d{1,3}\]))\s+\S"
)
"""A bullet or a number that begins an item of a list."""

_LEADER_END = re.compile(r"(?:\s?[.…·]){4,}\s*\S{0,6}\s*$")
_LETTER = re.compile(r"[^\W\d_]")
_ADDRESS = re.compile(r"://|\S@\S|\bwww\.")
_CJK = re.compile(r"[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef]")
_LEADING = 1.2
_SENTENCE_ENDS = tuple(".,;。，；")
_ENDS = tuple(".,;:!?。，；：！？")


@dataclass(slots=True)
class Block:
    """Lines that belong together, all of one type."""

    lines: list[Line]
    item: bool = False


def page_elements(lines: Iterable[Line], frame: Frame, page: int, body_size: float) -> list[Element]:
    """Return the elements of a page in reading order.

    `body_size` is the size of the document's running text in points. Text that is turned otherwise
    than the page comes last.
    """
    upright = [line for line in lines if line.quarter == frame.quarter]
    turned = [line for line in lines if line.quarter != frame.quarter]
    blocks = [block for region in regions(upright) for block in _blocks(aligned(rows(region)))]
    found = [element for block in blocks if (element := _element(block, frame, page, body_size))]
    if aside := one_line(" ".join(line.text for line in turned)):
        found.append(Element(aside, page=page))
    return found


def _blocks(lines: Sequence[Line]) -> Iterator[Block]:
    """Yield the blocks of a region whose lines come from top to bottom."""
    leadings = _leadings(lines)
    margin = max((line.right for line in lines if not line.rows), default=0.0)
    block: Block | None = None
    for i, line in enumerate(lines):
        mark = _MARK.match(line.text)
        leading = leadings.get(round(line.size), _LEADING)
        if block and not _begins(block, lines, i, leading, margin, mark):
            block.lines.append(line)
            continue
        if block:
            yield block
        block = Block([line], item=mark is not None)
    if block:
        yield block


def _leadings(lines: Sequence[Line]) -> dict[int, float]:
    """Return the usual distance between baselines in em, by size of type in points.

    It is the lower quartile, which the gaps between paragraphs do not reach.
    """
    steps: dict[int, list[float]] = defaultdict(list)
    for a, b in itertools.pairwise(lines):
        if abs(a.size - b.size) < 0.08 * b.size and b.base - a.base > 0.8 * b.size:
            steps[round(b.size)].append((b.base - a.base) / b.size)
    return {size: sorted(found)[len(found) // 4] for size, found in steps.items()}


def _begins(
    block: Block, lines: Sequence[Line], i: int, leading: float, margin: float, mark: re.Match[str] | None
) -> bool:
    """Tell whether line number `i`, which begins with `mark`, begins a new block after `block`."""
    last, first, line = block.lines[-1], block.lines[0], lines[i]
    if line.rows or last.rows or line.bold != last.bold or abs(line.size - last.size) > 0.08 * last.size:
        return True
    step = (line.base - last.base) / line.size
    if step <= 0 or step > max(1.22 * leading, leading + 0.1) or (mark and mark["bullet"]):
        return True
    if last.text.endswith(HYPHEN):
        return False
    ended_early = _ends_early(last, line, margin)
    ended_early = ended_early and _ends_early(last, line, _local_margin(block, lines[i : i + 3], margin))
    listed = mark and (ended_early or (block.item and abs(line.left - first.left) < 0.5 * line.size))
    if listed or ("..." in last.text and _LEADER_END.search(last.text)):
        return True
    indent = line.left - last.left
    if block.item:
        # The lines of an item hang under its text; one that stands out again is not part of it.
        return (ended_early and indent <= 0.5 * line.size) or line.left < first.left - 0.5 * line.size
    return ended_early or (0.8 * line.size < indent < 6 * line.size and last.right > margin - 6 * line.size)


def _local_margin(block: Block, coming: Sequence[Line], margin: float) -> float:
    """Return the right margin of the lines around a line break, which a quotation has of its own.

    It takes three lines that end near one another to make one.
    """
    around = [line.right for line in (*block.lines[-3:], *coming) if abs(line.size - block.lines[-1].size) < 1]
    right = max(around)
    return right if sum(right - edge < 2 * block.lines[-1].size for edge in around) >= 3 else margin


def _ends_early(last: Line, line: Line, margin: float) -> bool:
    """Tell whether the first word of `line` would have fitted at the end of `last`.

    In mid-sentence it takes more room than that: text that was wrapped by characters, not by width,
    leaves some everywhere.
    """
    space = margin - last.right
    if space < line.size:
        return False
    text = line.text.lstrip()
    word = 1 if _CJK.match(text) else len(text.split(maxsplit=1)[0]) if text else 0
    width = (line.right - line.left) / max(len(line.text), 1)
    slack = 0.5 * line.size if last.text.rstrip().endswith(_ENDS) else 0.15 * (margin - last.left)
    return space > (word + 1.5) * width + slack


def _element(block: Block, frame: Frame, page: int, body_size: float) -> Element | None:
    first = block.lines[0]
    box = frame.box(union([line.rect for line in block.lines]), page)
    if first.rows:
        return table(first.rows, page, box)
    text = join_lines([line.text for line in block.lines]) if len(block.lines) > 1 else first.text
    text = one_line(without_leaders(text))
    if not text:
        return None
    if level := _heading_level(block, text, body_size):
        return Element(text, Kind.TITLE, page, box, level)
    return Element(text, Kind.LIST_ITEM if block.item else Kind.TEXT, page, box)


def _heading_level(block: Block, text: str, body_size: float) -> int | None:
    """Return the level of the heading that a block is, None if it is none."""
    first = block.lines[0]
    if len(text) > MAX_CHARS or (first.size < RATIOS[-1] * body_size and not first.bold):
        return None
    level = level_of(first.size / body_size, first.bold)
    if level is None:
        return None
    if level == BOLD_LEVEL and (
        (block.item and (mark := _MARK.match(text)) and mark["bullet"])
        or text.endswith(_ENDS)
        or len(text) > MAX_CHARS / 2
    ):
        return None
    if len(block.lines) > MAX_HEADING_LINES or text.endswith(_SENTENCE_ENDS):
        return None
    letters = len(_LETTER.findall(text))
    if letters < 2 or letters < len(text) * 0.4 or "…" in text or _ADDRESS.search(text):
        return None
    return level


def join_lines(texts: Sequence[str]) -> str:
    """Return the lines of a paragraph as one text, words that were hyphenated at a line's end made whole.

    A hyphen before a capital or a digit is kept, and one in a word that the paragraph itself writes
    with it; Chinese and Japanese lines join without a space.
    """
    whole = texts[0]
    for text in texts[1:]:
        if whole.endswith((HYPHEN, "-", "\u00ad")):
            whole = _hyphenated(whole, text.lstrip(), texts)
        elif _CJK.match(text) and _CJK.match(whole[-1:]):
            whole += text
        else:
            whole = f"{whole} {text}"
    return whole[:-1] + "-" if whole.endswith(HYPHEN) else whole


def _hyphenated(whole: str, text: str, texts: Sequence[str]) -> str:
    stem = re.search(r"([^\W\d_]+)[\ufffe\u00ad-]$", whole)
    rest = re.match(r"[^\W\d_]+", text)
    if not stem or not rest:
        return whole[:-1] + "-" + text
    compound = f"{stem.group(1)}-{rest.group()}"
    if not rest.group()[0].islower() or any(compound in line for line in texts):
        return whole[:-1] + "-" + text
    return whole[:-1] + text
