"""Speech without a conversation: one recording to text, one text to speech."""

import base64
import socket
import struct
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any
from uuid import UUID, uuid4

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag

from api.door.auth import Caller, caller
from api.door.permissions import allows
from api.live.handshake import connection
from api.live.sse import STALL_S
from pipelines import providers
from pipelines.stores.events import reaching_redis
from pipelines.stores.operations import calls
from pipelines.stores.redis import get_redis
from pipelines.turn.sound import audio
from schemas.errors.requests import InvalidRequest
from schemas.errors.tree import AuraError
from schemas.errors.uploads import NoFile
from schemas.requests.dialogue.voice import (
    SpeakBody,
    Speech,
    SpeechFormat,
    TranscribeForm,
    Transcription,
    VoiceList,
    VoiceProvider,
    VoiceStatus,
    VoiceView,
    VoiceWorkers,
)
from schemas.settings import get_settings
from schemas.tables.identity import Permission
from workers import send, wiring
from workers.process.presence import live_queues
from workers.speech import voice_line

blueprint = APIBlueprint("voice", __name__, url_prefix="/api/voice", abp_tags=[Tag(name="voice")])

CALL_TIMEOUT_S = 120.0

TYPES: dict[SpeechFormat, str] = {
    "wav": "audio/wav",
    "pcm16": "audio/pcm",
    "opus": "audio/ogg",
    "mp3": "audio/mpeg",
}
JSON = "application/json"


@blueprint.get("/status", responses={200: VoiceStatus})
@allows(Permission.CHAT)
def status() -> dict[str, Any]:
    """Return whether listening and speaking are offered, by what, and whether their workers run."""
    offered = providers.offers(wiring.offering(caller().tenant_id))
    offers = [offer for offer in offered if offer.kind in ("transcriber", "speaker")]
    with reaching_redis():
        live = live_queues(get_redis())
    ready = VoiceWorkers(transcriber="transcribe" in live, speaker="synthesize" in live)
    standing = {(one["kind"], one["provider"]): one for one in voice_line.standing(caller().tenant_id)}
    return VoiceStatus(
        stt_available=ready.transcriber and _works("transcriber", standing),
        tts_available=ready.speaker and _works("speaker", standing),
        workers=ready,
        providers=[_provider(offer, standing.get((offer.kind, offer.name), {})) for offer in offers],
    ).model_dump(mode="json")


@blueprint.get("/voices", responses={200: VoiceList})
@allows(Permission.CHAT)
def voices() -> dict[str, Any]:
    """Return the voices that can be asked for, the default first."""
    facts, _ = _call(caller(), "voices", {})
    return VoiceList(voices=[VoiceView(**voice) for voice in facts["voices"]]).model_dump(mode="json")


@blueprint.post("/transcribe", responses={200: Transcription})
@allows(Permission.CHAT)
def transcribe() -> dict[str, Any]:
    """Turn a recording (form field `file` or `audio`) into text.

    WAV (PCM, float, µ-law, A-law), FLAC, MP3, M4A, OGG or WEBM, mono or not, at any rate.
    """
    asking = caller()
    form = TranscribeForm.model_validate(request.form.to_dict())
    file = request.files.get("file") or request.files.get("audio")
    if file is None:
        raise NoFile("The request carries no recording. Send it as the form field `file`.")
    sound = audio.decode(file.stream.read(), get_settings().max_decoded_audio_s)
    asked = {"language": form.language or None, "words": form.words, "timestamps": form.segments}
    facts, _ = _call(asking, "transcribe", asked, audio.pcm16(sound.samples))
    return Transcription(**facts).model_dump(mode="json")


@blueprint.post("/synthesize", responses={200: Speech})
@allows(Permission.CHAT)
def synthesize() -> Any:
    """Turn `text` (JSON or form) into speech.

    Answers JSON with base64 WAV. With `format`, or where `Accept` asks for audio/wav, audio/pcm, audio/ogg or
    audio/mpeg, it answers the sound itself, and sends it while it is spoken; a WAV, which says its length first, only
    with `stream`. A sound that breaks off ends its response early.
    """
    asking = caller()
    body = SpeakBody.model_validate(_fields())
    kind, as_json = _wanted(body.format)
    asked = {name: getattr(body, name) for name in ("text", "voice_id", "speed", "language", "sample_rate_hz")}
    call_id = _asked(asking, "synthesize", asked | {"encoding": "pcm16" if kind == "wav" else kind})
    pieces = calls.results(get_redis(), asking.tenant_id, call_id, CALL_TIMEOUT_S)
    first = _checked(next(pieces))
    rate_hz = int(first[0]["sample_rate_hz"])
    if not as_json and (kind != "wav" or body.stream):
        return _streamed(kind, rate_hz, chain([first], map(_checked, pieces)), pieces)
    whole = [first, *map(_checked, pieces)]
    last, sound = whole[-1][0], b"".join(piece for _, piece in whole)
    data = audio.wav(sound, rate_hz) if kind == "wav" else sound
    if not as_json:
        return Response(data, content_type=TYPES[kind])
    return Speech(
        audio=base64.b64encode(data).decode(),
        content_type=TYPES[kind],
        sample_rate_hz=rate_hz,
        characters=len(body.text),
        duration=last["duration"],
        provider=last["provider"],
    ).model_dump(mode="json")


def _wanted(asked: SpeechFormat | None) -> tuple[SpeechFormat, bool]:
    """Return the format of the sound, and whether it is to come in JSON."""
    accepted = request.accept_mimetypes
    if asked is not None:
        return asked, accepted.best_match([TYPES[asked], JSON]) == JSON
    found = accepted.best_match([JSON, *TYPES.values()]) or JSON
    return next((kind for kind, name in TYPES.items() if name == found), "wav"), found == JSON


def _streamed(
    kind: SpeechFormat, rate_hz: int, pieces: Iterator[tuple[dict[str, Any], bytes]], source: Any
) -> Response:
    """Return the response that sends each piece as it comes. Where the listener is gone or stalls, nobody speaks on."""
    client = connection(request)
    if client is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", STALL_S, 0))
    head = [audio.wav_head(rate_hz)] if kind == "wav" else []
    name = TYPES[kind] + (f"; rate={rate_hz}; channels=1" if kind == "pcm16" else "")
    response = Response(chain(head, (sound for _, sound in pieces)), content_type=name)
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(source.close)
    return response


def _provider(offer: Any, standing: dict[str, Any]) -> VoiceProvider:
    found = VoiceProvider.model_validate(offer, from_attributes=True)
    return found.model_copy(update={"state": standing.get("state"), "latency_ms": standing.get("first_ms")})


def _fields() -> dict[str, Any]:
    if not request.is_json:
        return request.form.to_dict()
    found = request.get_json()
    if not isinstance(found, dict):
        raise InvalidRequest("The body must be an object.")
    return found


def _call(asking: Caller, task: str, facts: dict[str, Any], body: bytes = b"") -> tuple[dict[str, Any], bytes]:
    """Have a voice worker do `task` and return its reply. Raises the error it ended with."""
    call_id = _asked(asking, task, facts, body)
    return _checked(calls.result(get_redis(), asking.tenant_id, call_id, CALL_TIMEOUT_S))


def _asked(asking: Caller, task: str, facts: dict[str, Any], body: bytes = b"") -> UUID:
    call_id = uuid4()
    calls.ask(get_redis(), asking.tenant_id, call_id, facts, body)
    send.voice_call(task, asking.tenant_id, call_id)
    return call_id


def _checked(reply: tuple[dict[str, Any], bytes]) -> tuple[dict[str, Any], bytes]:
    """Return a reply. Raises the error that it tells of."""
    if "error" in reply[0]:
        raise AuraError.by_code(reply[0]["error"], reply[0]["detail"])
    return reply


def _works(kind: str, standing: Mapping[tuple[str, str], Mapping[str, Any]]) -> bool:
    """Return whether anybody that may do it is not known to fail."""
    return any(one["state"] != "open" for (does, _), one in standing.items() if does == kind)
