"""What a passage states: its sentences, its table rows as phrases, its questions with their answers."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipelines.text import sentences

_CELL = re.compile(r"\s*\|\s*")
_RULE = re.compile(r"[\s|:+=-]+")
_LABEL = re.compile(r"^\s*(?:Q|A|Question|Answer)\s*[:.]\s*", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*+•‣▪·◦–]|\(?\d{1,2}[.)]|[a-z]\))\s+")
_MARKUP = re.compile(r"(?<![\w*`])(?:\*\*|__|`)++|(?:\*\*|__|`)++(?!\w)|^#{1,6}\s+|(?:\s?\[\d{1,3}\])++(?!\w)")
"""With a source's own reference marks, which would pass for ours."""

_DANGLING = re.compile(
    r"(?:However|But|This|That|These|Those|It|Its|They|Their|He|His|She|Her|Then|Therefore|Thus|Also|And|Such"
    r"|Otherwise|Instead|Both|(?:With|Without|After|Before|For|In|On|At|By|From|Of) (?:it|this|that|these|those|them)"
    r")\b"
)

MAX_CHARS = 600
"""Longest statement quoted; what has no sentence end for longer is no prose."""

MAX_LABEL_CHARS = 30

PARTICLE_WORDS = 3
"""A sentence this short ("Yes.", "Not at all.") is quoted together with the one after it."""


@dataclass(frozen=True)
class Statement:
    """A quotable piece. `question` is the line it answers, if the passage asks one; `before` and `after`
    are the statements beside it; `dangling` says that it begins with a word that points back; `start` is
    where it stands in the passage; an `is_item` stands in a list, an `is_row` in a
    table, and an `is_list` is completed by its items."""

    text: str
    question: str = ""
    before: str = ""
    after: str = ""
    dangling: bool = False
    start: int = 0
    is_item: bool = False
    is_row: bool = False
    is_list: bool = False

    @property
    def is_label(self) -> bool:
        """Whether this is no sentence: a heading, a caption, the beginning of a list."""
        return self.text[-1] not in '.!…。！”"' and " — " not in self.text and not re.search(r"\d|:.", self.text)

    @property
    def label(self) -> str:
        """The words before a colon near its beginning: "Decision: approved"."""
        head, colon, _ = self.text.partition(": ")
        return head if colon and len(head) <= MAX_LABEL_CHARS else ""

    @property
    def antecedent(self) -> "Statement | None":
        """The sentence before, where this one points back to it."""
        before = Statement(self.before, start=self.start - 1) if self.dangling and self.before else None
        return before if before and not before.is_label else None


def statements(text: str) -> list[Statement]:
    """Return the statements of a passage in order."""
    found: list[Statement] = []
    table: list[tuple[int, str]] = []
    at = 0
    prose_from: int | None = None
    for line in [*text.splitlines(keepends=True), ""]:
        is_row = line.count("|") >= 1 and len(_CELL.split(line.strip().strip("|"))) >= 2
        if is_row:
            if prose_from is not None:
                found += _prose(text, prose_from, at)
                prose_from = None
            table.append((at, line))
        else:
            found += _rows(table)
            table = []
            prose_from = at if prose_from is None else prose_from
        at += len(line)
    if prose_from is not None:
        found += _prose(text, prose_from, at)
    return [statement for statement in found if len(statement.text) <= MAX_CHARS]


def _rows(lines: Sequence[tuple[int, str]]) -> Iterator[Statement]:
    """Yield each row of a table as "first cell — header: cell; header: cell"."""
    rows = [(at, _CELL.split(line.strip().strip("|").strip())) for at, line in lines if not _RULE.fullmatch(line)]
    if not rows:
        return
    header = rows[0][1]
    for at, cells in rows[1:]:
        named = [
            f"{name}: {cell}" if name and name.lower() != cell.lower() else cell
            for name, cell in zip(header[1:], cells[1:], strict=False)
            if cell
        ]
        yield Statement(
            f"{cells[0]} — {'; '.join(named)}" if named else cells[0], before=" ".join(header), start=at, is_item=True
        )
    if len(rows) == 1:
        yield Statement(" — ".join(cell for cell in header if cell), start=rows[0][0])


def _prose(text: str, start: int, end: int) -> list[Statement]:
    found: list[Statement] = []
    question = ""
    for first, last in sentences(text[start:end]):
        raw = _LABEL.sub("", text[start + first : start + last])
        said = _MARKUP.sub("", _BULLET.sub("", raw)).strip()
        if said.endswith("?"):
            question = said
        elif said and found and _is_particle(found[-1]) and not _BULLET.match(raw):
            found[-1] = replace(found[-1], text=f"{found[-1].text} {said}")
        elif said:
            before = found[-1].text if found else ""
            is_item = _BULLET.match(raw) is not None
            found.append(Statement(said, question, before, "", bool(_DANGLING.match(said)), start + first, is_item))
    lists = _lists(found)
    return [
        replace(one, after=following.text if following else "")
        for one, following in itertools.zip_longest(lists, lists[1:])
    ]


def _is_particle(one: Statement) -> bool:
    return one.text.count(" ") < PARTICLE_WORDS and one.text[-1] in ".!"


def _lists(found: Sequence[Statement]) -> list[Statement]:
    """Return the statements with each "You need:" completed by the items under it, which follow singly."""
    complete: list[Statement] = []
    for at, one in enumerate(found):
        items = list(itertools.takewhile(lambda item: item.is_item, found[at + 1 :])) if one.text[-1] == ":" else []
        listed = "; ".join(item.text.rstrip(".;,") for item in items)
        complete.append(replace(one, text=f"{one.text} {listed}", is_list=True) if items else one)
    return complete
