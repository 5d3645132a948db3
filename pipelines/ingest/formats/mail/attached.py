"""Files that are attached to mails, each read by the reader of its own type."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any

from pipelines.ingest import extract, sniff
from pipelines.ingest.elements import Element
from schemas.errors.tree import AuraError
from schemas.errors.uploads import UnsupportedType

MAX_ATTACHED = 100
MAX_BYTES = 256 << 20
"""Of all that is attached to a mail and to the mails in it, as decoded."""

MAX_DEPTH = 5

_MAILS = ("eml", "msg")
_RECORDINGS = "recordings"


@dataclass(frozen=True)
class Attached:
    """A file that came with a mail; `load` decodes it and may raise AuraErrors."""

    name: str
    load: Callable[[], bytes]
    mime: str = ""


@dataclass
class Room:
    """What attachments may still take up, over all mails in one another; `depth` is that of the outermost."""

    count: int = MAX_ATTACHED
    size: int = MAX_BYTES
    depth: int = 0


def read_attached(item: Attached, room: Room, depth: int) -> Sequence[Element]:
    """Return the elements of an attachment, or one that says why it was not read."""
    try:
        found = _read(item, room, room.depth + depth)
    except AuraError as error:
        # What to do about it, the second sentence, is said to who uploads a file.
        return (_unread(error.detail.partition(". ")[0].rstrip(".") + "."),)
    except (MemoryError, RecursionError):
        return (_unread("It is larger or nested deeper than can be read here."),)
    return found or (Element("No text was found in this attachment."),)


def _unread(reason: str) -> Element:
    return Element(f"This attachment was not read: {reason}")


def _read(item: Attached, room: Room, depth: int) -> Sequence[Element]:
    if room.count <= 0:
        raise UnsupportedType(f"The mail has more than {MAX_ATTACHED} attachments.")
    room.count -= 1
    data = item.load()
    if len(data) > room.size:
        raise UnsupportedType(f"The mail's attachments are larger than {MAX_BYTES >> 20} MiB together.")
    room.size -= len(data)
    kind = sniff.file_type(_named(item), data[: sniff.HEAD_BYTES], data[-sniff.HEAD_BYTES :])
    if kind not in extract.READERS:
        raise UnsupportedType("A recording in a mail is not transcribed, only one that is uploaded by itself.")
    reader = extract.READERS[kind]
    module: Any = import_module(reader.module)
    if kind in _MAILS:
        if depth >= MAX_DEPTH:
            raise UnsupportedType(f"Mails are nested more than {MAX_DEPTH} deep.")
        inner = Room(room.count, room.size, depth)
        found = module.read_within(data, inner)
        room.count, room.size = inner.count, inner.size
    else:
        found = module.read(data, None, _ignored) if reader.paged else module.read(data)
    return tuple(one for one in found.elements if one.text.strip())


def _named(item: Attached) -> str:
    """Return a name by which the type can be told: the content type's suffix where there is none."""
    name = sniff.safe_filename(item.name)
    if PurePosixPath(name).suffix:
        return name
    return name + (sniff.by_mime(item.mime) or "")


def _ignored(done: int) -> None:
    """Take note of no progress."""
