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

from pipelines.ports.sound import Audio, Transcriber, Word
from pipelines.providers import transcriber
from pipelines.providers.servers import PRICES
from schemas.errors.providers import ProviderUnavailable
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


def many(asked: Asked, name: str) -> list[str]:
    """Return all values of a field of the form."""
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + asked.body).get_payload()
    named = [part for part in parts if part.get_param("name", header="content-disposition") == name]
    return [part.get_payload(decode=True).decode() for part in named]


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


def test_words_are_timed_where_that_is_asked_for(fake: FarEnd, settings: MakeSettings) -> None:
    words = [{"word": " Good", "start": 0.1, "end": 0.4}, {"word": "morning.", "start": 0.4, "end": 7.0}]
    reply = {"task": "transcribe", "language": "English", "duration": 1.0, "text": "Good morning.", "words": words}
    fake.reply = fakes.body(reply)
    found = remote(settings).transcribe(SECOND, words=True)
    assert found.words == (Word("Good", 0.1, 0.4), Word("morning.", 0.4, 1.0))
    assert found.language == "en"
    assert many(fake.asked[0], "timestamp_granularities[]") == ["word", "segment"]
    assert remote(settings).transcribe(SECOND).words == ()
    assert many(fake.asked[1], "timestamp_granularities[]") == []


def test_words_of_a_later_piece_are_placed_on_the_whole_recording(fake: FarEnd, settings: MakeSettings) -> None:
    words = [{"word": "Hello", "start": 1.0, "end": 2.0}]
    fake.reply = fakes.body({"language": "en", "duration": 1.0, "text": "Hello", "words": words, "segments": []})
    found = remote(settings).transcribe(Audio(np.zeros(16_000 * 420, np.float32), 16_000), words=True)
    first, second = found.words
    assert (first.start_s, first.end_s) == (1.0, 2.0)
    assert 271 <= second.start_s <= 301 and round(second.end_s - second.start_s, 3) == 1.0


@pytest.mark.parametrize("model", ["gpt-4o-transcribe", "gpt-4o-mini-transcribe"])
def test_how_sure_a_model_is_of_its_tokens_is_its_confidence(model: str, fake: FarEnd, settings: MakeSettings) -> None:
    logprobs = [{"token": "Hi", "bytes": [72], "logprob": -0.1}, {"token": ".", "bytes": [46], "logprob": -0.3}]
    fake.reply = fakes.body({"text": "Hi.", "logprobs": logprobs})
    found = remote(settings, transcription_model=model).transcribe(SECOND, "de-AT", words=True)
    assert (found.confidence, found.language, found.words) == (0.819, "de", ())
    assert many(fake.asked[0], "include[]") == ["logprobs"]
    assert form(fake.asked[0]).fields["response_format"] == "json"


def test_a_server_of_ones_own_that_knows_plain_json_only_is_asked_for_that(
    fake: FarEnd, settings: MakeSettings
) -> None:
    def reply(exchange: fakes.Exchange) -> None:
        if form(exchange.asked).fields["response_format"] == "verbose_json":
            fakes.failure(400, "unknown response format")(exchange)
        else:
            exchange.send_json({"text": "Hello."})

    fake.reply = reply
    found = remote(settings)
    assert [found.transcribe(SECOND).text for _ in range(2)] == ["Hello.", "Hello."]
    assert len(fake.asked) == 3


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_numbers_that_are_none_make_nobody_sure(number: str, fake: FarEnd, settings: MakeSettings) -> None:
    segment = f'{{"text": "Hi.", "start": {number}, "end": {number}, "avg_logprob": {number}, "no_speech_prob": 0}}'
    body = f'{{"text": "Hi.", "language": "en", "segments": [{segment}], "words": []}}'.encode()
    fake.reply = lambda exchange: exchange.send_whole(200, body)
    found = remote(settings).transcribe(SECOND)
    assert 0 <= found.confidence <= 1
    assert all(0 <= at <= 1 for one in found.segments for at in (one.start_s, one.end_s))


@pytest.mark.parametrize("provider", ["openai", "groq"])
def test_openai_and_groq_are_rows_with_prices(provider: str, fake: FarEnd, settings: MakeSettings) -> None:
    given = {f"{provider}_api_key": "sk-own", f"{provider}_base_url": f"{fake.url}/v1", "transcriber": provider}
    fake.reply = verbose("Hello.") if provider == "groq" else fakes.body({"text": "Hello."})
    found = transcriber(settings(**given))
    assert found.transcribe(SECOND).text == "Hello."
    assert fake.asked[0].headers["authorization"] == "Bearer sk-own"
    assert PRICES[found.model].of_sound(60) > 0


def test_a_short_utterance_costs_what_groq_charges_at_least() -> None:
    assert PRICES["whisper-large-v3-turbo"].of_sound(2) == PRICES["whisper-large-v3-turbo"].of_sound(10)
    assert PRICES["whisper-1"].of_sound(30) == 0.003


@pytest.mark.parametrize(
    "reply",
    [
        fakes.page("<html/>"),
        fakes.body({"words": []}),
        fakes.failure(500),
        fakes.body({"text": 7}),
        fakes.body(["text"]),
        fakes.body({"text": "a" * 5000}),
        fakes.body({"text": "Hi.", "language": "en", "segments": [{"text": 1}]}),
        lambda exchange: exchange.send_whole(200, b"Hello.", "text/plain"),
        lambda exchange: exchange.cut(),
    ],
)
def test_a_reply_that_does_not_fit_is_unavailable(reply: fakes.Reply, fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = reply
    with pytest.raises(ProviderUnavailable):
        remote(settings).transcribe(SECOND)
