"""Headers of the tus protocol 1.0.0: what clients say in them, and what they are told."""

import base64
import binascii
import hashlib
import re
from datetime import UTC
from email.utils import format_datetime

from flask import Response, request, url_for

from api.documents.batch_views import links
from schemas.errors.uploads import InvalidUpload, UnknownTusVersion
from schemas.settings import get_settings
from schemas.tables.batches import Upload

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
ALGORITHMS = ("sha1", "sha256")
OFFSET_TYPE = "application/offset+octet-stream"
MAX_METADATA_CHARS = 16_384


def require_version() -> None:
    """Raise UnknownTusVersion unless the request speaks the version that this server does."""
    if request.headers.get("Tus-Resumable") != VERSION:
        raise UnknownTusVersion


def number(name: str) -> int:
    """Return a header that is a size or a place in bytes. Raises InvalidUpload."""
    value = request.headers.get(name, "")
    if not re.fullmatch(r"[0-9]{1,15}", value):
        raise InvalidUpload(f"The header `{name}` is a number of bytes.")
    return int(value)


def metadata() -> dict[str, str]:
    """Return what `Upload-Metadata` says: pairs of a name and a base64 value, by commas. Raises InvalidUpload."""
    header = request.headers.get("Upload-Metadata", "")
    if len(header) > MAX_METADATA_CHARS:
        raise InvalidUpload("`Upload-Metadata` is too long.")
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        name, _, value = pair.partition(" ")
        try:
            text = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise InvalidUpload(f"`Upload-Metadata`: the value of {name[:50]!r} is not UTF-8 in base64.") from error
        if name in found or "\0" in text:
            raise InvalidUpload("`Upload-Metadata` names each key once, and holds no NUL.")
        found[name] = text
    return found


class Checksum:
    """What `Upload-Checksum` promises of a piece. Raises InvalidUpload where it cannot be read."""

    def __init__(self, header: str) -> None:
        algorithm, _, value = header.partition(" ")
        if algorithm not in ALGORITHMS:
            raise InvalidUpload(f"`Upload-Checksum`: one of {', '.join(ALGORITHMS)}.")
        try:
            self._wanted = base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise InvalidUpload("`Upload-Checksum` is the algorithm and the digest in base64.") from error
        self._digest = hashlib.new(algorithm)

    @classmethod
    def promised(cls) -> "Checksum | None":
        """Return what the request promises, None where it promises nothing."""
        header = request.headers.get("Upload-Checksum")
        return cls(header) if header is not None else None

    def update(self, data: bytes) -> None:
        self._digest.update(data)

    def holds(self) -> bool:
        return self._digest.digest() == self._wanted


def options() -> Response:
    """Return what this server can do."""
    response = Response(status=204)
    response.headers |= {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(get_settings().max_batch_mb << 20),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }
    return response


def stand(upload: Upload, status: int) -> Response:
    """Return how far an upload is, and its job where it is complete, in headers."""
    response = Response(status=status)
    response.headers["Upload-Offset"] = str(upload.received)
    response.headers["Upload-Expires"] = format_datetime(upload.expires_at.astimezone(UTC), usegmt=True)
    response.headers["Cache-Control"] = "no-store"
    if status == 201:
        response.headers["Location"] = url_for("uploads.show", id=upload.upload_id)
    if upload.job_id is not None:
        found = links(upload.job_id)
        response.headers["Job-Id"], response.headers["Job-Location"] = found["job_id"], found["job"]
    return response
