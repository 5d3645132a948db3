"""The answer that somebody was hearing when their connection was cut, as it goes on when they are back."""

import time
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

import structlog

from api.spoken.heard import MAX_SENTENCES, Heard
from api.spoken.places import Place
from api.spoken.playback import Playback
from api.spoken.realtime import Session
from api.spoken.talk import Talk
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import playing
from schemas.errors.providers import StoreUnavailable

_here: "WeakValueDictionary[UUID, Session]" = WeakValueDictionary()
"""The last session of each conversation that goes on in this process."""

log = structlog.get_logger(__name__)


def begins(talk: Talk, session: Session) -> None:
    """Note who holds the conversation here: a network that vanished has not ended their session yet."""
    _here[talk.conversation_id] = session


def keep(talk: Talk, answer: Playback) -> None:
    """Keep how far an answer was given out and heard; without Redis it is only not known any more."""
    try:
        playing.put(get_redis(), talk.caller.tenant_id, talk.conversation_id, _written(answer))
    except StoreUnavailable:
        log.warning("answer.not_kept", turn_id=answer.turn_id)


def answer(talk: Talk, place: Place) -> Playback | None:
    """Return the answer as it goes on from `place`; None where there was none, or it has been heard by now."""
    try:
        found = playing.take(get_redis(), talk.caller.tenant_id, talk.conversation_id)
    except StoreUnavailable:
        found = None
    if found is None:
        before = _here.get(talk.conversation_id)
        found = _written(before.answer) if before is not None and before.answer is not None else {}
    if place.turn_id:
        same = found.get("turn_id") == place.turn_id
        heard = Heard.restored(found["sentences"], place.seq, place.part) if same else None
        resumed = Playback(place.turn_id, place.seq, place.part, paced=talk.paced, heard=heard)
        if heard is not None:
            # What did not arrive any more is sent again; of the rest so much was left to be played.
            resumed.filler_ms = float(found["filler_ms"])
            resumed.played(resumed.filler_ms + float(found["played_ms"]))
        return resumed
    if not found.get("completed"):
        return None
    # All of it had gone out, and it may still be played from what the client holds.
    whole = Playback(found["turn_id"], paced=talk.paced, heard=Heard.restored(found["sentences"], MAX_SENTENCES, 0))
    whole.played(float(found["played_ms"]) + (time.time() - float(found["at"])) * 1000)
    whole.completed = True
    return None if whole.is_heard else whole


def _written(answer: Playback) -> dict[str, Any]:
    return {
        "turn_id": answer.turn_id,
        "sentences": answer.heard.as_json(),
        "completed": answer.completed,
        "played_ms": answer.played_ms,
        "filler_ms": answer.filler_ms,
        "at": time.time(),
    }
