"""Originals that hold whoever reads them: a pipe in place of the file, until somebody writes into it."""

import os
from pathlib import Path

from schemas.tables.base import DEFAULT_TENANT_ID


def original(objects: Path, doc_id: str, tenant_id: str = DEFAULT_TENANT_ID) -> Path:
    """Return where a document's bytes are, in the folder of a local store."""
    return objects / tenant_id / "documents" / doc_id / "original"


class Gate:
    """The original of a document, which stops its reader until `open` gives it the bytes."""

    def __init__(self, objects: Path, doc_id: str, tenant_id: str = DEFAULT_TENANT_ID) -> None:
        self._path = original(objects, doc_id, tenant_id)
        self._data = self._path.read_bytes()
        self._path.unlink()
        os.mkfifo(self._path)

    def open(self) -> None:
        """Put the file back, and let go who reads the pipe: with nothing, as if the file were empty."""
        pipe = self._path.with_name("original-pipe")
        self._path.rename(pipe)
        self._path.write_bytes(self._data)
        try:
            os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return  # Nobody reads.
        finally:
            pipe.unlink()
