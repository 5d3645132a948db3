"""Files into elements: which reader reads which type, and under which limits.

Importing this costs nothing; a reader's libraries are loaded when its first file comes.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import PurePath
from typing import TypeAlias

from pipelines.ingest.apart import Limits, Report, run_apart
from pipelines.ingest.elements import Extraction
from schemas.errors.files import Bomb, Damaged, NoText
from schemas.errors.tree import AuraError
from schemas.errors.uploads import UnsupportedType

PAGES_PER_PART = 48
"""A good size for the parts of a long document: a fraction of a second if it is text, a minute if it is scanned."""

MEMORY_BYTES = 1 << 30
BASE_CPU_S = 30
CPU_S_PER_PAGE = 3
"""Twice what Tesseract takes for a dense page at 200 dpi."""

MAX_CPU_S = 600


@dataclass(frozen=True)
class Reader:
    """A module with `read`; that of a `paged` format takes a page range and reports pages done.

    Where a format `locks` its files, `read` (and `count_pages`) take the keyword `password: str | None`.
    """

    module: str
    paged: bool = False
    locks: bool = False


READERS = {
    "pdf": Reader("pipelines.ingest.formats.pdf", paged=True, locks=True),
    "docx": Reader("pipelines.ingest.formats.docx", locks=True),
    "doc": Reader("pipelines.ingest.formats.doc", locks=True),
    "odt": Reader("pipelines.ingest.formats.odt"),
    "rtf": Reader("pipelines.ingest.formats.rtf"),
    "epub": Reader("pipelines.ingest.formats.epub"),
    "pptx": Reader("pipelines.ingest.formats.pptx", locks=True),
    "ppt": Reader("pipelines.ingest.formats.ppt", locks=True),
    "xlsx": Reader("pipelines.ingest.formats.xlsx", locks=True),
    "xls": Reader("pipelines.ingest.formats.xls", locks=True),
    "ods": Reader("pipelines.ingest.formats.ods"),
    "csv": Reader("pipelines.ingest.formats.csv_"),
    "tsv": Reader("pipelines.ingest.formats.csv_"),
    "html": Reader("pipelines.ingest.formats.html"),
    "md": Reader("pipelines.ingest.formats.markdown"),
    "json": Reader("pipelines.ingest.formats.json_"),
    "ndjson": Reader("pipelines.ingest.formats.json_"),
    "txt": Reader("pipelines.ingest.formats.text"),
    "eml": Reader("pipelines.ingest.formats.mail.eml"),
    "msg": Reader("pipelines.ingest.formats.mail.msg"),
    "png": Reader("pipelines.ingest.formats.image", paged=True),
    "jpeg": Reader("pipelines.ingest.formats.image", paged=True),
    "tiff": Reader("pipelines.ingest.formats.image", paged=True),
    "webp": Reader("pipelines.ingest.formats.image", paged=True),
    "bmp": Reader("pipelines.ingest.formats.image", paged=True),
    "gif": Reader("pipelines.ingest.formats.image", paged=True),
    "entry": Reader("pipelines.ingest.formats.entry"),
}

HOLDERS = ("eml", "msg")
"""What holds other files, each of which its reader reads in a child of its own."""

Item: TypeAlias = tuple[bytes, str, str, str | None]
"""Data, type, filename and password of a file."""


def count_pages(data: bytes, file_type: str, password: str | None = None) -> int | None:
    """Return the number of pages of a paged format, None for any other.

    Raises Encrypted, WrongPassword, Damaged, Bomb.
    """
    reader = _reader(file_type)
    if not reader.paged:
        return None
    count = partial(import_module(reader.module).count_pages, data, **_key(reader, password))
    pages: int = run_apart(lambda _: count(), _ignored, limits(1))
    return pages


def extract(
    data: bytes,
    file_type: str,
    filename: str,
    pages: range | None = None,
    progress: Callable[[int], None] | None = None,
    password: str | None = None,
) -> Extraction:
    """Return the elements of a file, or of the given pages (indices from 0) of a paged one.

    Parts of one document, joined in order, make the whole; give them `PAGES_PER_PART` pages or so.
    `progress` is told the number of pages done, where there are pages. A document without a title
    is called by its file. Raises Encrypted, WrongPassword, Damaged, Bomb, TypeMismatch, or
    UnsupportedType for a type without a reader. Text is not required: see `require_text`.
    """
    work = _work(data, file_type, pages, password)
    count = len(pages) if pages is not None else MAX_CPU_S
    found = run_apart(work, progress or _ignored, limits(count))
    return _titled(found, filename) if pages is None or pages.start == 0 else found


def extract_many(items: Sequence[Item]) -> list[Extraction | AuraError]:
    """Return what `extract` would return or raise for each of many small files, in their order.

    One child reads them all, since a child costs more than a page of text. Where it dies or a limit
    is met, each file is read in a child of its own, so that a bad one harms only itself; HOLDERS always are.
    """
    if not items:
        return []
    try:
        works = [_work_of(item) for item in items]
        found = run_apart(lambda _: [_outcome(work) for work in works], _ignored, limits(len(items)))
    except (Bomb, Damaged, RuntimeError):
        found = [None] * len(items)
    return [_alone(item) if one is None else _named(one, item[2]) for one, item in zip(found, items, strict=True)]


def require_text(extraction: Extraction) -> Extraction:
    """Return the extraction of a whole document. Raises NoText if there is not a letter or digit in it."""
    if not any(char.isalnum() for element in extraction.elements for char in element.text):
        raise NoText()
    return extraction


def _work(data: bytes, file_type: str, pages: range | None, password: str | None) -> Callable[[Report], Extraction]:
    reader = _reader(file_type)
    read = partial(import_module(reader.module).read, data, **_key(reader, password))
    return partial(read, pages) if reader.paged else lambda _: read()


def _work_of(item: Item) -> Callable[[Report], Extraction] | AuraError | None:
    data, file_type, _, password = item
    if file_type in HOLDERS:
        return None
    try:
        return _work(data, file_type, None, password)
    except AuraError as error:
        return error


def _outcome(work: Callable[[Report], Extraction] | AuraError | None) -> Extraction | AuraError | None:
    """Return what became of one file of many, None if it must be read alone: a limit was met that all share."""
    if work is None or isinstance(work, AuraError):
        return work
    try:
        return work(_ignored)
    except (MemoryError, RecursionError):
        return None
    except AuraError as error:
        return error


def _alone(item: Item) -> Extraction | AuraError:
    data, file_type, filename, password = item
    try:
        return extract(data, file_type, filename, password=password)
    except AuraError as error:
        return error
    except RuntimeError as bug:
        # The child's traceback. It must not take the neighbours with it.
        failure = AuraError("This file could not be read because of an error in its reader.")
        failure.__cause__ = bug
        return failure


def _named(found: Extraction | AuraError, filename: str) -> Extraction | AuraError:
    return _titled(found, filename) if isinstance(found, Extraction) else found


def _titled(found: Extraction, filename: str) -> Extraction:
    return found if found.title else replace(found, title=_readable(filename))


def _reader(file_type: str) -> Reader:
    if file_type not in READERS:
        raise UnsupportedType()
    # In this process, so that every child finds the libraries loaded.
    import_module(READERS[file_type].module)
    return READERS[file_type]


def _key(reader: Reader, password: str | None) -> dict[str, str | None]:
    return {"password": password} if reader.locks else {}


def limits(pages: int) -> Limits:
    return Limits(MEMORY_BYTES, min(BASE_CPU_S + CPU_S_PER_PAGE * pages, MAX_CPU_S))


def _readable(filename: str) -> str:
    """Return a file's name as a title: `travel_policy-2024.pdf` is `travel policy 2024`."""
    return re.sub(r"[\s_-]+", " ", PurePath(filename).stem).strip() or filename


def _ignored(done: int) -> None:
    """Take note of no progress."""
