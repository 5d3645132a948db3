"""One recording transcribed, one text spoken, for a caller who waits."""

from dataclasses import asdict
from uuid import UUID

from pipelines.ports import STT_RATE_HZ
from pipelines.stores import calls
from pipelines.stores.redis import get_redis
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
    try:
        with voices_of.transcription(tenant, pcm, facts["language"], call) as heard:
            transcript = heard.transcript
        reply = {
            "text": transcript.text,
            "language": transcript.language,
            "confidence": round(transcript.confidence, 3),
            "duration": round(len(pcm) / 2 / STT_RATE_HZ, 3),
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
    """Reply with the text's sound, PCM16 mono."""
    tenant, call = UUID(tenant_id), UUID(call_id)
    found = calls.asked(get_redis(), tenant, call)
    if found is None:
        return
    facts, _ = found
    try:
        with voices_of.speech(tenant, facts["text"], facts["voice_id"], 1.0, call) as spoken:
            pcm = b"".join(spoken)
        reply = {"sample_rate_hz": spoken.sample_rate_hz, "provider": spoken.provider}
    except AuraError as error:
        pcm, reply = b"", {"error": error.code, "detail": error.detail}
    calls.reply(get_redis(), tenant, call, reply, pcm)
