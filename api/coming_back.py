"""The answer that somebody was hearing when their connection was cut, as it goes on when they are back."""

import time
from typing import Any
from uuid import UUID

import structlog

from api.heard import Heard
from api.places import Place
from api.playback import Playback
from api.talk import Talk
from pipelines.stores import playing
from pipelines.stores.redis import get_redis
from schemas.errors import StoreUnavailable

log = structlog.get_logger(__name__)


def keep(talk: Talk, answer: Playback) -> None:
    """Keep how far an answer was given out and heard; without Redis it is only not known any more."""
    found = {
        "turn_id": answer.turn_id,
        "sentences": answer.heard.as_json(),
        "completed": answer.completed,
        "left_ms": answer.sent_ms - answer.played_ms,
        "at": time.time(),
    }
    try:
        playing.put(get_redis(), talk.caller.tenant_id, talk.conversation_id, found)
    except StoreUnavailable:
        log.warning("answer.not_kept", turn_id=answer.turn_id)


def answer(talk: Talk, place: Place) -> Playback | None:
    """Return the answer as it goes on from `place`; None where there was none, or it has been heard by now."""
    try:
        found = playing.take(get_redis(), talk.caller.tenant_id, talk.conversation_id) or {}
    except StoreUnavailable:
        found = {}
    if place.turn_id:
        heard = _heard(found) if found.get("turn_id") == place.turn_id else None
        resumed = Playback(place.turn_id, place.seq, place.part, paced=talk.paced, heard=heard)
        resumed.heard_at = time.monotonic() + float(found.get("left_ms", 0)) / 1000 if heard else 0.0
        return resumed
    left_s = float(found.get("left_ms", 0)) / 1000 - (time.time() - float(found.get("at", 0)))
    if not found.get("completed") or left_s <= 0:
        return None
    # All of it had gone out, and it is still being played from what the client holds.
    whole = Playback(str(UUID(found["turn_id"])), paced=talk.paced, heard=_heard(found))
    whole.heard_at, whole.completed = time.monotonic() + left_s, True
    return whole


def _heard(found: dict[str, Any]) -> Heard:
    return Heard.restored(found["sentences"])
