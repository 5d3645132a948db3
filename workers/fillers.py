"""A filler, said where the first sentence of an answer is late. Off unless the assistant is set to it."""

import base64
import time
from functools import lru_cache
from uuid import UUID

from pipelines.stores.database import driver_of, tenant_session
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import cancellations, manners, sentences, turns
from pipelines.turn.speaking import synthesize as speech
from pipelines.turn.speaking.fillers import SEQ, filler
from pipelines.turn.speaking.voices import Manner
from schemas.errors.tree import Permanent, Transient
from schemas.events import EventName
from schemas.tables.dialogue import Turn, TurnStatus
from workers.app import app
from workers.dialogue import turning
from workers.speech import voices

MAX_KEPT = 64
"""Fillers whose sound a process keeps, about 100 KB each."""

KEPT_S = 600
"""For how long a sound is kept: then who speaks now, or with which key, has its say."""

MAX_BYTES = 512_000
"""Of the sound of one filler; at 24 kHz about ten seconds."""


@app.task(name="workers.fillers.say")
def say(tenant_id: str, turn_id: str) -> None:
    """Say a filler in a turn that has no sentence yet; nothing where it has, or is over, or its assistant says none."""
    tenant, turn = UUID(tenant_id), UUID(turn_id)
    with tenant_session(tenant, durable=False) as session:
        of = turns.get(session, turn)
        agent = turns.agent(session, of.assistant_key)
        if agent.filler_after_ms is None or not _is_waiting(of) or sentences.count(session, turn):
            return
        manner = manners.found(manners.of_turn(driver_of(session), tenant, turn), of)
        text = filler(agent.fillers, manner.language, turn)
    if text is None:
        return
    try:
        rate_hz, pcm = _sound(tenant, text, manner, int(time.monotonic() // KEPT_S))
    except (Permanent, Transient):
        # Whether the voice works is told by the answer itself.
        return
    with tenant_session(tenant, durable=False) as session:
        if sentences.count(session, turn) or cancellations.requested(get_redis(), tenant, turn):
            return
    about = {"seq": SEQ, "filler": True, "sample_rate_hz": rate_hz, "encoding": "pcm16"}
    step = speech.portion_bytes(rate_hz)
    for part, start in enumerate(range(0, len(pcm), step)):
        frame = base64.b64encode(pcm[start : start + step]).decode()
        turning.tell(EventName.TURN_AUDIO, of, **about, part=part, last=start + step >= len(pcm), audio=frame)


def _is_waiting(turn: Turn) -> bool:
    is_open = turn.status in (TurnStatus.QUEUED, TurnStatus.RUNNING)
    return turn.spoken and turn.answer is None and turn.confirmed_at is not None and is_open


@lru_cache(maxsize=MAX_KEPT)
def _sound(tenant: UUID, text: str, manner: Manner, _at: int) -> tuple[int, bytes]:
    """Return the rate and the sound; it is made once in a while for each tenant and voice."""
    pcm = bytearray()
    with voices.speech(tenant, text, manner.voice_id, manner.speed, tenant, language=manner.language) as spoken:
        for frame in spoken:
            pcm += frame
            if len(pcm) > MAX_BYTES:
                break
    return spoken.sample_rate_hz, bytes(pcm)
