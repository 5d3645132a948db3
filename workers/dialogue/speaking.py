"""Speaking the sentences of an answer, side by side, while it is still being written."""

import base64
from contextlib import suppress
from uuid import UUID

from pipelines.stores.turns import sentences
from schemas.errors.providers import NotSpoken
from schemas.errors.tree import AuraError
from schemas.errors.work import Cancelled, LeaseLost
from schemas.events import EventName
from schemas.tables.dialogue import Turn, TurnStatus
from workers.dialogue import turning
from workers.dialogue.waterfall import Clock
from workers.speech import voices


def sentence(tenant: UUID, turn: UUID, seq: int) -> None:
    """Speak one sentence; whoever speaks the last one completes the turn."""
    taken = turning.take_sentence(tenant, turn, seq)
    if taken is None:
        return
    of, said, manner = taken.turn, taken.sentence, taken.manner
    started = Clock(of)
    status = TurnStatus.COMPLETED
    by: dict[str, str] = {}
    firsts: dict[str, float] = {}
    spoken: voices.Spoken | None = None
    try:
        if said.status == TurnStatus.FAILED:
            raise NotSpoken("The sentence could not be spoken: its worker stopped repeatedly.")
        asked = (tenant, said.text, manner.voice_id, manner.speed, turn)
        with (
            turning.held(tenant, lambda driver: sentences.renew(driver, said, turning.LEASE_S)),
            voices.speech(*asked, language=manner.language, cancelled=turning.cancelled(of)) as spoken,
        ):
            by = spoken.named
            _speak(spoken, of, seq, firsts, started)
    except AuraError as error:
        # The text has arrived; the answer goes on without this sentence's voice.
        status = TurnStatus.FAILED
        part = spoken.parts if spoken is not None else 0
        turning.tell(EventName.TURN_AUDIO, of, seq=seq, part=part, last=True, code=error.code, detail=error.detail)
    # Where it was cancelled, or taken over, its turn goes on without us.
    with suppress(LeaseLost):
        turning.finish_sentence(said, status, {f"synthesize_{seq}": started.stage(said.enqueued_at) | by, **firsts})


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
        if seq == 0:
            firsts.setdefault("first_audio_ms", firsts["audio_0_ms"])
        parts = part + 1
    turning.tell(EventName.TURN_AUDIO, turn, **about, part=parts, last=True, audio="")
