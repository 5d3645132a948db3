"""Which events an endpoint is told of: `document.processed`, `document.*`, or `*` for all."""

from collections.abc import Iterable

from schemas.tables.hooks import WEBHOOK_EVENTS

ALL = "*"
GROUPS = frozenset(f"{name.partition('.')[0]}.*" for name in WEBHOOK_EVENTS)


def matching(event_type: str) -> list[str]:
    """Return every filter that lets an event through."""
    return [ALL, f"{event_type.partition('.')[0]}.*", event_type]


def unknown(filters: Iterable[str]) -> list[str]:
    """Return those filters that would never let anything through."""
    return sorted({each for each in filters if each != ALL and each not in GROUPS and each not in WEBHOOK_EVENTS})
