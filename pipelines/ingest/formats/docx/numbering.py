"""The numbers and bullets that Word shows before paragraphs but does not write into their text."""

from collections import defaultdict
from dataclasses import dataclass, field

from lxml import etree

from pipelines.ingest.formats.xml import attribute, local, number, value

MAX_LEVEL = 9
_ROMAN = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"),
          (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))  # fmt: skip
BULLET = "•"


@dataclass(frozen=True)
class Level:
    """How one level of a list is written: `%1.%2` in `text` stands for the counters of its levels."""

    style: str
    text: str
    start: int


@dataclass
class Numbering:
    """The lists of a document with their running counters; ask in document order."""

    lists: dict[str, str] = field(default_factory=dict)
    levels: dict[str, dict[int, Level]] = field(default_factory=dict)
    counters: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))

    def label(self, list_id: str, level: int) -> str:
        """Return what stands before the next paragraph of this list and level; nothing if it is not numbered."""
        abstract = self.lists.get(list_id, "")
        levels = self.levels.get(abstract, {})
        if level not in levels or levels[level].style == "none":
            return ""
        if levels[level].style == "bullet":
            return BULLET
        counter = self.counters[abstract]
        counter[level] = counter.get(level, levels[level].start - 1) + 1
        for deeper in [at for at in counter if at > level]:
            del counter[deeper]
        text = levels[level].text
        for at in range(min(level + 1, MAX_LEVEL)):
            shown = levels.get(at, levels[level])
            text = text.replace(f"%{at + 1}", _written(counter.get(at, shown.start), shown.style))
        return text.strip()


def numbering(root: etree._Element | None) -> Numbering:
    """Return the lists that `numbering.xml` defines."""
    found = Numbering()
    for node in root if root is not None else ():
        if local(node) == "abstractNum":
            levels = {number(attribute(part, "ilvl")): _level(part) for part in node if local(part) == "lvl"}
            found.levels[attribute(node, "abstractNumId")] = levels
        elif local(node) == "num":
            found.lists[attribute(node, "numId")] = value(node, "abstractNumId")
    return found


def _level(node: etree._Element) -> Level:
    return Level(value(node, "numFmt") or "decimal", value(node, "lvlText"), number(value(node, "start") or "1"))


def _written(count: int, style: str) -> str:
    count = max(count, 0)
    if style in ("lowerLetter", "upperLetter") and count:
        letters = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)
        return letters if style == "lowerLetter" else letters.upper()
    if style in ("lowerRoman", "upperRoman") and 0 < count < 4000:
        roman = ""
        for worth, sign in _ROMAN:
            roman += sign * (count // worth)
            count %= worth
        return roman.lower() if style == "lowerRoman" else roman
    return f"{count:02d}" if style == "decimalZero" else str(count)
