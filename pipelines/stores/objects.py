"""The object store: uploads and the artefacts of stages, under keys that start with the tenant."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlparse
from uuid import UUID

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from schemas.errors import NotFound, StoreUnavailable
from schemas.settings import Settings

PIECE_BYTES = 1 << 20


class ObjectStore:
    """A local folder or an S3-compatible bucket. Raises StoreUnavailable where it does not answer."""

    def __init__(self, settings: Settings) -> None:
        url = urlparse(settings.resolved_objects_url)
        self._root = Path(unquote(url.path)) if url.scheme == "file" else None
        if self._root is not None:
            self._store: LocalStore | S3Store = LocalStore(self._root, mkdir=True)
        else:
            endpoint = {"endpoint": settings.objects_endpoint} if settings.objects_endpoint else {}
            self._store = S3Store(url.netloc, prefix=url.path.strip("/") or None, **endpoint)  # type: ignore[arg-type]

    def put(self, key: str, data: bytes) -> None:
        """Write `data` under `key`, whole or not at all."""
        with _translated():
            obstore.put(self._store, key, data)

    def put_file(self, key: str, file: IO[bytes]) -> None:
        """Write what `file` holds from its position on, in pieces: a large file never lies in memory."""
        with _translated():
            obstore.put(self._store, key, file)

    def get(self, key: str) -> bytes:
        """Return the bytes under `key`. Raises NotFound."""
        with _translated():
            return bytes(obstore.get(self._store, key).bytes())

    def pieces(self, key: str) -> Iterator[bytes]:
        """Yield the bytes under `key`, a mebibyte at a time. Raises NotFound, also half-way.

        Each piece is a request of its own: one long one would time out where its reader is slow.
        """
        with _translated():
            size = obstore.head(self._store, key)["size"]
        for start in range(0, size, PIECE_BYTES):
            with _translated():
                piece = bytes(obstore.get_range(self._store, key, start=start, end=min(start + PIECE_BYTES, size)))
            yield piece

    def listing(self, prefix: str) -> Iterator[str]:
        """Yield every key under the folder `prefix`."""
        with _translated():
            for batch in obstore.list(self._store, prefix):
                for entry in batch:
                    yield entry["path"]

    def delete(self, *keys: str) -> None:
        """Delete these keys; one that is gone already is no error."""
        for key in keys:
            with suppress(NotFound), _translated():
                obstore.delete(self._store, key)

    def delete_some(self, prefix: str, at_most: int) -> int:
        """Delete keys under the folder `prefix`, `at_most` so many, and return how many."""
        with _translated():
            paths = [entry["path"] for entry in next(obstore.list(self._store, prefix, chunk_size=at_most), [])]
            if paths:
                obstore.delete(self._store, paths)
            return len(paths)

    def delete_some_of(self, prefix: str, names: tuple[str, ...]) -> None:
        """Delete those keys under the folder `prefix` whose names begin with one of `names`."""
        with _translated():
            found = [entry["path"] for batch in obstore.list(self._store, prefix) for entry in batch]
            paths = [path for path in found if path.rsplit("/", 1)[-1].startswith(names)]
            if paths:
                obstore.delete(self._store, paths)

    def remove_folder(self, prefix: str) -> None:
        """Remove what no listing shows of a local folder: empty folders, and halves of broken uploads."""
        if self._root is not None:
            shutil.rmtree(self._root / prefix, ignore_errors=True)

    def delete_prefix(self, prefix: str) -> int:
        """Delete every key under `prefix` and return how many there were."""
        with _translated():
            paths = [entry["path"] for batch in obstore.list(self._store, prefix) for entry in batch]
            if paths:
                obstore.delete(self._store, paths)
            return len(paths)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise NotFound("The stored file is gone.") from error
    except (BaseError, OSError) as error:
        raise StoreUnavailable("The object store does not answer.") from error


def document_prefix(tenant_id: UUID, doc_id: UUID) -> str:
    """Return the folder of all that belongs to a document."""
    return f"{tenant_id}/documents/{doc_id}"


def original_key(tenant_id: UUID, doc_id: UUID) -> str:
    """Return where the uploaded bytes are kept."""
    return f"{document_prefix(tenant_id, doc_id)}/original"


def batch_prefix(tenant_id: UUID, batch_id: UUID) -> str:
    """Return the folder of the archives that a batch came as."""
    return f"{tenant_id}/batches/{batch_id}"


def archive_key(tenant_id: UUID, batch_id: UUID, name: str) -> str:
    """Return where the archive `name` is kept until its files are taken in."""
    return f"{batch_prefix(tenant_id, batch_id)}/{name}"


def upload_prefix(tenant_id: UUID, upload_id: UUID) -> str:
    """Return the folder of the pieces of an upload that is not complete yet."""
    return f"{tenant_id}/uploads/{upload_id}"


def artefact_key(tenant_id: UUID, doc_id: UUID, version: int, name: str) -> str:
    """Return where the artefact `name` of a stage is kept."""
    return f"{document_prefix(tenant_id, doc_id)}/v{version}/{name}"
