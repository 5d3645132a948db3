"""The body of a request becomes pieces of an upload, as it comes: what arrived before a cut is kept."""

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from uuid import uuid4

from flask import request
from werkzeug.exceptions import ClientDisconnected

from api.documents import tus
from pipelines.stores.database import tenant_session
from pipelines.stores.ingest import uploads
from pipelines.stores.objects import PIECE_BYTES, ObjectStore, upload_prefix
from schemas.errors.uploads import FileTooLarge, WrongChecksum, WrongOffset
from schemas.settings import get_settings
from schemas.tables.batches import Upload

KEPT_BYTES = 8 * PIECE_BYTES
"""After so many bytes what has come is kept: a process that dies loses no more."""


def append(upload: Upload) -> Upload:
    """Add the request's body to the upload and return it as it stands then.

    With a checksum the body is one piece, kept whole or not at all. Raises WrongOffset where another request has
    written there meanwhile, WrongChecksum, FileTooLarge where more came than was announced.
    """
    promised = tus.Checksum.promised()
    if promised is None:
        for block in _blocks(_body(upload)):
            upload = _keep(upload, block)
        return upload
    with SpooledTemporaryFile(KEPT_BYTES) as file:
        size = 0
        for data in _body(upload, whole=True):
            promised.update(data)
            size += file.write(data)
        if not promised.holds():
            raise WrongChecksum
        file.seek(0)
        name = _name(upload)
        _store().put_file(name, file)  # type: ignore[arg-type]
    return _advanced(upload, name, size) if size else upload


def _body(upload: Upload, *, whole: bool = False) -> Iterator[bytes]:
    """Yield the body in small pieces, until its end or the end of its line. Raises FileTooLarge."""
    left = upload.size - upload.received
    if (request.content_length or 0) > left:
        raise FileTooLarge("More was sent than the upload's length has left.")
    while True:
        try:
            # One byte more than there is room for would show that too much was sent.
            data = request.stream.read(min(PIECE_BYTES, left + 1))
        except (ClientDisconnected, OSError):
            if whole:
                raise
            return
        if not data:
            return
        left -= len(data)
        if left < 0:
            raise FileTooLarge("More was sent than the upload's length has left.")
        yield data


def _blocks(body: Iterator[bytes]) -> Iterator[bytes]:
    block = bytearray()
    for data in body:
        block += data
        if len(block) >= KEPT_BYTES:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


def _keep(upload: Upload, block: bytes) -> Upload:
    name = _name(upload)
    _store().put(name, block)
    return _advanced(upload, name, len(block))


def _advanced(upload: Upload, name: str, size: int) -> Upload:
    try:
        with tenant_session(upload.tenant_id) as session:
            return uploads.advance(session, upload.upload_id, upload.received, name, size)
    except WrongOffset:
        _store().delete(name)
        raise


def _name(upload: Upload) -> str:
    return f"{upload_prefix(upload.tenant_id, upload.upload_id)}/{upload.received:015d}-{uuid4().hex}"


def _store() -> ObjectStore:
    return ObjectStore(get_settings())
