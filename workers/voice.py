"""One recording transcribed, one text spoken, for a caller who waits."""

from dataclasses import asdict, replace
from uuid import UUID

from pipelines.ports import STT_RATE_HZ
from pipelines.stores import calls
from pipelines.stores.redis import get_redis
from pipelines.turn import synthesize as speech
from pipelines.turn import transcribe as recognition
from schemas.errors import AuraError
from workers import budget, wiring
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
        transcriber = wiring.transcriber(tenant)
        with budget.transcription(tenant, transcriber, len(pcm) / 2 / STT_RATE_HZ, call):
            transcript = recognition.transcribe(transcriber, pcm, facts["language"])
        reply = {
            "text": transcript.text,
            "language": transcript.language,
            "confidence": round(transcript.confidence, 3),
            "duration": round(len(pcm) / 2 / STT_RATE_HZ, 3),
            "provider": transcriber.name,
            "model": transcriber.model,
        }
    except AuraError as error:
        reply = {"error": error.code, "detail": error.detail}
    calls.reply(get_redis(), tenant, call, reply)


@app.task(name="workers.voice.voices")
def voices(tenant_id: str, call_id: str) -> None:
    """Reply with the voices on offer, the default first."""
    try:
        reply = {"voices": [asdict(voice) for voice in wiring.speaker(UUID(tenant_id)).voices()]}
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
        speaker = wiring.speaker(tenant)
        with budget.speech(tenant, speaker, facts["text"], call) as held:
            pcm = b"".join(speech.synthesize(speaker, facts["text"], facts["voice_id"]))
            held.spent = replace(held.expected, seconds=len(pcm) / 2 / speaker.sample_rate_hz)
        reply = {"sample_rate_hz": speaker.sample_rate_hz, "provider": speaker.name}
    except AuraError as error:
        pcm, reply = b"", {"error": error.code, "detail": error.detail}
    calls.reply(get_redis(), tenant, call, reply, pcm)
