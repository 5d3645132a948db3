"""The decoded bytes of an archive's entry, stopped at their limit."""

import io
import zipfile
import zlib
from typing import Any

from pipelines.ingest import sniff
from schemas.errors.files import Damaged, WrongPassword
from schemas.errors.uploads import FileTooLarge


def broken() -> tuple[type[Exception], ...]:
    """Return what reading a damaged archive raises."""
    return (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, OverflowError, RuntimeError, LookupError)


class Stream(io.RawIOBase):
    """The decoded bytes of an entry, as a file that can be read once."""

    def __init__(self, part: Any, max_bytes: int, locked: bool) -> None:
        self._part = part
        self._max_bytes = max_bytes
        self._locked = locked
        self._ahead = b""
        self.read_bytes = 0

    def head(self) -> bytes:
        """Return the first bytes without taking them."""
        while len(self._ahead) < sniff.HEAD_BYTES and (more := self._decoded(sniff.HEAD_BYTES - len(self._ahead))):
            self._ahead += more
        return self._ahead

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` and return how many bytes; raise FileTooLarge, Damaged or WrongPassword."""
        data = self._ahead[: len(buffer)] or self._decoded(len(buffer))
        self._ahead = self._ahead[len(data) :]
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._part.close()
        super().close()

    def _decoded(self, size: int) -> bytes:
        try:
            data: bytes = self._part.read(size)
        except broken() as error:
            # One wrong password in 256 opens an entry, whose bytes then make no sense.
            raise (WrongPassword if self._locked else Damaged)() from error
        self.read_bytes += len(data)
        if self.read_bytes > self._max_bytes:
            raise FileTooLarge()
        return data
