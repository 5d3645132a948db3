"""Speech over HTTP, with a real web process, a real worker and the models that run here."""

import base64
import io
import os
import time
import wave
from collections.abc import Iterator
from typing import Any

import httpx
import jiwer
import pytest

from deploy.ephemeral import wait_until
from pipelines.turn.sound.audio import decode
from pipelines.turn.sound.audio_out import encoder
from schemas.settings import get_settings
from tests.integration.reindex.stacks import ROOT, Stack
from tests.unit.turn.recordings import raw_wav

TEXT = "Your bicycle will be ready on Friday. Please bring the receipt with you."
pytestmark = pytest.mark.timeout(800)  # Two models are loaded first, on whatever machine.
TYPES = {"wav": "audio/wav", "pcm16": "audio/pcm", "opus": "audio/ogg", "mp3": "audio/mpeg"}


@pytest.fixture(scope="module")
def stack(servers: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Yield a web process and one worker that listens and speaks."""
    pytest.importorskip("piper", reason="needs the `piper` extra")
    folder = tmp_path_factory.mktemp("speech")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        get_settings.cache_clear()
        transport = httpx.HTTPTransport(uds=str(folder / "web"))
        with httpx.Client(transport=transport, base_url="http://localhost", timeout=90) as client:
            found = Stack(client, folder, {**os.environ}, servers[2])
            web = ["-m", "gunicorn", "--worker-class", "gthread", "--threads", "8", "--bind", f"unix:{folder}/web"]
            try:
                found.start([*web, "api:create_app()"])
                found.start_workers("transcribe,synthesize")
                wait_until((folder / "web").exists, 60, "the web process listens")
                yield found
            finally:
                for process in found.running:
                    process.kill()
                for process in found.running:
                    process.wait(30)
    get_settings.cache_clear()


@pytest.fixture(scope="module")
def said(stack: Stack) -> bytes:
    """Return TEXT spoken, mono PCM16 at 16 kHz."""
    answer = stack.client.post(
        "/api/voice/synthesize", json={"text": TEXT, "format": "pcm16", "sample_rate_hz": 16_000}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "audio/pcm; rate=16000; channels=1"
    assert 2 < len(answer.content) / 2 / 16_000 < 8
    return answer.content


def plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter == " ")


def transcribed(stack: Stack, recording: bytes, **fields: str) -> dict[str, Any]:
    answer = stack.client.post("/api/voice/transcribe", files={"file": ("a", recording)}, data=fields)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("kind", ["wav", "opus", "mp3"])
def test_what_is_spoken_in_any_format_is_what_is_heard(kind: str, stack: Stack) -> None:
    body = {"text": TEXT, "format": kind, "sample_rate_hz": 24_000}
    answer = stack.client.post("/api/voice/synthesize", json=body)
    assert answer.headers["Content-Type"] == TYPES[kind]
    found = transcribed(stack, answer.content, words="true")
    assert jiwer.wer(plain(TEXT), plain(found["text"])) <= 0.1
    assert found["success"]
    assert found["language"] == "en"
    assert 0.5 < found["confidence"] <= 1
    assert " ".join(word["text"] for word in found["words"]) == found["text"]
    assert all(0 <= word["start"] <= word["end"] <= found["duration"] for word in found["words"])
    assert len(found["segments"]) == 2


@pytest.mark.parametrize("law", [("mulaw", 7), ("pcm16", 1)], ids=["mulaw", "pcm"])
def test_a_telephones_recording_is_heard(law: tuple[str, int], said: bytes, stack: Stack) -> None:
    made = encoder(law[0], 16_000, 8_000)
    recording = raw_wav(made.feed(said) + made.flush(), code=law[1], rate_hz=8_000, bits=8 if law[0] == "mulaw" else 16)
    found = transcribed(stack, recording, language="en", segments="true")
    assert jiwer.wer(plain(TEXT), plain(found["text"])) <= 0.2
    assert [segment["text"] for segment in found["segments"]]
    assert found["words"] is None


def test_the_first_sound_leaves_before_the_last_sentence_is_spoken(stack: Stack) -> None:
    body = {"text": " ".join([TEXT] * 4), "format": "mp3"}
    began = time.monotonic()
    arrived: list[float] = []
    with stack.client.stream("POST", "/api/voice/synthesize", json=body) as answer:
        arrived += (time.monotonic() - began for _ in answer.iter_raw())
    assert len(arrived) > 10
    assert arrived[0] < 0.35 * arrived[-1]


def test_a_wav_is_whole_unless_it_is_to_stream(stack: Stack) -> None:
    body = {"text": "Good morning.", "format": "wav"}
    whole = stack.client.post("/api/voice/synthesize", json=body).content
    with wave.open(io.BytesIO(whole)) as sound:
        assert len(whole) == 44 + 2 * sound.getnframes()
    streamed = stack.client.post("/api/voice/synthesize", json={**body, "stream": True}).content
    assert streamed[4:8] == streamed[40:44] == b"\xff\xff\xff\xff"
    assert decode(streamed, 60).duration_s == pytest.approx(decode(whole, 60).duration_s, abs=0.5)


@pytest.mark.parametrize(
    ("accept", "kind"), [("audio/mpeg", "mp3"), ("audio/ogg, audio/wav;q=0.5", "opus"), ("audio/wav", "wav")]
)
def test_accept_asks_for_a_format_too(accept: str, kind: str, stack: Stack) -> None:
    answer = stack.client.post("/api/voice/synthesize", json={"text": "Hi."}, headers={"Accept": accept})
    assert answer.headers["Content-Type"] == TYPES[kind]
    assert decode(answer.content, 60).duration_s > 0.2


def test_reference_clients_get_json(stack: Stack) -> None:
    found = stack.client.post("/voice/synthesize", data={"text": "Good morning."}).json()
    assert (found["success"], found["characters"], found["content_type"]) == (True, 13, "audio/wav")
    with wave.open(io.BytesIO(base64.b64decode(found["audio"]))) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(found["duration"], abs=0.01)
    body = {"text": "Good morning.", "format": "opus"}
    found = stack.client.post("/voice/synthesize", json=body, headers={"Accept": "application/json"}).json()
    assert found["content_type"] == "audio/ogg"
    assert decode(base64.b64decode(found["audio"]), 60).duration_s == pytest.approx(found["duration"], abs=0.1)


def test_it_speaks_faster_where_that_is_asked_for(stack: Stack, said: bytes) -> None:
    body = {"text": TEXT, "format": "pcm16", "sample_rate_hz": 16_000, "speed": 1.6}
    fast = stack.client.post("/api/voice/synthesize", json=body).content
    assert len(fast) / len(said) == pytest.approx(1 / 1.6, rel=0.2)


def test_what_cannot_be_said_is_no_sound(stack: Stack) -> None:
    found = stack.client.post("/api/voice/synthesize", json={"text": "😀 [1]"}).json()
    assert found["duration"] == 0
    assert stack.client.post("/api/voice/synthesize", json={"text": "😀", "format": "pcm16"}).content == b""


@pytest.mark.parametrize(
    "fields",
    [{"text": ""}, {"format": "flac"}, {"sample_rate_hz": 100}, {"speed": 9}, {"language": "no language"}],
)
def test_what_is_not_offered_is_refused_by_name(fields: dict[str, Any], stack: Stack) -> None:
    answer = stack.client.post("/api/voice/synthesize", json={"text": "Hi.", **fields})
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_request"
    assert next(iter(fields)) in answer.json()["detail"]


@pytest.mark.parametrize(
    ("recording", "code"),
    [(b"no recording at all", "undecodable_audio"), (raw_wav(bytes(32_000)), "no_speech")],
    ids=["text", "silence"],
)
def test_what_cannot_be_heard_says_why(recording: bytes, code: str, stack: Stack) -> None:
    answer = stack.client.post("/api/voice/transcribe", files={"file": ("a.wav", recording)})
    assert answer.json()["code"] == code
    assert 400 <= answer.status_code < 500


def test_the_status_tells_how_each_provider_does(stack: Stack) -> None:
    found = stack.client.get("/voice/status").json()
    assert (found["stt_available"], found["tts_available"]) == (True, True)
    by_kind = {one["kind"]: one for one in found["providers"] if one["chosen"]}
    assert {kind: one["state"] for kind, one in by_kind.items()} == {"transcriber": "closed", "speaker": "closed"}
    assert all("latency_ms" in one for one in found["providers"])
    voices = stack.client.get("/voice/voices").json()["voices"]
    assert voices[0]["voice_id"] == "joe"


def test_all_of_it_is_documented_with_examples(stack: Stack) -> None:
    document = stack.client.get("/openapi.json").json()
    spoken = document["paths"]["/api/voice/synthesize"]["post"]["responses"]["200"]["content"]
    assert set(TYPES.values()) < set(spoken)
    schemas = document["components"]["schemas"]
    assert all(schemas[name]["examples"] for name in ("SpeakBody", "Transcription", "VoiceList"))
    form = document["paths"]["/api/voice/transcribe"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert {"file", "language", "words", "segments"} <= set(form["schema"]["properties"])
