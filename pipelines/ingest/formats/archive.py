"""Opening the zip file that an office document is, without being overrun by it."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import cached_property

from schemas.errors.files import Bomb, Damaged

MAX_ENTRIES = 10_000
MAX_TOTAL_BYTES = 1 << 30
MAX_PART_BYTES = 256 << 20
"""Of one unpacked part. Text compresses tenfold, so this is a book of some ten thousand pages."""

MAX_RATIO = 200
MIN_SUSPECT_BYTES = 32 << 20
"""Below this a high ratio harms nobody; deflate cannot reach more than 1,032."""

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,  # a compression or version that is not known here
    RuntimeError,  # an entry with a password
    OSError,
    ValueError,
    OverflowError,
    struct.error,
)


class Archive:
    """The parts of an office document. Raises Damaged, or Bomb if it would unpack to far more than its size."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN as error:
            raise Damaged() from error
        _check(self._zip, len(data))

    def names(self) -> list[str]:
        """Return the names of the parts."""
        return self._zip.namelist()

    def part(self, name: str) -> bytes | None:
        """Return an unpacked part, None if there is none of this name. Raises Damaged, Bomb.

        Where there is none, one that differs in case or in its slashes is meant.
        """
        name = name.lstrip("/")
        try:
            # Reading stops at the size the archive states, so what was checked is what comes.
            with self._zip.open(self._alike.get(_plain(name), name)) as part:
                data = part.read(MAX_PART_BYTES + 1)
        except KeyError:
            return None
        except _BROKEN as error:
            raise Damaged() from error
        if len(data) > MAX_PART_BYTES:
            raise Bomb()
        return data

    def parts(self, folder: str, suffix: str = ".xml") -> Iterator[str]:
        """Yield the names of the parts right in a folder that end in `suffix`."""
        for name in self.names():
            if name.endswith(suffix) and name.rpartition("/")[0] == folder:
                yield name

    @cached_property
    def _alike(self) -> dict[str, str]:
        # The first of equals, as the programs that wrote them take it.
        return {_plain(name): name for name in reversed(self.names())}


def _plain(name: str) -> str:
    return name.replace("\\", "/").lower()


def _check(archive: zipfile.ZipFile, size: int) -> None:
    """Raise Bomb for too many entries, too large a total, a suspicious ratio, or entries that share bytes."""
    entries = archive.infolist()
    total = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES or total > MAX_TOTAL_BYTES:
        raise Bomb()
    if total > MIN_SUSPECT_BYTES and total > MAX_RATIO * size:
        raise Bomb()
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise Bomb("Parts of the file overlap, so that it unpacks to far more than its size.")
        end = entry.header_offset + entry.compress_size
