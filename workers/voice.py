"""One recording transcribed, one text spoken, for a caller who waits."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from pipelines.ports import STT_RATE_HZ, Segment, Word
from pipelines.stores import calls
from pipelines.stores.redis import get_redis
from pipelines.turn import audio_out
from schemas.errors import AuraError
from workers import voices as voices_of
from workers.app import app


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
    # A web process of the release before asks for a text and a voice alone.
    asked = (tenant, facts["text"], facts["voice_id"], facts.get("speed", 1.0), call)
    try:
        with voices_of.speech(*asked, language=facts.get("language")) as spoken:
            rate_hz = facts.get("sample_rate_hz") or min(spoken.sample_rate_hz, audio_out.RATES_HZ[1])
            encoder = audio_out.encoder(facts.get("encoding", "pcm16"), spoken.sample_rate_hz, rate_hz)
            about = {"sample_rate_hz": encoder.sample_rate_hz, **spoken.named}
            for frame in spoken:
                if (sound := encoder.feed(frame)) and not calls.say(client, tenant, call, about, sound):
                    return
        calls.reply(client, tenant, call, {**about, "duration": round(spoken.seconds, 3)}, encoder.flush())
    except AuraError as error:
        calls.reply(client, tenant, call, {"error": error.code, "detail": error.detail})


def _timed(part: Segment | Word) -> dict[str, Any]:
    told = {"text": part.text, "start": round(part.start_s, 3), "end": round(part.end_s, 3)}
    return told | ({"confidence": part.confidence} if isinstance(part, Word) else {})
