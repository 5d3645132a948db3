"""ZIP files of documents: each entry as a stream, or as the error that says why it is none.

Everything an archive says of itself is taken for a claim. Its directory is bounded before it is
parsed, entries are decoded as streams and stopped at their limits, and nothing is written anywhere.
"""

import stat
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from pipelines.ingest import sniff
from pipelines.ingest.entry_names import encoding_of, folder_and_name, is_ignored
from pipelines.ingest.entry_stream import Stream, broken
from pipelines.ingest.file_types import TYPES, ZIP
from schemas.errors.files import Bomb, Damaged, Encrypted, NestedArchive, TooManyDocuments, UnsafeEntry, WrongPassword
from schemas.errors.tree import AuraError
from schemas.errors.uploads import FileTooLarge, TypeMismatch, UnsupportedType

MAX_DOCUMENTS = 10_000
MAX_DIRECTORY_BYTES = 16 << 20
"""Of the list of entries: more than enough for a hundred thousand, parsed in seconds."""

MAX_RATIO = 200
MIN_SUSPECT_BYTES = 32 << 20
"""Below this a high ratio harms nobody."""

ARCHIVES = frozenset(".zip .7z .rar .tar .gz .tgz .bz2 .tbz2 .xz .txz .zst .cab .iso .jar .lzh .arj".split())

_LOCKED, _UTF8, _AES = 0x1, 0x800, 99
# Of the others, seldom used, the library unpacks a piece whole, whatever its size.
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, _AES)


@dataclass(frozen=True)
class Limits:
    """What an archive may hold; sizes are of decoded bytes."""

    max_documents: int = MAX_DOCUMENTS
    max_file_bytes: int = 100 << 20
    max_total_bytes: int = 4 << 30


@dataclass(frozen=True)
class Entry:
    """A document in an archive, or why it is refused: exactly one of `stream` and `error` is there.

    `stream` is read before the next entry is asked for, then it is closed. It raises FileTooLarge,
    Bomb, Damaged or WrongPassword where only reading shows it; what was read until then is to be dropped.
    """

    name: str
    folder: str
    stream: "Stream | None" = None
    error: AuraError | None = None


def is_zip(head: bytes, tail: bytes = b"") -> bool:
    """Tell whether a file that begins with `head` and ends with `tail` is an archive, and no document of its own."""
    if not head.startswith((ZIP, b"PK\x05\x06", b"PK\x07\x08PK\x03\x04")):
        return False
    return not any(t.matches and t.matches(head, tail) for t in TYPES)


def entries(file: Path | BinaryIO, password: str | None = None, limits: Limits = Limits()) -> Iterator[Entry]:
    """Yield the documents of a ZIP file in its order; what systems leave in archives is passed over.

    Raises Damaged or Bomb where the archive as a whole cannot be read, TooManyDocuments.
    """
    opened = file.open("rb") if isinstance(file, Path) else file
    try:
        with closing(_archive(opened)) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            encoding = encoding_of([_raw(info) for info in infos if not info.flag_bits & _UTF8])
            paths = [_path(info, encoding) for info in infos]
            wanted = [pair for pair in zip(infos, paths, strict=True) if not is_ignored(pair[1])]
            if len(wanted) > limits.max_documents:
                raise TooManyDocuments(f"The archive holds more than {limits.max_documents:,} documents. Split it.")
            yield from _Unpacking(archive, password, limits, _overlapping(infos)).entries(wanted)
    finally:
        if isinstance(file, Path):
            opened.close()


class _Unpacking:
    """One pass over an archive."""

    def __init__(self, archive: Any, password: str | None, limits: Limits, overlapping: frozenset[int]) -> None:
        self._archive = archive
        self._password = password
        self._limits = limits
        self._overlapping = overlapping
        self._left = limits.max_total_bytes

    def entries(self, wanted: Sequence[tuple[zipfile.ZipInfo, str]]) -> Iterator[Entry]:
        for info, path in wanted:
            folder, name = "", sniff.safe_filename(path)
            try:
                folder, name = folder_and_name(path)
                self._check(info, name)
                stream = self._opened(info)
            except AuraError as error:
                yield Entry(name, folder, error=error)
                continue
            with closing(stream):
                try:
                    _check_type(name, stream.head())
                except AuraError as error:
                    yield Entry(name, folder, error=error)
                else:
                    yield Entry(name, folder, stream)
                self._left -= stream.read_bytes

    def _check(self, info: zipfile.ZipInfo, name: str) -> None:
        """Raise an error for what can be told without decoding."""
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in {0, stat.S_IFREG}:
            raise UnsafeEntry("This is a link or a device, not a file.")
        if PurePosixPath(name).suffix.lower() in ARCHIVES:
            raise NestedArchive()
        if info.compress_type not in _PACKED:
            raise UnsupportedType("This file is packed in a way that is not known here.")
        if info.file_size > self._limits.max_file_bytes:
            raise FileTooLarge()
        if info.file_size > MIN_SUSPECT_BYTES and info.file_size > MAX_RATIO * info.compress_size:
            raise Bomb()
        if id(info) in self._overlapping:
            raise Bomb("This file shares its bytes with others in the archive.")
        if info.file_size > self._left:
            raise Bomb(f"The archive unpacks to more than {self._limits.max_total_bytes >> 20} MiB.")
        if info.flag_bits & _LOCKED and self._password is None:
            raise Encrypted()

    def _opened(self, info: zipfile.ZipInfo) -> "Stream":
        key = self._password.encode() if self._password is not None else None
        try:
            part = self._archive.open(info, pwd=key)
        except RuntimeError as error:
            raise WrongPassword() from error
        except NotImplementedError as error:
            raise Damaged("This file is packed in a way that is not known here.") from error
        except broken() as error:
            raise Damaged() from error
        return Stream(part, self._limits.max_file_bytes, bool(info.flag_bits & _LOCKED))


class _Bounded:
    """A file that is never read in a piece larger than a directory may be."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(MAX_DIRECTORY_BYTES + 1 if size < 0 else min(size, MAX_DIRECTORY_BYTES + 1))
        if len(data) > MAX_DIRECTORY_BYTES:
            raise Bomb("The archive's list of files is far too long.")
        return data

    def close(self) -> None:
        """Leave the file to who opened it."""


def _archive(file: BinaryIO) -> Any:
    """Return an archive whose directory was read. Raises Damaged, Bomb."""
    try:
        found: Any = zipfile.ZipFile(_Bounded(file))
        if any(info.compress_type == _AES for info in found.infolist()):
            import pyzipper  # Knows the newer encryption, which few archives have.

            found = pyzipper.AESZipFile(_Bounded(file))
    except NotImplementedError as error:
        raise Damaged("The archive is packed in a way that is not known here.") from error
    except broken() as error:
        raise Damaged() from error
    return found


def _overlapping(infos: Sequence[zipfile.ZipInfo]) -> frozenset[int]:
    """Return the ids of entries that begin within another one."""
    found = set()
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            found.add(id(info))
        end = max(end, info.header_offset + 30 + info.compress_size)
    return frozenset(found)


def _check_type(name: str, head: bytes) -> None:
    """Raise an error for what no reader reads; what only the end of a file tells is let through."""
    try:
        sniff.file_type(name, head)
    except TypeMismatch:
        if not head.startswith(ZIP):
            raise
    except AuraError as error:
        if is_zip(head):
            raise NestedArchive() from error
        raise


def _raw(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("cp437", "replace")


def _path(info: zipfile.ZipInfo, encoding: str) -> str:
    """Return an entry's path; one that does not say its encoding is read in that of the archive."""
    if info.flag_bits & _UTF8:
        return info.orig_filename
    return _raw(info).decode(encoding, "replace")
