"""Transcription through the real OpenAI SDK: what is sent, and what becomes of the reply."""

import io
import wave
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from typing import Any

import fakes
import numpy as np
import pytest
from fakes import Asked, FarEnd

from pipelines.ports import Audio, Transcriber
from pipelines.providers import transcriber
from schemas.errors import ProviderUnavailable
from schemas.settings import Settings

MakeSettings = Callable[..., Settings]
SECOND = Audio(np.linspace(-0.5, 0.5, 16_000, dtype=np.float32), 16_000)


@dataclass(frozen=True)
class Form:
    """A multipart form as the server reads it."""

    fields: dict[str, str]
    filename: str
    sound: bytes


def form(asked: Asked) -> Form:
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    fields, filename, sound = {}, "", b""
    for part in message_from_bytes(head + asked.body).get_payload():
        content = part.get_payload(decode=True)
        if part.get_filename():
            filename, sound = part.get_filename(), content
        else:
            fields[part.get_param("name", header="content-disposition")] = content.decode()
    return Form(fields, filename, sound)


def remote(settings: MakeSettings, **changed: Any) -> Transcriber:
    return transcriber(settings(transcriber="custom", **{"transcription_model": "whisper-large-v3", **changed}))


def verbose(text: str, **segment: float) -> fakes.Reply:
    facts = {"id": 0, "seek": 0, "start": 0.0, "end": 1.0, "text": text, "tokens": [], "temperature": 0.0}
    numbers = {"avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.0, **segment}
    return fakes.body(
        {"task": "transcribe", "language": "en", "duration": 1.0, "text": text, "segments": [facts | numbers]}
    )


def test_the_recording_is_sent_as_a_wav_file(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = verbose("Hello.")
    found = remote(settings).transcribe(SECOND, "en")
    assert (found.text, found.language, found.duration_s) == ("Hello.", "en", 1.0)
    (asked,) = fake.asked
    sent = form(asked)
    assert asked.path == "/v1/audio/transcriptions"
    assert sent.fields["model"] == "whisper-large-v3"
    assert sent.fields["language"] == "en"
    assert sent.fields["response_format"] == "verbose_json"
    assert sent.filename.endswith(".wav")
    with wave.open(io.BytesIO(sent.sound)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        heard = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
    assert np.allclose(heard, SECOND.samples, atol=1e-4)


def test_confidence_follows_the_models_own(fake: FarEnd, settings: MakeSettings) -> None:
    found = remote(settings)
    fake.reply = verbose("Sure.", avg_logprob=-0.05)
    sure = found.transcribe(SECOND)
    fake.reply = verbose("Unsure.", avg_logprob=-1.2)
    unsure = found.transcribe(SECOND)
    fake.reply = verbose("Thank you.", no_speech_prob=0.9)
    silent = found.transcribe(SECOND)
    assert sure.confidence > 0.9 > unsure.confidence > silent.confidence >= 0
    assert sure.language == "en"


def test_a_model_that_only_speaks_json_is_asked_for_json(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.body({"text": " Bonjour. ", "languages": [{"code": "fr"}]})
    found = remote(settings, transcription_model="gpt-transcribe").transcribe(SECOND)
    assert (found.text, found.language, found.confidence) == ("Bonjour.", "fr", 1.0)
    sent = form(fake.asked[0])
    assert sent.fields["response_format"] == "json"
    assert "language" not in sent.fields


def test_a_recording_without_words_gives_an_empty_text(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.body({"text": ""})
    found = remote(settings, transcription_model="gpt-transcribe").transcribe(SECOND)
    assert (found.text, found.confidence) == ("", 0.0)


def test_a_long_recording_is_cut_where_it_is_quiet(fake: FarEnd, settings: MakeSettings) -> None:
    rate_hz = 16_000
    samples = np.full(rate_hz * 420, 0.5, np.float32)
    samples[rate_hz * 290 : rate_hz * 291] = 0
    said = iter(("One.", "Two."))
    fake.reply = lambda exchange: exchange.send_json({"text": next(said)})
    found = remote(settings, transcription_model="gpt-transcribe").transcribe(Audio(samples, rate_hz))
    assert (found.text, found.duration_s) == ("One. Two.", 420.0)
    seconds = []
    for asked in fake.asked:
        with wave.open(io.BytesIO(form(asked).sound)) as file:
            seconds.append(file.getnframes() / rate_hz)
    assert 290 <= seconds[0] <= 291
    assert sum(seconds) == 420


@pytest.mark.parametrize("reply", [fakes.page("<html/>"), fakes.body({"words": []}), fakes.failure(500)])
def test_a_reply_that_does_not_fit_is_unavailable(reply: fakes.Reply, fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = reply
    with pytest.raises(ProviderUnavailable):
        remote(settings).transcribe(SECOND)
