"""PPT: the slides of PowerPoint 97 to 2003 in their order, each under its title, with the speaker's notes.

After [MS-PPT]: a stream of records, of which a directory tells the newest version of each slide.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipelines.ingest.clean import one_line, tidy
from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.formats import pptx
from pipelines.ingest.formats.locked import unlocked
from pipelines.ingest.formats.ole import PACKAGE, number, numbers, streams
from schemas.errors.files import Damaged
from schemas.errors.uploads import TypeMismatch

MAX_DEPTH = 50
MAX_RECORDS = 2_000_000
MAX_EDITS = 10_000
_MAIN, _USER = "PowerPoint Document", "Current User"
_LOCKED = bytes.fromhex("dfc4d1f3")
_LIST, _PERSIST, _NOTES_ATOM, _BOX, _REFERENCE = 4080, 1011, 1009, 0xF00D, 3998
_HEADER, _WIDE, _NARROW = 3999, 4000, 4008
_TITLES = (0, 6)


@dataclass
class _Text:
    """A text and what it is on its slide: 0 and 6 are titles, 1 and 5 bodies, 2 notes."""

    kind: int
    text: str


@dataclass
class _Entry:
    """A slide, or the notes on one, in the list of slides: where it is kept, its id, its texts for the outline."""

    kept_as: int
    id: int
    outline: list[_Text] = field(default_factory=list)


def read(data: bytes, password: str | None = None) -> Extraction:
    """Return the slides' elements; a slide's number is its page.

    Raises Encrypted, WrongPassword, Damaged, TypeMismatch.
    """
    if PACKAGE in data:
        return pptx.read(data, password)
    found, title = streams(data, (_MAIN, _USER))
    if _MAIN not in found:
        raise TypeMismatch("The file holds no PowerPoint presentation.")
    if found.get(_USER, b"")[12:16] == _LOCKED:
        found, title = streams(unlocked(data, password), (_MAIN, _USER))
    main = found.get(_MAIN, b"")
    try:
        elements, slides = _Presentation(main, found.get(_USER, b"")).elements()
    except Damaged:
        elements, slides = [], 0
    if not elements:
        # Without its directory the text is there still, if not in order.
        elements, slides = [Element(text) for raw in _texts(main, 0, len(main), []) if (text := tidy(raw.text))], 0
    if not title or title.lower() in ("powerpoint presentation", "slide 1"):
        title = next((e.text for e in elements if e.kind is Kind.TITLE), "")
    return Extraction(tuple(elements), title, slides or None)


class _Presentation:
    """The newest version of everything in a presentation."""

    def __init__(self, main: bytes, user: bytes) -> None:
        self.main = main
        self.places: dict[int, int] = {}
        edit = number(user, 16)
        self.document = number(main, edit + 24)
        for _ in range(MAX_EDITS):
            self._directory(number(main, edit + 20))
            before = number(main, edit + 16)
            if not before or before >= edit:
                break
            edit = before

    def elements(self) -> tuple[list[Element], int]:
        """Return the elements of the slides, and their number."""
        begin, end = self._record(self.document)
        lists: dict[int, list[_Entry]] = {}
        for kind, instance, first, last in _records(self.main, begin, end):
            if kind == _LIST:
                lists[instance] = self._entries(first, last)
        notes = dict(filter(None, map(self._notes, lists.get(2, []))))
        elements: list[Element] = []
        for page, entry in enumerate(lists.get(0, []), 1):
            elements += self._slide(entry, page, notes.get(entry.id, []))
        return elements, len(lists.get(0, []))

    def _directory(self, at: int) -> None:
        """Take note of where things are kept; what a newer edit has said stays."""
        end = at + 8 + number(self.main, at + 4)
        at += 8
        while at + 4 <= min(end, len(self.main)):
            head = number(self.main, at)
            first, count = head & 0xFFFFF, head >> 20
            for i, place in enumerate(numbers(self.main, at + 4, count)):
                self.places.setdefault(first + i, place)
            at += 4 + 4 * count

    def _record(self, kept_as: int) -> tuple[int, int]:
        at = self.places.get(kept_as)
        if at is None:
            raise Damaged()
        return at + 8, min(at + 8 + number(self.main, at + 4), len(self.main))

    def _entries(self, begin: int, end: int) -> list[_Entry]:
        found: list[_Entry] = []
        kind = 4
        for record, _, first, last in _records(self.main, begin, end):
            if record == _PERSIST:
                found.append(_Entry(number(self.main, first), number(self.main, first + 12)))
            elif record == _HEADER:
                kind = number(self.main, first)
                if found:
                    found[-1].outline.append(_Text(kind, ""))
            elif record in (_WIDE, _NARROW) and found and found[-1].outline:
                found[-1].outline[-1].text = _decoded(self.main[first:last], record)
        return found

    def _notes(self, entry: _Entry) -> tuple[int, list[str]] | None:
        """Return the id of the slide that notes belong to, and the notes."""
        try:
            begin, end = self._record(entry.kept_as)
        except Damaged:
            return None
        slide = next(
            (number(self.main, f) for kind, _, f, _ in _records(self.main, begin, end) if kind == _NOTES_ATOM), 0
        )
        return slide, [text.text for text in _texts(self.main, begin, end, entry.outline) if text.kind == 2]

    def _slide(self, entry: _Entry, page: int, notes: list[str]) -> Iterator[Element]:
        try:
            begin, end = self._record(entry.kept_as)
            texts = list(_texts(self.main, begin, end, entry.outline))
        except Damaged:
            texts = []
        texts += [text for text in entry.outline if text not in texts]
        title = one_line(" ".join(text.text for text in texts if text.kind in _TITLES))
        yield Element(title or f"Slide {page}", Kind.TITLE, page, level=1)
        for text in texts:
            lines = [line for raw in text.text.split("\r") if (line := tidy(raw)) and line != "*"]
            listed = text.kind in (1, 5, 7, 8) and len(lines) > 1
            if text.kind not in _TITLES:
                yield from (
                    Element(f"• {x}" if listed else x, Kind.LIST_ITEM if listed else Kind.TEXT, page) for x in lines
                )
        said = [line for note in notes for raw in note.split("\r") if (line := tidy(raw)) and line != "*"]
        if said:
            yield Element(pptx.NOTES, Kind.TITLE, page, level=2)
            yield from (Element(line, page=page) for line in said)


def _records(main: bytes, begin: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (type, instance, begin, end) of the records that stand side by side."""
    at = begin
    for _ in range(MAX_RECORDS):
        if at + 8 > end:
            return
        head, kind, size = number(main, at, 2), number(main, at + 2, 2), number(main, at + 4)
        yield kind, head >> 4, at + 8, min(at + 8 + size, end)
        at += 8 + size


def _texts(main: bytes, begin: int, end: int, outline: list[_Text], depth: int = 0) -> Iterator[_Text]:
    """Yield the texts in a record and in those inside it, in the order of the shapes."""
    if depth > MAX_DEPTH:
        raise Damaged("The file is nested too deeply.")
    kind = 4
    for record, _, first, last in _records(main, begin, end):
        if record == _HEADER and last - first >= 4:
            kind = number(main, first)
        elif record in (_WIDE, _NARROW):
            yield _Text(kind, _decoded(main[first:last], record))
        elif record == _REFERENCE and last - first >= 4 and number(main, first) < len(outline):
            yield outline[number(main, first)]
        elif record == _BOX or number(main, first - 8, 1) & 0xF == 0xF:
            yield from _texts(main, first, last, outline, depth + 1)


def _decoded(data: bytes, record: int) -> str:
    return data.decode("utf-16-le" if record == _WIDE else "latin-1", "replace")
