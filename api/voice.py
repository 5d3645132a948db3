"""Speech without a conversation: one recording to text, one text to speech."""

import base64
from typing import Any
from uuid import uuid4

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag

from api.auth import Caller, caller
from api.permissions import allows
from pipelines import providers
from pipelines.stores import calls
from pipelines.stores.events import reaching_redis
from pipelines.stores.redis import get_redis
from pipelines.turn import audio
from schemas.errors import AuraError, InvalidRequest, NoFile
from schemas.identity import Permission
from schemas.settings import get_settings
from schemas.voice_requests import (
    SpeakBody,
    Speech,
    TranscribeForm,
    Transcription,
    VoiceList,
    VoiceProvider,
    VoiceStatus,
    VoiceView,
    VoiceWorkers,
)
from workers import send, wiring
from workers.presence import live_queues

blueprint = APIBlueprint("voice", __name__, url_prefix="/api/voice", abp_tags=[Tag(name="voice")])

CALL_TIMEOUT_S = 120.0


@blueprint.get("/status", responses={200: VoiceStatus})
@allows(Permission.CHAT)
def status() -> dict[str, Any]:
    """Return whether listening and speaking are offered, by what, and whether their workers run."""
    offered = providers.offers(wiring.offering(caller().tenant_id))
    offers = [offer for offer in offered if offer.kind in ("transcriber", "speaker")]
    with reaching_redis():
        live = live_queues(get_redis())
    ready = VoiceWorkers(transcriber="transcribe" in live, speaker="synthesize" in live)
    chosen = {offer.kind: offer for offer in offers if offer.chosen}
    return VoiceStatus(
        stt_available=_works(chosen.get("transcriber"), ready.transcriber),
        tts_available=_works(chosen.get("speaker"), ready.speaker),
        workers=ready,
        providers=[VoiceProvider.model_validate(offer, from_attributes=True) for offer in offers],
    ).model_dump(mode="json")


@blueprint.get("/voices", responses={200: VoiceList})
@allows(Permission.CHAT)
def voices() -> dict[str, Any]:
    """Return the voices of the chosen speaker, the default first."""
    facts, _ = _call(caller(), "voices", {})
    return VoiceList(voices=[VoiceView(**voice) for voice in facts["voices"]]).model_dump(mode="json")


@blueprint.post("/transcribe", responses={200: Transcription})
@allows(Permission.CHAT)
def transcribe() -> dict[str, Any]:
    """Turn a recording (form field `file` or `audio`; optional `language`) into text.

    WAV, FLAC, MP3, M4A, OGG or WEBM, mono or not, at any rate.
    """
    asking = caller()
    form = TranscribeForm.model_validate(request.form.to_dict())
    file = request.files.get("file") or request.files.get("audio")
    if file is None:
        raise NoFile("The request carries no recording. Send it as the form field `file`.")
    sound = audio.decode(file.stream.read(), get_settings().max_decoded_audio_s)
    facts, _ = _call(asking, "transcribe", {"language": form.language or None}, audio.pcm16(sound.samples))
    return Transcription(**facts).model_dump(mode="json")


@blueprint.post("/synthesize", responses={200: Speech})
@allows(Permission.CHAT)
def synthesize() -> Any:
    """Turn `text` (JSON or form; optional `voice_id`) into speech.

    Answers JSON with base64 WAV, or the WAV itself where `Accept: audio/wav` asks for it.
    """
    asking = caller()
    body = SpeakBody.model_validate(_fields())
    facts, pcm = _call(asking, "synthesize", {"text": body.text, "voice_id": body.voice_id})
    rate_hz = int(facts["sample_rate_hz"])
    sound = audio.wav(pcm, rate_hz)
    if request.accept_mimetypes.best_match(["application/json", "audio/wav"]) == "audio/wav":
        return Response(sound, content_type="audio/wav")
    return Speech(
        audio=base64.b64encode(sound).decode(),
        sample_rate_hz=rate_hz,
        characters=len(body.text),
        duration=round(len(pcm) / 2 / rate_hz, 3),
        provider=facts["provider"],
    ).model_dump(mode="json")


def _fields() -> dict[str, Any]:
    if not request.is_json:
        return request.form.to_dict()
    found = request.get_json()
    if not isinstance(found, dict):
        raise InvalidRequest("The body must be an object.")
    return found


def _call(asking: Caller, task: str, facts: dict[str, Any], body: bytes = b"") -> tuple[dict[str, Any], bytes]:
    """Have a voice worker do `task` and return its reply. Raises the error it ended with."""
    call_id = uuid4()
    calls.ask(get_redis(), asking.tenant_id, call_id, facts, body)
    send.voice_call(task, asking.tenant_id, call_id)
    reply, sound = calls.result(get_redis(), asking.tenant_id, call_id, CALL_TIMEOUT_S)
    if "error" in reply:
        raise AuraError.by_code(reply["error"], reply["detail"])
    return reply, sound


def _works(offer: Any, ready: bool) -> bool:
    return offer is not None and offer.offered and ready
