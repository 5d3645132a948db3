"""PPTX: the slides in their order, each under its title, with tables, diagrams, charts and speaker notes.

The XML is read directly: python-pptx leaves out diagrams and gives up where a part is missing.
"""

from collections.abc import Iterator

from lxml import etree

from pipelines.ingest.clean import one_line, tidy
from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.formats.archive import Archive
from pipelines.ingest.formats.locked import unlocked_package
from pipelines.ingest.formats.ooxml import Relation, core_title, main_part, relations
from pipelines.ingest.formats.table import table
from pipelines.ingest.formats.xml import attribute, child, children, local, number, parse
from schemas.errors.files import Bomb, Damaged

MAX_SLIDES = 5000
NOTES = "Notes"
_TITLES = ("title", "ctrTitle")
# The date, the number and the footer of each slide, and the picture of it beside the notes.
_UNSAID = ("dt", "sldNum", "ftr", "hdr", "sldImg")
_DRAWN = {"chart": "chart", "diagramData": "relIds"}


def read(data: bytes, password: str | None = None) -> Extraction:
    """Return the slides' elements; a slide's number is its page. Hidden slides are read too.

    Raises Encrypted, WrongPassword, Damaged, Bomb, or TypeMismatch for a .ppt that is called .pptx.
    """
    archive = Archive(unlocked_package(data, password, "This is a file of an older PowerPoint (.ppt)."))
    main = main_part(archive, "ppt/presentation.xml")
    presentation = archive.part(main)
    root = parse(presentation) if presentation else None
    if root is None or local(root) != "presentation":
        raise Damaged("The file holds no PowerPoint presentation.")
    related = relations(archive, main)
    listed = children(root, "sldIdLst")
    if len(listed) > MAX_SLIDES:
        raise Bomb(f"The file has more than {MAX_SLIDES} slides.")
    elements: list[Element] = []
    for page, node in enumerate(listed, 1):
        slide = related.get(_relation_id(node))
        if slide:
            elements += _Slide(archive, slide.target, page).elements()
    title = core_title(archive)
    if not title or title.lower() in ("powerpoint presentation", "presentation", "slide 1"):
        title = next((e.text for e in elements if e.kind is Kind.TITLE), "")
    return Extraction(tuple(elements), title, len(listed))


class _Slide:
    """One pass over a slide and what hangs on it."""

    def __init__(self, archive: Archive, part: str, page: int) -> None:
        self.archive = archive
        self.page = page
        self.related = relations(archive, part)
        data = archive.part(part)
        self.root = parse(data) if data else None

    def elements(self) -> Iterator[Element]:
        """Yield the title as a heading, the rest in the order in which it lies on the slide, then the notes."""
        shapes = list(_shapes(child(self.root, "cSld", "spTree")))
        titles = [shape for shape in shapes if _placeholder(shape) in _TITLES]
        text = one_line(" ".join(_text(p) for shape in titles for p in _paragraphs(shape)))
        # Without a title the number stands in for it: what follows is not part of the slide before.
        yield Element(text or f"Slide {self.page}", Kind.TITLE, self.page, level=1)
        for shape in shapes:
            if shape not in titles:
                yield from self._shape(shape)
        yield from self._notes()

    def _shape(self, shape: etree._Element) -> Iterator[Element]:
        if _placeholder(shape) in _UNSAID:
            return
        if local(shape) == "graphicFrame":
            yield from self._graphic(shape)
            return
        listed = _placeholder(shape) in ("body", "", "obj") and len(list(_paragraphs(shape))) > 1
        for node in _paragraphs(shape):
            if text := tidy(_text(node)):
                item = _has_bullet(node) or (listed and _placeholder(shape) is not None)
                kind = Kind.LIST_ITEM if item else Kind.TEXT
                yield Element(f"• {text}" if item else text, kind, self.page)

    def _graphic(self, frame: etree._Element) -> Iterator[Element]:
        """Yield a table, or the words in a chart or a diagram."""
        for node in frame.iter():
            if local(node) == "tbl":
                rows = _grid(node)
                if len(rows) > 1 and len(rows[0]) > 1:
                    yield table(rows, self.page)
                else:
                    yield from (Element(" | ".join(filter(None, row)), page=self.page) for row in rows)
        ids = {str(text) for node in frame.iter() for key, text in node.items() if str(key).startswith("{")}
        for at, relation in self.related.items():
            if at in ids and relation.kind in _DRAWN and (data := self.archive.part(relation.target)):
                yield from self._drawing(parse(data), relation)

    def _drawing(self, root: etree._Element, relation: Relation) -> Iterator[Element]:
        if relation.kind == "diagramData":
            texts = [tidy(_text(node)) for node in root.iter() if local(node) == "p" and len(node)]
            yield from (Element(f"• {text}", Kind.LIST_ITEM, self.page) for text in texts if text)
            return
        title = next((node for node in root.iter() if local(node) == "title"), None)
        if title is not None and (text := one_line(_text(title))):
            yield Element(text, page=self.page)
        if rows := _series(root):
            yield table(rows, self.page)

    def _notes(self) -> Iterator[Element]:
        for relation in self.related.values():
            data = self.archive.part(relation.target) if relation.kind in ("notesSlide", "comments") else None
            if not data:
                continue
            root = parse(data)
            if relation.kind == "comments":
                texts = [one_line(" ".join(node.itertext())) for node in root]
                yield from (Element(f"Comment: {text}", page=self.page) for text in texts if text)
                continue
            shapes = [s for s in _shapes(child(root, "cSld", "spTree")) if _placeholder(s) not in _UNSAID]
            texts = [tidy(_text(node)) for shape in shapes for node in _paragraphs(shape)]
            if any(texts):
                yield Element(NOTES, Kind.TITLE, self.page, level=2)
                yield from (Element(text, page=self.page) for text in texts if text)


def _shapes(tree: etree._Element | None) -> Iterator[etree._Element]:
    """Yield the shapes of a slide, those in groups too, from top to bottom where their places are known."""
    found: list[etree._Element] = []
    stack = [tree] if tree is not None else []
    while stack:
        for node in stack.pop():
            if local(node) in ("grpSp", "AlternateContent", "Choice"):
                stack.append(node)
            elif local(node) in ("sp", "graphicFrame", "cxnSp"):
                found.append(node)
    yield from sorted(found, key=_place)


def _place(shape: etree._Element) -> tuple[int, int]:
    """Return how far down and right a shape begins, in steps of a centimetre; a placeholder's place is its layout's."""
    transform = child(shape, "spPr", "xfrm") if local(shape) != "graphicFrame" else child(shape, "xfrm")
    offset = child(transform, "off")
    down, right = number(attribute(offset, "y")), number(attribute(offset, "x"))
    return (down // 360_000, right // 360_000) if offset is not None else (2, 0)


def _placeholder(shape: etree._Element) -> str | None:
    """Return the type of placeholder that a shape fills, None if it fills none."""
    for node in shape:
        if local(node).startswith("nv"):
            found = child(node, "nvPr", "ph")
            return attribute(found, "type") if found is not None else None
    return None


def _paragraphs(shape: etree._Element) -> Iterator[etree._Element]:
    yield from (node for node in children(shape, "txBody") if local(node) == "p")


def _has_bullet(paragraph: etree._Element) -> bool:
    return any(local(node) in ("buChar", "buAutoNum", "buBlip") for node in children(paragraph, "pPr"))


def _text(node: etree._Element) -> str:
    parts: list[str] = []
    for part in node.iter():
        if local(part) == "t":
            parts.append(part.text or "")
        elif local(part) == "br":
            parts.append("\n")
        elif local(part) == "p" and parts:
            parts.append(" ")
    return "".join(parts)


def _grid(node: etree._Element) -> list[list[str]]:
    """Return the rows of a table; a cell merged downwards stands in each row it covers."""
    rows: list[list[str]] = []
    for tr in (part for part in node if local(part) == "tr"):
        row: list[str] = []
        for cell in (part for part in tr if local(part) == "tc"):
            text = one_line(" ".join(_text(p) for p in _paragraphs(cell)))
            if attribute(cell, "vMerge") in ("1", "true") and rows and len(row) < len(rows[-1]):
                text = rows[-1][len(row)]
            row.append(text)
        if any(row):
            rows.append(row)
    width = max(map(len, rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]


def _series(root: etree._Element) -> list[list[str]]:
    """Return the numbers behind a chart: a column for each series, a row for each category."""
    columns: list[list[str]] = []
    names: list[str] = []
    categories: list[str] = []
    for node in (part for part in root.iter() if local(part) == "ser"):
        names.append(" ".join(_points(child(node, "tx"))))
        values = child(node, "val")
        columns.append(_points(values if values is not None else child(node, "yVal")))
        labels = child(node, "cat")
        categories = categories or _points(labels if labels is not None else child(node, "xVal"))
    depth = max(map(len, [categories, *columns]), default=0)
    if not columns or not depth:
        return []
    filled = [column + [""] * (depth - len(column)) for column in (categories, *columns)]
    return [["", *names], *(list(row) for row in zip(*filled, strict=True))]


def _points(node: etree._Element | None) -> list[str]:
    if node is None:
        return []
    return [one_line(part.text or "") for part in node.iter() if local(part) == "v"]


def _relation_id(node: etree._Element) -> str:
    return next((str(text) for key, text in node.items() if str(key).endswith("}id")), "")
