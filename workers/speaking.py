"""Speaking the sentences of an answer, side by side, while it is still being written."""

import base64
from uuid import UUID

from pipelines.stores import manners, sentences, turns
from pipelines.stores.database import tenant_session
from schemas.dialogue import Turn, TurnStatus
from schemas.errors import AuraError, Cancelled
from schemas.events import EventName
from workers import turning, voices
from workers.waterfall import Clock


def sentence(tenant: UUID, turn: UUID, seq: int) -> None:
    """Speak one sentence; whoever speaks the last one completes the turn."""
    with tenant_session(tenant, durable=False) as session:
        claimed = sentences.claim(session, turn, seq, turning.LEASE_S)
        of = turns.get(session, turn)
        manner = manners.of_turn(session, of)
    if claimed is not None:
        started = Clock(of)
        status = TurnStatus.COMPLETED
        by: dict[str, str] = {}
        firsts: dict[str, float] = {}
        spoken: voices.Spoken | None = None
        try:
            asked = (tenant, claimed.text, manner.voice_id, manner.speed, turn)
            with (
                turning.held(tenant, lambda session: sentences.renew(session, claimed, turning.LEASE_S)),
                voices.speech(*asked, language=manner.language, cancelled=turning.cancelled(of)) as spoken,
            ):
                by = spoken.named
                _speak(spoken, of, seq, firsts, started)
        except AuraError as error:
            # The text has arrived; the answer goes on without this sentence's voice.
            status = TurnStatus.FAILED
            part = spoken.parts if spoken is not None else 0
            turning.tell(EventName.TURN_AUDIO, of, seq=seq, part=part, last=True, code=error.code, detail=error.detail)
        with tenant_session(tenant, durable=False) as session:
            sentences.finish(session, claimed, status)
            stage = {f"synthesize_{seq}": started.stage(claimed.enqueued_at) | by}
            turns.add_timings(session, turn, stage | firsts)
    turning.complete(of)


def _speak(spoken: voices.Spoken, turn: Turn, seq: int, firsts: dict[str, float], clock: Clock) -> None:
    """Publish a sentence's sound in pieces as they become ready; the last one says so."""
    cancelled = turning.cancelled(turn)
    about = {"seq": seq, "sample_rate_hz": spoken.sample_rate_hz, "encoding": "pcm16"}
    parts = 0
    for part, frame in enumerate(spoken):
        if cancelled():
            raise Cancelled
        sound = base64.b64encode(frame).decode()
        turning.tell(EventName.TURN_AUDIO, turn, **about, **spoken.told(), part=part, last=False, audio=sound)
        # Written down with the rest at the end: somebody waits for the sound.
        firsts.setdefault(f"audio_{seq}_ms", clock.since_start_ms())
        parts = part + 1
    turning.tell(EventName.TURN_AUDIO, turn, **about, part=parts, last=True, audio="")
