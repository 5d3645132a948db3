"""Speech through the real ElevenLabs SDK."""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import fakes
import pytest
from fakes import FarEnd

from pipelines.ports.sound import Speaker
from pipelines.providers import speaker
from schemas.errors.providers import ProviderUnavailable, RateLimited
from schemas.errors.requests import NotOffered
from schemas.errors.tree import AuraError
from schemas.settings import Settings

MakeSettings = Callable[..., Settings]


def remote(settings: MakeSettings, **changed: Any) -> Speaker:
    return speaker(settings(speaker="elevenlabs", elevenlabs_voice_id="ada", **changed))


def test_sound_comes_as_whole_samples_in_the_order_it_was_sent(fake: FarEnd, settings: MakeSettings) -> None:
    sound = bytes(range(256)) * 40
    fake.reply = fakes.pcm(sound[:3], sound[3:4], sound[4:1001], sound[1001:])
    found = remote(settings)
    pieces = list(found.speak("Hello."))
    assert b"".join(pieces) == sound
    assert all(piece and len(piece) % 2 == 0 for piece in pieces)
    assert found.sample_rate_hz == 22_050


def test_the_request_names_voice_format_and_text(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.pcm(b"\0\0")
    found = remote(settings)
    list(found.speak("Hello."))
    list(found.speak("Hello.", "bob"))
    first, second = fake.asked
    assert first.path == "/v1/text-to-speech/ada/stream?output_format=pcm_22050"
    assert second.path.startswith("/v1/text-to-speech/bob/stream")
    assert first.headers["xi-api-key"] == "el-test"
    assert first.json == {"text": "Hello.", "model_id": "eleven_flash_v2_5"}


def test_speed_is_as_much_as_it_can(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.pcm(b"\0\0")
    found = remote(settings, speech_model="eleven_multilingual_v2")
    for speed in (1.1, 2.0, 0.1):
        list(found.speak("Hello.", None, speed))
    assert [asked.json["voice_settings"] for asked in fake.asked] == [{"speed": 1.1}, {"speed": 1.2}, {"speed": 0.7}]
    assert fake.asked[0].json["model_id"] == "eleven_multilingual_v2"


def test_a_voice_it_does_not_know_is_the_default_from_then_on(fake: FarEnd, settings: MakeSettings) -> None:
    def reply(exchange: fakes.Exchange) -> None:
        if "/gone/" in exchange.asked.path:
            exchange.send_json({"detail": {"status": "voice_not_found", "message": "no"}}, 404)
        else:
            fakes.pcm(b"\1\0")(exchange)

    fake.reply = reply
    found = remote(settings)
    for _ in range(2):
        assert b"".join(found.speak("Hello.", "gone")) == b"\1\0"
    assert [asked.path.split("/")[3] for asked in fake.asked] == ["gone", "ada", "ada"]


@pytest.mark.parametrize("reply", [fakes.page("<html>"), fakes.body({"detail": "no"}), fakes.pcm()])
def test_what_is_no_sound_is_unavailable(reply: fakes.Reply, fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = reply
    with pytest.raises(ProviderUnavailable):
        list(remote(settings).speak("Hello."))


def test_sound_is_given_out_while_more_is_on_its_way(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.endless(b"\1\0" * 5000, "audio/pcm")
    with closing(remote(settings).speak("Hello.")) as pieces:  # type: ignore[type-var]
        assert next(pieces)
    assert fake.hung_up.wait(60)


def test_all_voices_are_listed_the_default_first(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.voices([("bob", "Bob"), ("eve", "Eve")], [("ada", "Ada")])
    found = remote(settings).voices()
    assert [(voice.voice_id, voice.name, voice.language) for voice in found] == [
        ("ada", "Ada", "en"),
        ("bob", "Bob", "en"),
        ("eve", "Eve", "en"),
    ]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (fakes.failure(401), NotOffered),
        (fakes.failure(404), NotOffered),
        (fakes.failure(429, Retry_After="3"), RateLimited),
        (fakes.failure(500), ProviderUnavailable),
        (fakes.pcm(b"\0\0" * 100, cut=True), ProviderUnavailable),
    ],
)
def test_every_failure_is_one_of_ours(
    reply: fakes.Reply, error: type[AuraError], fake: FarEnd, settings: MakeSettings
) -> None:
    fake.reply = reply
    with pytest.raises(error) as caught:
        list(remote(settings).speak("Hello."))
    assert len(fake.asked) == 1
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after_s == 3


def test_the_list_of_voices_is_asked_for_once_even_when_it_fails(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.failure(503)
    with pytest.raises(ProviderUnavailable):
        remote(settings).voices()
    assert len(fake.asked) == 1


def test_an_account_without_credit_is_not_asked_again(fake: FarEnd, settings: MakeSettings) -> None:
    detail = {"detail": {"status": "quota_exceeded", "message": "You have 0 credits."}}
    fake.reply = lambda exchange: exchange.send_json(detail, 401)
    with pytest.raises(NotOffered, match="credit"):
        list(remote(settings).speak("Hello."))


@pytest.mark.parametrize("first", [(), (b"\0\0" * 100,)], ids=["at once", "after a sound"])
def test_silence_is_bounded(first: tuple[bytes, ...], fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.then_silence(*first, content_type="audio/pcm")
    began = time.monotonic()
    with pytest.raises(ProviderUnavailable, match="silent"):
        list(remote(settings, provider_timeout_s=0.3).speak("Hello."))
    assert time.monotonic() - began < 30
