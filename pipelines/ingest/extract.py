"""Files into elements: which reader reads which type, and under which limits.

Importing this costs nothing; a reader's libraries are loaded when its first file comes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import PurePath

from pipelines.ingest.apart import Limits, Report, run_apart
from pipelines.ingest.elements import Extraction
from schemas.errors import NoText, UnsupportedType

PAGES_PER_PART = 32
"""A good size for the parts of a long document: seconds of work if it is text, 45 s if it is scanned."""

MEMORY_BYTES = 1 << 30
BASE_CPU_S = 30
CPU_S_PER_PAGE = 3
"""Twice what Tesseract takes for a dense page at 200 dpi."""

MAX_CPU_S = 600


@dataclass(frozen=True)
class Reader:
    """A module with `read`; that of a `paged` format takes a page range and reports pages done."""

    module: str
    paged: bool = False


READERS = {
    "pdf": Reader("pipelines.ingest.formats.pdf", paged=True),
    "docx": Reader("pipelines.ingest.formats.docx"),
    "html": Reader("pipelines.ingest.formats.html"),
    "md": Reader("pipelines.ingest.formats.markdown"),
    "json": Reader("pipelines.ingest.formats.json_"),
    "txt": Reader("pipelines.ingest.formats.text"),
}


def count_pages(data: bytes, file_type: str) -> int | None:
    """Return the number of pages of a paged format, None for any other. Raises Encrypted, Damaged, Bomb."""
    reader = _reader(file_type)
    if not reader.paged:
        return None
    pages: int = run_apart(lambda _: import_module(reader.module).count_pages(data), _ignored, _limits(1))
    return pages


def extract(
    data: bytes,
    file_type: str,
    filename: str,
    pages: range | None = None,
    progress: Callable[[int], None] | None = None,
) -> Extraction:
    """Return the elements of a file, or of the given pages (indices from 0) of a paged one.

    Parts of one document, joined in order, make the whole; give them `PAGES_PER_PART` pages or so.
    `progress` is told the number of pages done, where there are pages. A document without a title
    is called by its file. Raises Encrypted, Damaged, Bomb, or UnsupportedType for a type without a
    reader. Text is not required: see `require_text`.
    """
    reader = _reader(file_type)
    read = import_module(reader.module).read
    work: Callable[[Report], Extraction] = partial(read, data, pages) if reader.paged else lambda _: read(data)
    count = len(pages) if pages is not None else MAX_CPU_S
    found = run_apart(work, progress or _ignored, _limits(count))
    if found.title or (pages is not None and pages.start > 0):
        return found
    return replace(found, title=_readable(filename))


def require_text(extraction: Extraction) -> Extraction:
    """Return the extraction of a whole document. Raises NoText if there is not a letter or digit in it."""
    if not any(char.isalnum() for element in extraction.elements for char in element.text):
        raise NoText()
    return extraction


def _reader(file_type: str) -> Reader:
    if file_type not in READERS:
        raise UnsupportedType()
    # In this process, so that every child finds the libraries loaded.
    import_module(READERS[file_type].module)
    return READERS[file_type]


def _limits(pages: int) -> Limits:
    return Limits(MEMORY_BYTES, min(BASE_CPU_S + CPU_S_PER_PAGE * pages, MAX_CPU_S))


def _readable(filename: str) -> str:
    """Return a file's name as a title: `travel_policy-2024.pdf` is `travel policy 2024`."""
    return re.sub(r"[\s_-]+", " ", PurePath(filename).stem).strip() or filename


def _ignored(done: int) -> None:
    """Take note of no progress."""
