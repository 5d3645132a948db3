"""The keys that sign access tokens: kept sealed in Postgres, so that all web processes have the same."""

import secrets
import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, or_, select, text, update
from sqlalchemy.orm import Session

from pipelines.identity.tokens import SigningPair
from pipelines.stores import sealing
from pipelines.stores.database import operator_session
from schemas.errors.callers import Unsealable
from schemas.errors.requests import NotFound
from schemas.settings import get_settings
from schemas.tables.identity import SigningKey

log = structlog.get_logger(__name__)

OWNER, PURPOSE = "deployment", "signing_key"
FRESH_S = 4.0
"""Seconds that a process trusts what it knows; a revoked key is refused everywhere after them."""

HEAD_START_S = 15
"""A new key is known to all processes this long before it signs."""


class KeyRing:
    """The keys of this process's moment. Safe to share among threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_at = 0.0
        self._pairs: dict[str, SigningPair] = {}
        self._signing: SigningPair | None = None

    def signing(self) -> SigningPair:
        """Return the pair that signs now; the first one ever is made here."""
        self._refresh()
        assert self._signing is not None
        return self._signing

    def verifying(self) -> Mapping[str, SigningPair]:
        """Return all pairs whose tokens are still good, by their token header."""
        self._refresh()
        return self._pairs

    def forget(self) -> None:
        """Read again at the next question."""
        self._read_at = 0.0

    def _refresh(self) -> None:
        if time.monotonic() - self._read_at < FRESH_S and self._signing is not None:
            return
        with self._lock:
            if time.monotonic() - self._read_at < FRESH_S and self._signing is not None:
                return
            with operator_session() as session:
                found = _usable(session)
                if not any(row.signs_from <= now for row, _, now in found):
                    found = [_first(session)]
            # A pair that is known stays the same object, by which checked tokens are remembered.
            self._pairs = {pair.header: self._pairs.get(pair.header, pair) for _, pair, _ in found}
            self._signing = max(
                ((row.signs_from, pair.kid, pair) for row, pair, now in found if row.signs_from <= now)
            )[2]
            self._read_at = time.monotonic()


Kept = tuple[SigningKey, SigningPair, datetime]


def rotate() -> str:
    """Make a new key, which signs in a moment, let the others retire once their tokens are over; return its kid."""
    with operator_session() as session:
        made = _add(session, HEAD_START_S)
        over = made.signs_from + timedelta(seconds=get_settings().access_token_s + 60)
        others = update(SigningKey).where(SigningKey.kid != made.kid)
        session.execute(
            others.where(or_(SigningKey.retires_at.is_(None), SigningKey.retires_at > over)).values(retires_at=over)
        )
        return made.kid


def revoke(kid: str) -> None:
    """Refuse every token of a key from now on (it leaked), and sign with another. Raises NotFound."""
    with operator_session() as session:
        found = session.execute(update(SigningKey).where(SigningKey.kid == kid).values(retires_at=func.now()))
        if found.rowcount == 0:  # type: ignore[attr-defined]
            raise NotFound(f"There is no signing key {kid!r}.")


def reseal() -> int:
    """Seal every key with the newest secret of the deployment; return how many were changed."""
    changed = 0
    with operator_session() as session:
        for row in session.scalars(select(SigningKey)):
            if not sealing.is_current(row.sealed):
                row.sealed = sealing.seal(sealing.unseal(row.sealed, OWNER, PURPOSE), OWNER, PURPOSE)
                changed += 1
    return changed


def _usable(session: Session) -> list[Kept]:
    rows = session.execute(
        select(SigningKey, func.now()).where(or_(SigningKey.retires_at.is_(None), SigningKey.retires_at > func.now()))
    )
    found = []
    for row, now in rows:
        try:
            found.append((row, _pair(row), now))
        except Unsealable:
            log.warning("a signing key cannot be opened", kid=row.kid)
    return found


def _first(session: Session) -> Kept:
    """Return the newest key that can sign, made now unless another process was quicker."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('aura.signing_keys'))"))
    there = [kept for kept in _usable(session) if kept[0].signs_from <= kept[2]]
    if there:
        return there[0]
    row = _add(session, 0)
    return row, _pair(row), row.signs_from


def _add(session: Session, head_start_s: int) -> SigningKey:
    private = Ed25519PrivateKey.generate().private_bytes_raw().hex()
    row = SigningKey(
        kid=secrets.token_hex(8),
        sealed=sealing.seal(private, OWNER, PURPOSE),
        signs_from=func.now() + timedelta(seconds=head_start_s),
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def _pair(row: SigningKey) -> SigningPair:
    private = sealing.unseal(row.sealed, OWNER, PURPOSE)
    return SigningPair(row.kid, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private)))
