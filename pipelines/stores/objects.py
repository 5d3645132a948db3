"""The object store: uploads and the artefacts of stages, under keys that start with the tenant."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlparse
from uuid import UUID

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from schemas.errors import NotFound, StoreUnavailable
from schemas.settings import Settings


class ObjectStore:
    """A local folder or an S3-compatible bucket. Raises StoreUnavailable where it does not answer."""

    def __init__(self, settings: Settings) -> None:
        url = urlparse(settings.resolved_objects_url)
        if url.scheme == "file":
            self._store: LocalStore | S3Store = LocalStore(Path(unquote(url.path)), mkdir=True)
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


def artefact_key(tenant_id: UUID, doc_id: UUID, version: int, name: str) -> str:
    """Return where the artefact `name` of a stage is kept."""
    return f"{document_prefix(tenant_id, doc_id)}/v{version}/{name}"
