"""Speaking the sentences of an answer, side by side, while it is still being written."""

import base64
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from pipelines.ports import Speaker
from pipelines.stores import sentences
from pipelines.turn import synthesize as speech
from schemas.dialogue import Turn, TurnStatus
from schemas.errors import AuraError, Cancelled, LeaseLost, ProviderUnavailable
from schemas.events import EventName
from workers import budget, turning, wiring
from workers.waterfall import Clock


def sentence(tenant: UUID, turn: UUID, seq: int) -> None:
    """Speak one sentence; whoever speaks the last one completes the turn."""
    claimed = turning.take_sentence(tenant, turn, seq)
    if claimed is None:
        return
    of, said, started = claimed.turn, claimed.sentence, Clock(claimed.turn)
    status, firsts, provider = TurnStatus.COMPLETED, dict[str, float](), ""
    try:
        if claimed.given_up:
            raise ProviderUnavailable("The sentence could not be spoken: its worker stopped repeatedly.")
        speaker = wiring.speaker(tenant)
        provider = speaker.name
        with (
            budget.speech(tenant, speaker, said.text, turn) as call,
            turning.held(tenant, lambda driver: sentences.renew(driver, said, turning.LEASE_S)),
        ):
            seconds = _speak(speaker, of, seq, said.text, claimed.voice_id, started, firsts)
            call.spent = replace(call.expected, seconds=seconds)
    except AuraError as error:
        # The text has arrived; the answer goes on without this sentence's voice.
        status = TurnStatus.FAILED
        turning.tell(EventName.TURN_AUDIO, of, seq=seq, part=0, last=True, code=error.code, detail=error.detail)
    stage = {**started.stage(said.enqueued_at), "provider": provider}
    with suppress(LeaseLost):
        turning.finish_sentence(said, status, {f"synthesize_{seq}": stage, **firsts})


def _speak(
    speaker: Speaker, turn: Turn, seq: int, text: str, voice_id: str | None, clock: Clock, firsts: dict[str, float]
) -> float:
    """Publish a sentence's sound in pieces as they become ready; the last one says so. Return its seconds."""
    cancelled = turning.cancelled(turn)
    about = {"seq": seq, "sample_rate_hz": speaker.sample_rate_hz, "encoding": "pcm16"}
    part, spoken_bytes = 0, 0
    for part, frame in enumerate(speech.synthesize(speaker, text, voice_id)):
        if cancelled():
            raise Cancelled
        spoken_bytes += len(frame)
        turning.tell(EventName.TURN_AUDIO, turn, **about, part=part, last=False, audio=base64.b64encode(frame).decode())
        if part == 0:
            at_ms = clock.since_start_ms()
            firsts |= {f"audio_{seq}_ms": at_ms, **({"first_audio_ms": at_ms} if seq == 0 else {})}
    turning.tell(EventName.TURN_AUDIO, turn, **about, part=part + 1, last=True, audio="")
    return spoken_bytes / 2 / speaker.sample_rate_hz
