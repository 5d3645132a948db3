"""Cursors: opaque to clients, a place in a listing to us."""

import base64
import binascii
import re
from datetime import datetime
from uuid import UUID

from schemas.errors.requests import InvalidRequest


def cursor(at: datetime, row_id: UUID) -> str:
    """Return the cursor behind the row that was created `at`."""
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{row_id}".encode()).decode()


def position(after: str | None) -> tuple[datetime, UUID] | None:
    """Return what `cursor` wrote. Raises InvalidRequest."""
    if after is None:
        return None
    try:
        at, row_id = base64.urlsafe_b64decode(after.encode()).decode().split("|")
        return datetime.fromisoformat(at), UUID(row_id)
    except (ValueError, binascii.Error) as error:
        raise InvalidRequest("`after` is not a cursor of this listing.") from error


def number(after: str) -> int:
    """Return the cursor of a listing whose rows are numbered. Raises InvalidRequest.

    Digits of ASCII only, as few as a bigint has.
    """
    if not re.fullmatch(r"[0-9]{1,18}", after):
        raise InvalidRequest("`after` is not a cursor of this listing.")
    return int(after)
