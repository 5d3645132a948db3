"""Speaking the sentences of an answer, side by side, while it is still being written."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from pipelines.ports import Speaker
from pipelines.stores import manners, sentences, turns
from pipelines.stores.database import tenant_session
from pipelines.turn import synthesize as speech
from schemas.dialogue import Turn, TurnStatus
from schemas.errors import AuraError, Cancelled
from schemas.events import EventName
from workers import budget, turning, wiring
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
        firsts: dict[str, float] = {}
        name = ""
        try:
            speaker = wiring.speaker(tenant)
            name = speaker.name
            with (
                budget.speech(tenant, speaker, claimed.text, turn) as call,
                turning.held(tenant, lambda session: sentences.renew(session, claimed, turning.LEASE_S)),
            ):
                frames = speech.synthesize(speaker, claimed.text, manner.voice_id, manner.speed, manner.language)
                seconds = _tell(frames, speaker, of, seq, firsts, started)
                call.spent = replace(call.expected, seconds=seconds)
        except AuraError as error:
            # The text has arrived; the answer goes on without this sentence's voice.
            status = TurnStatus.FAILED
            turning.tell(EventName.TURN_AUDIO, of, seq=seq, part=0, last=True, code=error.code, detail=error.detail)
        with tenant_session(tenant, durable=False) as session:
            sentences.finish(session, claimed, status)
            stage = {**started.stage(claimed.enqueued_at), "provider": name}
            turns.add_timings(session, turn, {f"synthesize_{seq}": stage, **firsts})
    turning.complete(of)


def _tell(
    frames: Iterator[bytes], speaker: Speaker, turn: Turn, seq: int, firsts: dict[str, float], clock: Clock
) -> float:
    """Publish a sentence's sound in pieces as they become ready; the last one says so. Return its seconds."""
    cancelled = turning.cancelled(turn)
    about = {"seq": seq, "sample_rate_hz": speaker.sample_rate_hz, "encoding": "pcm16"}
    part = spoken_bytes = 0
    for part, frame in enumerate(frames, 1):
        if cancelled():
            raise Cancelled
        turning.tell(
            EventName.TURN_AUDIO, turn, **about, part=part - 1, last=False, audio=base64.b64encode(frame).decode()
        )
        # Written down with the rest at the end: somebody waits for the sound.
        firsts.setdefault(f"audio_{seq}_ms", clock.since_start_ms())
        spoken_bytes += len(frame)
    turning.tell(EventName.TURN_AUDIO, turn, **about, part=part, last=True, audio="")
    return spoken_bytes / 2 / speaker.sample_rate_hz
