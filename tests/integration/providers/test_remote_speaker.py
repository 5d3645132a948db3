"""Speech through the real OpenAI SDK: what is asked for, and what becomes of what comes."""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import fakes
import numpy as np
import pytest
from fakes import Exchange, FarEnd
from sounds_of_far_ends import SECONDS, encoded, floats, tone, wav

from pipelines.ports.sound import Speaker
from pipelines.providers import speaker
from schemas.errors.providers import ProviderUnavailable, RateLimited
from schemas.errors.requests import InvalidRequest, NotOffered
from schemas.errors.tree import AuraError
from schemas.settings import Settings

MakeSettings = Callable[..., Settings]
RATE_HZ = 24_000
RAW = tone(RATE_HZ).tobytes()


def remote(settings: MakeSettings, fake: FarEnd, provider: str = "openai", **changed: Any) -> Speaker:
    given = {f"{provider}_api_key": "sk-test", f"{provider}_base_url": f"{fake.url}/v1"}
    if provider == "custom":
        given = {"speaker_base_url": f"{fake.url}/v1", "speech_model": "kokoro"}
    return speaker(settings(speaker=provider, **{**given, **changed}))


def samples(sound: bytes) -> np.ndarray:
    return np.frombuffer(sound, "<i2")


def is_the_tone(sound: bytes) -> bool:
    found = samples(sound).astype(float)
    loudest = int(np.argmax(np.abs(np.fft.rfft(found[:RATE_HZ]))))
    return abs(len(found) / RATE_HZ - SECONDS) < 0.1 and 215 <= loudest <= 225 and 6000 < np.abs(found).max() < 9500


def test_openai_is_asked_for_raw_sound_of_a_voice(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.pcm(RAW[:1], RAW[1:5000], RAW[5000:])
    found = remote(settings, fake, speech_voice="coral", speech_instructions="Be calm.")
    assert b"".join(found.speak("Hello.", None, 1.5)) == RAW
    assert found.sample_rate_hz == RATE_HZ
    (asked,) = fake.asked
    assert asked.path == "/v1/audio/speech"
    assert asked.headers["authorization"] == "Bearer sk-test"
    assert asked.json == {
        "model": "gpt-4o-mini-tts",
        "voice": "coral",
        "input": "Hello.",
        "response_format": "pcm",
        "speed": 1.5,
        "instructions": "Be calm.",
    }


def test_what_is_not_wished_is_not_sent_and_old_models_take_no_instructions(
    fake: FarEnd, settings: MakeSettings
) -> None:
    fake.reply = fakes.pcm(RAW)
    list(remote(settings, fake, speech_model="tts-1", speech_instructions="Be calm.").speak("Hello.", "nova"))
    assert fake.asked[0].json == {"model": "tts-1", "voice": "nova", "input": "Hello.", "response_format": "pcm"}


@pytest.mark.parametrize(
    ("encoding", "kind", "sound"),
    [
        ("wav", "audio/wav", wav(RATE_HZ)),
        ("wav", "audio/wav", wav(48_000, channels=2)),
        ("wav", "audio/wav", wav(RATE_HZ, size=0xFFFFFFFF)),
        ("wav", "audio/wav", wav(8_000, size=0)),
        ("wav", "application/octet-stream", floats(RATE_HZ)),
        ("mp3", "audio/mpeg", encoded("mp3", "libmp3lame")),
        ("opus", "audio/ogg", encoded("ogg", "libopus")),
        ("flac", "audio/flac", encoded("flac", "flac")),
    ],
    ids=["wav", "stereo at 48 kHz", "no size", "8 kHz, size 0", "floats", "mp3", "opus", "flac"],
)
def test_every_format_becomes_samples_at_one_rate(
    encoding: str, kind: str, sound: bytes, fake: FarEnd, settings: MakeSettings
) -> None:
    fake.reply = fakes.pcm(*(sound[at : at + 777] for at in range(0, len(sound), 777)), content_type=kind)
    found = b"".join(remote(settings, fake, "custom", speech_format=encoding).speak("Hello."))
    assert is_the_tone(found)
    assert fake.asked[-1].json["response_format"] == encoding


@pytest.mark.parametrize(
    ("kind", "sound"),
    [
        ("audio/pcm", wav(48_000)),
        ("audio/mpeg", encoded("mp3", "libmp3lame")),
        ("audio/mpeg", RAW),
        ("audio/pcm", encoded("ogg", "libopus")),
    ],
    ids=["wav", "mp3", "samples by another name", "opus"],
)
def test_sound_is_taken_for_what_it_is(kind: str, sound: bytes, fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.pcm(sound, content_type=kind)
    assert is_the_tone(b"".join(remote(settings, fake).speak("Hello.")))


@pytest.mark.parametrize("encoding", ["pcm", "wav"])
def test_sound_is_given_out_while_more_is_on_its_way(encoding: str, fake: FarEnd, settings: MakeSettings) -> None:
    head = wav(RATE_HZ, size=0xFFFFFFFF)[:5000] if encoding == "wav" else RAW[:5000]
    fake.reply = fakes.then_silence(head, content_type="audio/wav" if encoding == "wav" else "audio/pcm")
    with closing(remote(settings, fake, speech_format=encoding).speak("Hello.")) as pieces:  # type: ignore[type-var]
        assert next(pieces)


def test_groq_speaks_a_long_text_in_parts_that_end_where_a_speaker_breathes(
    fake: FarEnd, settings: MakeSettings
) -> None:
    fake.reply = fakes.pcm(wav(RATE_HZ), content_type="audio/wav")
    sentences = [f"This is sentence number {n} of a text that is rather long, and it goes on." for n in range(5)]
    found = b"".join(remote(settings, fake, "groq").speak(" ".join(sentences), "troy"))
    said = [asked.json["input"] for asked in fake.asked]
    assert " ".join(said) == " ".join(sentences)
    assert all(len(part) <= 200 and part.endswith(".") for part in said)
    assert len(found) == 2 * len(tone(RATE_HZ)) * len(said)
    assert {asked.json["voice"] for asked in fake.asked} == {"troy"}
    assert fake.asked[0].json["model"] == "canopylabs/orpheus-v1-english"


def test_another_providers_voice_is_the_default_one(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.pcm(RAW)
    list(remote(settings, fake).speak("Hello.", "21m00Tcm4TlvDq8ikWAM"))
    assert fake.asked[0].json["voice"] == "alloy"
    assert [voice.voice_id for voice in remote(settings, fake, speech_voice="sage").voices()][:2] == ["sage", "alloy"]


def test_a_server_of_ones_own_lists_its_voices_and_refuses_those_it_lacks_once(
    fake: FarEnd, settings: MakeSettings
) -> None:
    def reply(exchange: Exchange) -> None:
        if exchange.asked.path.endswith("/audio/voices"):
            exchange.send_json({"voices": ["af_heart", {"id": "am_adam"}]})
        elif exchange.asked.json["voice"] == "af_heart":
            fakes.pcm(wav(RATE_HZ), content_type="audio/wav")(exchange)
        else:
            fakes.failure(400, "unknown voice")(exchange)

    fake.reply = reply
    found = remote(settings, fake, "custom")
    assert [voice.voice_id for voice in found.voices()] == ["af_heart", "am_adam"]
    fake.asked.clear()
    for _ in range(2):
        assert b"".join(found.speak("Hello.", "gone"))
    asked = [asked.json["voice"] for asked in fake.asked if asked.method == "POST"]
    assert asked == ["gone", "af_heart", "af_heart"]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (fakes.failure(401), NotOffered),
        (fakes.failure(404), NotOffered),
        (fakes.failure(400), InvalidRequest),
        (fakes.failure(429, Retry_After="3"), RateLimited),
        (fakes.failure(429, code="insufficient_quota"), NotOffered),
        (fakes.failure(500), ProviderUnavailable),
        (fakes.failure(503), ProviderUnavailable),
        (fakes.pcm(RAW[:2000], cut=True), ProviderUnavailable),
        (fakes.pcm(), ProviderUnavailable),
        (fakes.page("<html>Sign in</html>"), ProviderUnavailable),
        (fakes.body({"error": "no"}), ProviderUnavailable),
        (fakes.pcm(b'{"error": "not today"}'), ProviderUnavailable),
    ],
    ids=[
        "key", "model", "request", "429", "no credit", "500", "503", "half a stream", "nothing", "a page", "json",
        "json as sound",
    ],
)  # fmt: skip
def test_every_failure_is_one_of_ours(
    reply: fakes.Reply, error: type[AuraError], fake: FarEnd, settings: MakeSettings
) -> None:
    fake.reply = reply
    with pytest.raises(error) as caught:
        list(remote(settings, fake).speak("Hello."))
    assert len(fake.asked) == 1
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after_s == 3


@pytest.mark.parametrize(
    "sound",
    [wav(RATE_HZ)[:20_000], b"RIFF" + bytes(100_000), b"RIFF1234WAVEdata" + bytes(50), b"OggS" + bytes(5000), RAW],
    ids=["cut", "no head", "no form", "another container", "samples"],
)
def test_a_container_that_is_not_whole_is_unavailable(sound: bytes, fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.pcm(sound, content_type="audio/wav")
    with pytest.raises(ProviderUnavailable):
        list(remote(settings, fake, "groq").speak("Hello."))


@pytest.mark.parametrize("first", [(), (RAW[:2000],)], ids=["at once", "after a sound"])
def test_silence_is_bounded(first: tuple[bytes, ...], fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.then_silence(*first, content_type="audio/pcm")
    began = time.monotonic()
    with pytest.raises(ProviderUnavailable, match="silent"):
        list(remote(settings, fake, provider_timeout_s=0.3).speak("Hello."))
    assert time.monotonic() - began < 30
