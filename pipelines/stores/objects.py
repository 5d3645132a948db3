"""The object store: uploads and the artefacts of stages, under keys that start with the tenant."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote, urlparse
from uuid import UUID

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from schemas.errors.providers import StoreUnavailable
from schemas.errors.requests import NotFound
from schemas.settings import Settings

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

PIECE_BYTES = 1 << 20

RETRY: "RetryConfig" = {"max_retries": 2, "retry_timeout": timedelta(seconds=5)}
"""A bucket that refuses is asked again for a moment only: who waits hears of it, and work is put off by its step."""


class ObjectStore:
    """A local folder or an S3-compatible bucket. Raises StoreUnavailable where it does not answer."""

    def __init__(self, settings: Settings) -> None:
        url = urlparse(settings.resolved_objects_url)
        self._root = Path(unquote(url.path)) if url.scheme == "file" else None
        if self._root is not None:
            _make(self._root)
            with self._translated():
                self._store: LocalStore | S3Store = LocalStore(self._root)
        else:
            self._store = _bucket(url.netloc, url.path.strip("/"), settings.objects_endpoint)

    def put(self, key: str, data: bytes) -> None:
        """Write `data` under `key`, whole or not at all."""
        with self._translated():
            obstore.put(self._store, key, data)

    def put_file(self, key: str, file: IO[bytes]) -> None:
        """Write what `file` holds from its position on, in pieces: a large file never lies in memory."""
        with self._translated():
            obstore.put(self._store, key, file)

    def get(self, key: str) -> bytes:
        """Return the bytes under `key`. Raises NotFound."""
        with self._translated():
            return bytes(obstore.get(self._store, key).bytes())

    def pieces(self, key: str) -> Iterator[bytes]:
        """Yield the bytes under `key`, a mebibyte at a time. Raises NotFound, also half-way.

        Each piece is a request of its own: one long one would time out where its reader is slow.
        """
        with self._translated():
            size = obstore.head(self._store, key)["size"]
        for start in range(0, size, PIECE_BYTES):
            with self._translated():
                piece = bytes(obstore.get_range(self._store, key, start=start, end=min(start + PIECE_BYTES, size)))
            yield piece

    def listing(self, prefix: str) -> Iterator[str]:
        """Yield every key under the folder `prefix`."""
        with self._translated():
            for batch in obstore.list(self._store, prefix):
                for entry in batch:
                    yield entry["path"]

    def delete(self, *keys: str) -> None:
        """Delete these keys; one that is gone already is no error."""
        for key in keys:
            with suppress(NotFound), self._translated():
                obstore.delete(self._store, key)

    def delete_some(self, prefix: str, at_most: int) -> int:
        """Delete keys under the folder `prefix`, `at_most` so many, and return how many."""
        with self._translated():
            paths = [entry["path"] for entry in next(obstore.list(self._store, prefix, chunk_size=at_most), [])]
            if paths:
                obstore.delete(self._store, paths)
            return len(paths)

    def delete_some_of(self, prefix: str, names: tuple[str, ...]) -> None:
        """Delete those keys under the folder `prefix` whose names begin with one of `names`."""
        with self._translated():
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
        with self._translated():
            paths = [entry["path"] for batch in obstore.list(self._store, prefix) for entry in batch]
            if paths:
                obstore.delete(self._store, paths)
            return len(paths)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            # A folder that is away, as a disk that is not mounted, must not look as if its files were gone.
            if self._root is not None and not self._root.is_dir():
                raise StoreUnavailable("The folder of the object store is not there.")
            yield
        except (NotFoundError, FileNotFoundError) as error:
            raise NotFound("The stored file is gone.") from error
        except (BaseError, OSError) as error:
            raise StoreUnavailable("The object store does not answer.") from error


@lru_cache
def _make(root: Path) -> None:
    """Make the folder, once a process: one that goes away later is missed, not replaced by an empty one."""
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable("The folder of the object store cannot be made.") from error


def _bucket(name: str, prefix: str, endpoint: str) -> S3Store:
    options: ClientConfig = {"timeout": "30s", "connect_timeout": "3s", "allow_http": endpoint.startswith("http://")}
    at = {"endpoint": endpoint} if endpoint else {}
    return S3Store(name, prefix=prefix or None, **at, client_options=options, retry_config=RETRY)  # type: ignore[arg-type]


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
