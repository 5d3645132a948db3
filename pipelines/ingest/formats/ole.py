"""The container of the old Office formats: a small file system in a file."""

import io
import struct
from collections.abc import Mapping, Sequence

from pipelines.ingest.clean import one_line
from pipelines.ingest.file_types import OLE
from pipelines.ingest.formats.foreign import blamed_on_file
from schemas.errors.files import Damaged

PACKAGE = "EncryptedPackage".encode("utf-16-le")
"""In a file of today's formats that is locked by a password."""

_SUMMARY = "\x05SummaryInformation"
_MAX_PROPERTIES = 100
_CODE_PAGE, _TITLE = 1, 2
_WIDE = 31


def streams(data: bytes, names: Sequence[str]) -> tuple[Mapping[str, bytes], str]:
    """Return those of the named streams that a file has, and the title in its properties. Raises Damaged."""
    from olefile import OleFileIO  # Only old files need it.

    if not data.startswith(OLE):
        raise Damaged("The file is no file of an older Office.")
    with blamed_on_file(), OleFileIO(io.BytesIO(data)) as file:
        found = {name: file.openstream(name).read() for name in names if file.exists(name)}
        summary = file.openstream(_SUMMARY).read() if file.exists(_SUMMARY) else b""
    return found, _title(summary)


def number(data: bytes, at: int, size: int = 4) -> int:
    """Return the unsigned number of so many bytes at a place. Raises Damaged beyond the end."""
    found = data[at : at + size]
    if at < 0 or len(found) < size:
        raise Damaged()
    return int.from_bytes(found, "little")


def numbers(data: bytes, at: int, count: int) -> tuple[int, ...]:
    """Return so many unsigned numbers of four bytes. Raises Damaged beyond the end."""
    if at < 0 or count < 0 or at + 4 * count > len(data):
        raise Damaged()
    return struct.unpack_from(f"<{count}I", data, at)


def _title(summary: bytes) -> str:
    """Return the title in a document's properties; nothing if there is none that can be read.

    olefile would read them too, but it counts to four billion where a file says so.
    """
    try:
        begin = number(summary, 44)
        listed = numbers(summary, begin + 8, 2 * min(number(summary, begin + 4), _MAX_PROPERTIES))
        places = dict(zip(listed[::2], listed[1::2], strict=True))
        if _TITLE not in places:
            return ""
        at = begin + places[_TITLE]
        kind, size = numbers(summary, at, 2)
        if kind == _WIDE:
            return one_line(summary[at + 8 : at + 8 + 2 * size].decode("utf-16-le", "replace"))
        page = number(summary, begin + places[_CODE_PAGE] + 4, 2) if _CODE_PAGE in places else 1252
        return one_line(summary[at + 8 : at + 8 + size].decode({65001: "utf-8"}.get(page, f"cp{page}"), "replace"))
    except (Damaged, LookupError):
        return ""
