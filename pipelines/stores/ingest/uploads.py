"""Resumable uploads: how much of each has come, and in which pieces. The bytes lie in the object store."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from pipelines.stores import sealing
from schemas.errors.requests import NotFound
from schemas.errors.uploads import UploadExpired, WrongOffset
from schemas.tables.batches import Upload


def begin(
    session: Session,
    tenant_id: UUID,
    user_id: str,
    filename: str,
    size: int,
    assistant_key: str | None,
    metadata: dict[str, Any],
    password: str | None = None,
) -> Upload:
    """Add an upload of `size` bytes, of which none has come yet, and return it."""
    upload = Upload(
        tenant_id=tenant_id,
        user_id=user_id,
        filename=filename,
        size=size,
        assistant_key=assistant_key,
        metadata_={**metadata, "pieces": []},
    )
    session.add(upload)
    session.flush()
    if password:
        upload.password_sealed = sealing.seal(password, tenant_id, f"upload:{upload.upload_id}")
        session.flush()
    return upload


def unfinished(session: Session) -> tuple[int, int]:
    """Return how many of the tenant's uploads are not complete, and the bytes they ask for together."""
    row = session.execute(
        select(func.count(), func.coalesce(func.sum(Upload.size), 0)).where(
            Upload.job_id.is_(None), Upload.expires_at > func.now()
        )
    ).one()
    return int(row[0]), int(row[1])


def get(session: Session, upload_id: UUID) -> Upload:
    """Return the tenant's upload. Raises NotFound, UploadExpired."""
    upload = session.scalar(select(Upload).where(Upload.upload_id == upload_id))
    if upload is None:
        raise NotFound("There is no upload with this id.")
    if upload.expires_at <= session.scalar(select(func.now())):  # type: ignore[operator]
        raise UploadExpired
    return upload


def advance(session: Session, upload_id: UUID, offset: int, piece: str, size: int) -> Upload:
    """Add a piece of `size` bytes that begins at `offset`, kept in the object `piece`; return the upload.

    Raises WrongOffset where another has come there meanwhile.
    """
    moved = session.execute(text(_ADVANCE), {"id": upload_id, "offset": offset, "piece": piece, "size": size})
    if moved.one_or_none() is None:
        raise WrongOffset
    found = session.scalar(
        select(Upload).where(Upload.upload_id == upload_id), execution_options={"populate_existing": True}
    )
    assert found is not None
    return found


_ADVANCE = """
UPDATE uploads SET received = received + :size, parts = parts + 1,
    metadata = jsonb_set(metadata, '{pieces}', (metadata -> 'pieces') || to_jsonb(CAST(:piece AS text)))
WHERE upload_id = :id AND received = :offset AND job_id IS NULL AND expires_at > now()
RETURNING upload_id
"""


def complete(session: Session, upload_id: UUID, job_id: UUID) -> None:
    """Keep which job the upload became; its password is no longer needed here."""
    session.execute(update(Upload).where(Upload.upload_id == upload_id).values(job_id=job_id, password_sealed=None))


def remove(session: Session, upload_id: UUID) -> None:
    """Delete the upload's row. Raises NotFound."""
    gone = session.execute(delete(Upload).where(Upload.upload_id == upload_id).returning(Upload.upload_id))
    if gone.one_or_none() is None:
        raise NotFound("There is no upload with this id.")


def remove_expired(session: Session, upload_id: UUID) -> None:
    """Delete the upload's row, if its time is over."""
    session.execute(delete(Upload).where(Upload.upload_id == upload_id, Upload.expires_at < func.now()))


def password_of(upload: Upload) -> str | None:
    """Return the password that came with the file, if one did. Raises Unsealable."""
    if upload.password_sealed is None:
        return None
    return sealing.unseal(upload.password_sealed, upload.tenant_id, f"upload:{upload.upload_id}")


def expired(session: Session, at_most: int = 200) -> Sequence[tuple[UUID, UUID]]:
    """Return tenant and id of uploads whose time is over. Needs an operator's session."""
    rows = session.execute(text("SELECT tenant_id, upload_id FROM expired_uploads(:limit)"), {"limit": at_most})
    return [(row.tenant_id, row.upload_id) for row in rows]
