"""Servers that never come to an end, byte by byte or as fast as they can: every reply is bounded."""

import time
from collections.abc import Callable
from itertools import islice

import fakes
import numpy as np
import pytest
from fakes import FarEnd

from pipelines.ports.sound import Audio
from pipelines.providers import bounded, openai_compatible, speaker, transcriber
from pipelines.providers import elevenlabs as elevenlabs_provider
from schemas.errors.providers import ProviderUnavailable
from schemas.settings import Settings

MakeSettings = Callable[..., Settings]
SECOND = Audio(np.zeros(16_000, np.float32), 16_000)


def transcribe(settings: Settings) -> None:
    transcriber(settings).transcribe(SECOND)


def speak(settings: Settings) -> None:
    # What it may say is bounded elsewhere, by its text: here only that the connection is.
    list(islice(speaker(settings).speak("Hello."), 100_000))


def list_voices(settings: Settings) -> None:
    speaker(settings).voices()


ACTS: dict[str, tuple[Callable[[Settings], None], str]] = {
    "a transcript": (transcribe, "application/json"),
    "a speech": (speak, "audio/pcm"),
    "a list of voices": (list_voices, "application/json"),
}


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("slowly", [True, False], ids=["drips", "floods"])
def test_a_reply_without_an_end_is_given_up(
    name: str, slowly: bool, fake: FarEnd, settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (openai_compatible, elevenlabs_provider):
        monkeypatch.setattr(module, "LONGEST_REPLY_S", 0.5 if slowly else 120.0)
    monkeypatch.setattr(bounded, "MAX_REPLY_BYTES", 200_000)
    act, kind = ACTS[name]
    body = b'{"text": "' + b"a" * 10_000
    fake.reply = fakes.drip(body, 0.02, kind) if slowly else fakes.endless(b" " * 4096, kind)
    began = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        act(settings(transcriber="custom", transcription_model="hear-1", speaker="elevenlabs"))
    assert time.monotonic() - began < 25
    assert fake.hung_up.wait(60)
