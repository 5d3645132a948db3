"""What somebody has said so far, transcribed while they go on speaking. It may be late or left out; a turn may not.

A pool of its own, of a lower priority than those of turns: the model that runs here hears partial utterances on one
thread, one at a time, and says at once that it is busy with another. Who asks then asks again, with more sound.
"""

import threading
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np

from pipelines.ports.sound import STT_RATE_HZ, Audio, Transcriber
from pipelines.providers import weights
from pipelines.providers.local.whisper import Whisper
from pipelines.stores.operations import calls
from pipelines.stores.redis import get_redis
from schemas.errors.tree import AuraError
from schemas.settings import get_settings
from workers import wiring
from workers.app import app
from workers.spending import budget

BUSY = {"busy": True}
"""The reply to who asks while the model here listens to somebody else."""

_here = threading.Lock()


@app.task(name="workers.partials.transcribe")
def transcribe(tenant_id: str, call_id: str) -> None:
    """Reply with the transcript of 16 kHz mono PCM16, empty where nothing is said."""
    tenant, call = UUID(tenant_id), UUID(call_id)
    found = calls.asked(get_redis(), tenant, call)
    if found is None:
        return
    facts, pcm = found
    try:
        reply = _heard(tenant, call, pcm, facts)
    except AuraError as error:
        reply = {"error": error.code, "detail": error.detail}
    calls.reply(get_redis(), tenant, call, reply)


def _heard(tenant: UUID, call: UUID, pcm: bytes, facts: dict[str, Any]) -> dict[str, Any]:
    transcriber = wiring.transcriber(tenant)
    if transcriber.name != "local":
        return _transcribed(transcriber, tenant, call, pcm, facts)
    if not _here.acquire(blocking=False):
        return BUSY
    try:
        return _transcribed(_own(), tenant, call, pcm, facts)
    finally:
        _here.release()


def _transcribed(
    transcriber: Transcriber, tenant: UUID, call: UUID, pcm: bytes, facts: dict[str, Any]
) -> dict[str, Any]:
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32) / np.float32(32768)
    with budget.transcription(tenant, transcriber, len(samples) / STT_RATE_HZ, call):
        found = transcriber.transcribe(Audio(samples, STT_RATE_HZ), facts["language"], timestamps=facts["timestamps"])
    segments = [[segment.start_s, segment.end_s, segment.text] for segment in found.segments]
    return {"text": found.text, "language": found.language, "segments": segments}


@lru_cache
def _own() -> Whisper:
    """Return the model, loaded when it is first asked for: on one thread it leaves the others to turns."""
    return Whisper(weights.folder(get_settings()), threads=1)
