"""Files that are attached to mails, each read by the reader of its own type."""

import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any

import structlog

from pipelines.ingest import extract, sniff
from pipelines.ingest.apart import Report, run_apart
from pipelines.ingest.elements import Element, Extraction
from schemas.errors.tree import AuraError
from schemas.errors.uploads import UnsupportedType

MAX_ATTACHED = 100
MAX_BYTES = 256 << 20
"""Of all that is attached to a mail and to the mails in it, as decoded."""

MAX_DEPTH = 5

log = structlog.get_logger()


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
    cpu_s: float = extract.MAX_CPU_S
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
    except RuntimeError as bug:
        log.error("attachment not read", error=str(bug))
        return (_unread("There was an error in its reader."),)
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
    if kind in extract.HOLDERS:
        if depth >= MAX_DEPTH:
            raise UnsupportedType(f"Mails are nested more than {MAX_DEPTH} deep.")
        inner = replace(room, depth=depth)
        found = module.read_within(data, inner)
        room.count, room.size, room.cpu_s = inner.count, inner.size, inner.cpu_s
    else:
        found = _apart(partial(module.read, data, None) if reader.paged else lambda _: module.read(data), room)
    return tuple(one for one in found.elements if one.text.strip())


def _apart(work: Callable[[Report], Extraction], room: Room) -> Extraction:
    """Read a file in a child of its own, so that one that ends its reader ends neither the mail nor the others."""
    most = extract.limits(extract.PAGES_PER_PART)
    before_s = _children_s()
    try:
        return run_apart(work, _ignored, replace(most, cpu_s=max(1, min(most.cpu_s, int(room.cpu_s)))))
    finally:
        room.cpu_s -= _children_s() - before_s


def _children_s() -> float:
    """Return the processor time that ended children have taken."""
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def _named(item: Attached) -> str:
    """Return a name by which the type can be told: the content type's suffix where there is none."""
    name = sniff.safe_filename(item.name)
    if PurePosixPath(name).suffix:
        return name
    return name + (sniff.by_mime(item.mime) or "")


def _ignored(done: int) -> None:
    """Take note of no progress."""
