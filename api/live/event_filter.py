"""Which events of an organisation a client gets: those it asks for, of those that it may see.

Nothing is told here that the route to the thing itself would refuse to its caller (docs/events.md).
"""

import time
from collections.abc import Collection, Mapping
from functools import lru_cache
from uuid import UUID

from api.door.auth import Caller, still
from pipelines.stores.database import tenant_session
from pipelines.stores.dialogue import conversations
from pipelines.stores.events import Published
from schemas.errors.callers import Forbidden
from schemas.errors.requests import InvalidRequest, NotFound
from schemas.events import TENANT_WIDE, EventName
from schemas.tables.identity import Permission

LOOK_AGAIN_S = 2.0
"""How long a caller's permissions are believed: a role that is taken away ends its events soon after."""

NEEDS: Mapping[str, Collection[Permission]] = {
    "document": (Permission.DOCUMENTS_READ, Permission.DOCUMENTS_WRITE),
    "batch": (Permission.DOCUMENTS_READ, Permission.DOCUMENTS_WRITE),
    "evaluation": (Permission.ANALYTICS_READ,),
    "turn": (Permission.CHAT,),
    "conversation": (Permission.ANALYTICS_READ,),
    "lead": (Permission.ANALYTICS_READ,),
    "reservation": (Permission.ANALYTICS_READ,),
    "quota": (Permission.ANALYTICS_READ,),
    "provider": (Permission.ANALYTICS_READ,),
    "webhook": (Permission.WEBHOOKS, Permission.TENANT_ADMIN),
}
"""What each kind of event asks of its reader: one of these."""


class Filter:
    """What one client follows. Raises InvalidRequest where a type is none, Forbidden where all are beyond it."""

    def __init__(self, asking: Caller, types: str | None, subject: str | None) -> None:
        self._asking = asking
        self._asked = _named(types)
        self._subject = tuple(subject.split(":")) if subject else None
        self._looked_at = time.monotonic()
        self._names = _allowed(asking, self._asked)
        if not self._names:
            raise Forbidden("Your role or key does not allow to follow these events.")

    def wants(self, event: Published) -> bool:
        """Return whether the client gets this event. Raises StoreUnavailable and Revoked."""
        if event.name not in self._asked or not self._is_about(event):
            return False
        self._look_again()
        if event.name not in self._names:
            return False
        return not event.name.startswith("turn.") or self._is_theirs(event)

    def _is_about(self, event: Published) -> bool:
        if self._subject is None:
            return True
        kind, wanted = self._subject
        about = event.data.get("subject") or {}
        return (about.get("kind"), about.get("id")) == (kind, wanted) or event.data.get(f"{kind}_id") == wanted

    def _is_theirs(self, event: Published) -> bool:
        if self._asking.sees_all:
            return True
        try:
            return _owner(self._asking.tenant_id, UUID(event.data["conversation_id"])) == self._asking.user_id
        except NotFound:
            return False

    def _look_again(self) -> None:
        if time.monotonic() - self._looked_at >= LOOK_AGAIN_S:
            self._asking = still(self._asking)
            self._names = _allowed(self._asking, self._asked)
            self._looked_at = time.monotonic()


def _named(types: str | None) -> frozenset[str]:
    """Return the names that are asked for. Raises InvalidRequest."""
    if not types:
        return frozenset(TENANT_WIDE)
    found: set[str] = set()
    for pattern in types.split(","):
        begin = pattern.removesuffix("*")
        # `document.*`, or `*` for all; a star elsewhere is part of no name.
        whole = begin == pattern or (begin and not begin.endswith("."))
        names = {name for name in TENANT_WIDE if (name == pattern if whole else name.startswith(begin))}
        if not names:
            what = "is not told to a whole organisation" if pattern in set(EventName) else "is not the name of events"
            raise InvalidRequest(f"{pattern[:80]!r} {what}.")
        found |= names
    return frozenset(found)


def _allowed(asking: Caller, names: frozenset[str]) -> frozenset[str]:
    return frozenset(name for name in names if asking.permissions.intersection(NEEDS[name.partition(".")[0]]))


@lru_cache(maxsize=16_384)
def _owner(tenant_id: UUID, conversation_id: UUID) -> str:
    """Return whose conversation it is, which never changes. Raises NotFound, which is not remembered."""
    with tenant_session(tenant_id, durable=False) as session:
        found = conversations.owner(session, conversation_id)
    if found is None:
        raise NotFound
    return found
