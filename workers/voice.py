"""One recording transcribed, one text spoken, for a caller who waits."""

from collections.abc import Mapping
from dataclasses import asdict
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID

from pipelines.ports.sound import STT_RATE_HZ, Segment, Word
from pipelines.stores.operations import calls
from pipelines.stores.redis import get_redis
from pipelines.turn.sound import audio_out
from schemas.errors.providers import TooSlow
from schemas.errors.tree import AuraError
from schemas.errors.work import Cancelled
from workers.app import app
from workers.speech import voices as voices_of

MOST_WAITING = 128
"""Pieces that a caller may leave unfetched: some 9 MB of sound at most."""

_SLOW = BoundedSemaphore(2)
"""Callers who are waited for at a time: who talks with an assistant must not wait for who downloads slowly."""


@app.task(name="workers.voice.transcribe")
def transcribe(tenant_id: str, call_id: str) -> None:
    """Reply with the transcript of 16 kHz mono PCM16."""
    tenant, call = UUID(tenant_id), UUID(call_id)
    found = calls.asked(get_redis(), tenant, call)
    if found is None:
        return
    facts, pcm = found
    times = {name: bool(facts.get(name)) for name in ("timestamps", "words")}
    try:
        with voices_of.transcription(tenant, pcm, facts["language"], call, **times) as heard:
            transcript = heard.transcript
        reply = {
            "text": transcript.text,
            "language": transcript.language,
            "confidence": round(transcript.confidence, 3),
            "duration": round(len(pcm) / 2 / STT_RATE_HZ, 3),
            "segments": [_timed(segment) for segment in transcript.segments] if any(times.values()) else None,
            "words": [_timed(word) for word in transcript.words] if times["words"] else None,
            **heard.named,
        }
    except AuraError as error:
        reply = {"error": error.code, "detail": error.detail}
    calls.reply(get_redis(), tenant, call, reply)


@app.task(name="workers.voice.voices")
def voices(tenant_id: str, call_id: str) -> None:
    """Reply with the voices on offer, the default first."""
    try:
        reply = {"voices": [asdict(voice) for voice in voices_of.listing(UUID(tenant_id))]}
    except AuraError as error:
        reply = {"error": error.code, "detail": error.detail}
    calls.reply(get_redis(), UUID(tenant_id), UUID(call_id), reply)


@app.task(name="workers.voice.synthesize")
def synthesize(tenant_id: str, call_id: str) -> None:
    """Hand over the text's sound piece by piece, as it is spoken; the first one says its rate and who speaks."""
    tenant, call = UUID(tenant_id), UUID(call_id)
    found = calls.asked(get_redis(), tenant, call)
    if found is None:
        return
    facts, _ = found
    client = get_redis()
    # A web process of the release before asks for a text and a voice alone, and reads one reply.
    asked = (tenant, facts["text"], facts["voice_id"], facts.get("speed", 1.0), call)
    try:
        with voices_of.speech(*asked, language=facts.get("language")) as spoken:
            rate_hz = facts.get("sample_rate_hz") or min(spoken.sample_rate_hz, audio_out.RATES_HZ[1])
            encoder = audio_out.encoder(facts.get("encoding", "pcm16"), spoken.sample_rate_hz, rate_hz)
            about = {"sample_rate_hz": encoder.sample_rate_hz, **spoken.named}
            held = b""
            for frame in spoken:
                held += encoder.feed(frame)
                if held and "encoding" in facts:
                    _hand_over(tenant, call, about, held)
                    held = b""
        calls.reply(client, tenant, call, {**about, "duration": round(spoken.seconds, 3)}, held + encoder.flush())
    except AuraError as error:
        calls.reply(client, tenant, call, {"error": error.code, "detail": error.detail})


def _hand_over(tenant: UUID, call: UUID, about: Mapping[str, Any], sound: bytes) -> None:
    """Give the caller a piece. Raises Cancelled where nobody waits, TooSlow where it is not fetched."""
    client = get_redis()
    waiting = calls.say(client, tenant, call, about, sound)
    if waiting is None:
        raise Cancelled
    if waiting > MOST_WAITING:
        if not _SLOW.acquire(blocking=False):
            raise TooSlow
        try:
            if not calls.fetched(client, tenant, call, MOST_WAITING):
                raise TooSlow
        finally:
            _SLOW.release()


def _timed(part: Segment | Word) -> dict[str, Any]:
    told = {"text": part.text, "start": round(part.start_s, 3), "end": round(part.end_s, 3)}
    return told | ({"confidence": part.confidence} if isinstance(part, Word) else {})
