"""What a mail is, whatever file it came in, and how it becomes elements."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from pipelines.ingest.clean import one_line
from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.formats.mail.attached import Attached, Room, read_attached

MAX_HEADER_CHARS = 2_000
MAX_DEPTH = 5
"""Mails within mails: the outermost is the first."""


@dataclass(frozen=True)
class Letter:
    """A mail: `headers` (name, value) as they are shown, the elements of its text, and what is attached."""

    subject: str
    headers: Sequence[tuple[str, str]]
    body: Sequence[Element]
    attached: Sequence["Attached | Letter"] = field(default=())


def extraction(letter: Letter, room: Room) -> Extraction:
    """Return a mail and all that can be read of what is attached. What cannot is named, with the reason."""
    return Extraction(tuple(_elements(letter, room, 1)), one_line(letter.subject))


def _elements(letter: Letter, room: Room, depth: int) -> Iterator[Element]:
    """Yield a mail's elements, its subject being a heading of level 1."""
    if subject := one_line(letter.subject):
        yield Element(subject[:MAX_HEADER_CHARS], Kind.TITLE, level=1)
    shown = ((name, one_line(value)[:MAX_HEADER_CHARS]) for name, value in letter.headers)
    if lines := [f"{name}: {value}" for name, value in shown if value]:
        yield Element("\n".join(lines))
    yield from _below(letter.body, 1)
    for item in letter.attached:
        name = item.subject if isinstance(item, Letter) else item.name
        yield Element(f"Attachment: {one_line(name) or 'message'}", Kind.TITLE, level=2)
        if isinstance(item, Attached):
            yield from _below(_placeless(read_attached(item, room, depth)), 2)
        elif depth >= MAX_DEPTH:
            yield Element(f"This attachment was not read: mails are nested more than {MAX_DEPTH} deep.")
        else:
            yield from _below(_elements(item, room, depth + 1), 2)


def _below(elements: Sequence[Element] | Iterator[Element], level: int) -> Iterator[Element]:
    """Yield elements whose headings stand under one of the given level."""
    for element in elements:
        yield replace(element, level=level + (element.level or 1)) if element.kind is Kind.TITLE else element


def _placeless(elements: Sequence[Element]) -> Iterator[Element]:
    """Yield elements of another file: its pages count, but the places on them cannot be shown."""
    for element in elements:
        yield replace(element, box=None)
