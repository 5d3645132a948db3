"""The text of one paragraph, and what hangs on it: notes, text boxes, page breaks."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from pipelines.ingest.formats.docx.styles import Style
from pipelines.ingest.formats.xml import attribute, is_on, local, number, value

# Deleted text, field codes and the copy of a drawing for old versions of Word are not shown.
_UNSEEN = frozenset("pPr rPr del moveFrom instrText delText Fallback sdtPr tblPr".split())
_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "sym": "•", "ptab": "\t"}


@dataclass
class Paragraph:
    """What a paragraph holds. `breaks_before` counts the page breaks before its first character."""

    text: str = ""
    breaks_before: int = 0
    breaks_after: int = 0
    bold: bool = True
    half_points: int = 0
    notes: list[str] = field(default_factory=list)
    boxes: list[etree._Element] = field(default_factory=list)


def paragraph(node: etree._Element, style: Style, body_half_points: int) -> Paragraph:
    """Return the content of a `p`; `bold` and `half_points` (the smallest) are those of all its text."""
    found = Paragraph()
    parts: list[str] = []
    sizes: list[int] = []
    for part, run in _parts(node, None):
        name = local(part)
        if name == "lastRenderedPageBreak":
            if any(text.strip() for text in parts):
                found.breaks_after += 1
            else:
                found.breaks_before += 1
        elif name == "txbxContent":
            found.boxes.append(part)
        elif name in ("footnoteReference", "endnoteReference"):
            found.notes.append(f"{name[0]}{attribute(part, 'id')}")
        elif name in _SIGNS:
            parts.append(_SIGNS[name])
        elif part.text and part.text.strip():
            parts.append(part.text)
            properties = next((c for c in run if local(c) == "rPr"), None) if run is not None else None
            bold = is_on(properties, "b")
            found.bold = found.bold and bool(style.bold if bold is None else bold)
            sizes.append(number(value(properties, "sz")) or style.half_points or body_half_points)
        else:
            parts.append(part.text or "")
    found.text = "".join(parts)
    found.half_points = min(sizes, default=body_half_points)
    found.bold = found.bold and bool(sizes)
    return found


def _parts(node: etree._Element, run: etree._Element | None) -> Iterator[tuple[etree._Element, etree._Element | None]]:
    """Yield what is shown in a paragraph, in order, with the run it is in."""
    for part in node:
        name = local(part)
        if name in _UNSEEN:
            continue
        if name in ("t", "lastRenderedPageBreak", "txbxContent", "footnoteReference", "endnoteReference"):
            yield part, run
        elif name in _SIGNS:
            if not (name == "br" and attribute(part, "type") in ("page", "column")):
                yield part, run
        else:
            yield from _parts(part, part if name == "r" else run)
