"""Bad input is refused in a sentence with a stable code, and harms nothing else: no worker dies of it."""

import io
import wave
import zipfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import pytest

from deploy.ephemeral import Stack
from deploy.places import REPO

SAMPLE_PDF = (REPO / "docs" / "samples" / "price-list.pdf").read_bytes()


@pytest.fixture(autouse=True)
def survivors(stack: Stack) -> Iterator[None]:
    """Fail the test if a worker process is another one afterwards than before."""
    before = {process.pid for process in stack.workers()}
    yield
    assert {process.pid for process in stack.workers()} == before


def problem(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["Content-Type"] == "application/problem+json", response.text[:300]
    body = response.json()
    assert body["detail"]
    assert body["trace_id"]
    return response.status_code, str(body["code"])


def zip_bomb() -> bytes:
    """Return a DOCX of some 200 kB whose text has 200 MB."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w", force_zip64=True) as member:
            for _ in range(200):
                member.write(bytes(1 << 20))
    return packed.getvalue()


def test_a_truncated_pdf_is_damaged(stack: Stack) -> None:
    response = stack.upload("cut.pdf", SAMPLE_PDF[: len(SAMPLE_PDF) // 3], wait_s=60)
    assert problem(response) == (422, "damaged")


def test_a_pdf_with_a_password_says_so(stack: Stack, shared_data: Path) -> None:
    response = stack.upload("password.pdf", (shared_data / "documents" / "password.pdf").read_bytes(), wait_s=60)
    assert problem(response) == (422, "encrypted")
    listed = stack.client.get("/api/documents").json()["documents"]
    found = next(view for view in listed if view["filename"] == "password.pdf")
    assert (found["status"], found["code"]) == ("failed", "encrypted")


def test_a_zip_bomb_is_not_unpacked(stack: Stack) -> None:
    assert problem(stack.upload("bomb.docx", zip_bomb(), wait_s=60)) == (422, "unpacks_too_large")


def test_a_text_of_nothing_but_spaces_has_no_text(stack: Stack) -> None:
    assert problem(stack.upload("spaces.txt", b" \n" * 50, wait_s=60)) == (422, "no_text")


def test_a_file_of_200_mb_is_refused_with_an_answer(stack: Stack) -> None:
    assert problem(stack.upload("big.txt", b"x" * (200 << 20))) == (413, "file_too_large")


def test_after_all_that_a_good_file_is_read(stack: Stack) -> None:
    response = stack.upload("good.txt", f"The lighthouse {uuid4()} was built in 1874.".encode(), wait_s=60)
    assert response.status_code == 200
    assert response.json()["document"]["chunks"] == 1


def wav(samples: np.ndarray, rate_hz: int = 16_000, channels: int = 1) -> bytes:
    packed = io.BytesIO()
    with wave.open(packed, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate_hz)
        sound.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return packed.getvalue()


def transcribe(stack: Stack, sound: bytes) -> httpx.Response:
    return stack.client.post("/api/voice/transcribe", files={"file": ("sound.wav", sound)})


def test_silence_and_noise_say_nothing(stack: Stack) -> None:
    noise = np.random.default_rng(0).normal(scale=0.1, size=3 * 16_000)
    for sound in (np.zeros(3 * 16_000), noise):
        assert problem(transcribe(stack, wav(sound))) == (422, "no_speech")


def test_an_empty_recording_and_no_recording_are_told_apart(stack: Stack) -> None:
    assert problem(transcribe(stack, wav(np.zeros(0)))) == (422, "undecodable_audio")
    assert problem(stack.client.post("/api/voice/transcribe")) == (422, "no_file")


def test_speech_survives_48_khz_stereo(stack: Stack) -> None:
    spoken = stack.client.post(
        "/api/voice/synthesize", json={"text": "The garden gate is open."}, headers={"Accept": "audio/wav"}
    )
    with wave.open(io.BytesIO(spoken.content)) as sound:
        mono = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.float64) / 32768
        rate_hz = sound.getframerate()
    at = np.arange(int(len(mono) * 48_000 / rate_hz)) * rate_hz / 48_000
    stretched = np.interp(at, np.arange(len(mono)), mono)
    heard = transcribe(stack, wav(np.repeat(stretched, 2), 48_000, 2)).json()
    assert "garden gate is open" in heard["text"].lower()


def test_a_client_that_leaves_in_the_middle_harms_nobody(stack: Stack) -> None:
    body = {"message": "Tell me everything about bicycles.", "stream": True}
    for _ in range(5):
        with stack.client.stream("POST", "/api/chat", json=body) as response:
            next(response.iter_lines())
    answer = stack.ask("What was built in 1874?")
    assert answer["response"]
