"""Speech over ElevenLabs' websocket, against a server with which their own SDK speaks as well."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from elevenlabs.client import ElevenLabs
from sounds_of_far_ends import tone
from speaking_sockets import RATE_HZ, Answer, SocketEnd, speaking_socket, spoken

from pipelines.ports.sound import Sound, Word
from pipelines.providers.elevenlabs import ElevenLabsSpeaker, make
from schemas.errors.providers import ProviderUnavailable, RateLimited
from schemas.errors.requests import InvalidRequest, NotOffered
from schemas.errors.tree import AuraError
from schemas.settings import Settings

SOUND = tone(RATE_HZ).tobytes()
HALF_S = RATE_HZ * 2 // 2


@pytest.fixture
def far() -> Iterator[SocketEnd]:
    with speaking_socket() as found:
        found.answer = spoken(SOUND[:HALF_S], SOUND[HALF_S:])
        yield found


@pytest.fixture
def remote(far: SocketEnd) -> Callable[..., ElevenLabsSpeaker]:
    def made(**changed: Any) -> ElevenLabsSpeaker:
        given = {"elevenlabs_api_key": "el-test", "elevenlabs_voice_id": "ada", "elevenlabs_input": "websocket"}
        given |= {"speech_base_url": far.url, "provider_timeout_s": 60}
        return make(Settings(_env_file=None, **{**given, **changed}))  # type: ignore[call-arg]

    return made


def refusing(error: str, code: int = 1008) -> Answer:
    return lambda talk: talk.socket.send(f'{{"message": "no", "error": "{error}", "code": {code}}}')


def test_their_own_sdk_understands_the_server_of_these_tests(far: SocketEnd) -> None:
    client = ElevenLabs(api_key="el-test", base_url=far.url)
    client.text_to_speech._ws_base_url = far.url.replace("http", "ws")  # It forces wss.
    heard = client.text_to_speech.convert_realtime(
        "ada", text=iter(["Hello."]), model_id="eleven_flash_v2_5", output_format="pcm_22050"
    )
    with closing(heard) as pieces:  # type: ignore[type-var]
        assert b"".join([next(pieces), next(pieces)]) == SOUND
    assert far.came[0].text == "Hello."


def test_what_is_said_and_heard(far: SocketEnd, remote: Callable[..., ElevenLabsSpeaker]) -> None:
    assert b"".join(remote().speak("Hello there.", "bob", 3.0)) == SOUND
    (talk,) = far.came
    address = urlsplit(talk.path)
    assert address.path == "/v1/text-to-speech/bob/stream-input"
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert asked == {
        "model_id": "eleven_flash_v2_5",
        "output_format": "pcm_22050",
        "auto_mode": "true",
        "sync_alignment": "true",
    }
    assert talk.headers["xi-api-key"] == "el-test"
    assert talk.said == [
        {"text": " ", "voice_settings": {"speed": 1.2}},
        {"text": "Hello there. "},
        {"text": ""},
    ]


def test_words_are_told_at_their_second_of_the_whole_speech(
    far: SocketEnd, remote: Callable[..., ElevenLabsSpeaker]
) -> None:
    far.answer = spoken(SOUND[:HALF_S], SOUND[HALF_S:], chars=("Hi Al", "bert. "))
    pieces = list(remote().speak("Hi Albert."))
    assert all(isinstance(piece, Sound) for piece in pieces)
    words = [word for piece in pieces for word in piece.words]  # type: ignore[attr-defined]
    assert words == [Word("Hi", 0.0, 0.02), Word("Albert.", 0.03, 0.55)]


def test_sound_is_given_out_while_more_is_on_its_way(far: SocketEnd, remote: Callable[..., ElevenLabsSpeaker]) -> None:
    def answer(talk: Any) -> None:
        talk.sound(SOUND[:1000])
        talk.end.closing.wait(300)

    far.answer = answer
    with closing(remote().speak("Hello.")) as pieces:  # type: ignore[type-var]
        assert next(pieces) == SOUND[:1000]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusing("invalid_api_key"), NotOffered),
        (refusing("quota_exceeded"), NotOffered),
        (refusing("too_many_concurrent_requests"), RateLimited),
        (refusing("invalid_input_message"), InvalidRequest),
        (refusing("input_timeout_exceeded"), ProviderUnavailable),
        (lambda talk: talk.socket.close(1011), ProviderUnavailable),
        (lambda talk: (talk.sound(SOUND[:1000]), talk.socket.close(1011)), ProviderUnavailable),
        (lambda talk: talk.socket.socket.close(), ProviderUnavailable),
        (lambda talk: talk.socket.send("nonsense"), ProviderUnavailable),
        (lambda talk: talk.socket.send(b"\0\1\2"), ProviderUnavailable),
        (lambda talk: talk.socket.send("[1]"), ProviderUnavailable),
        (lambda talk: talk.socket.send('{"audio": "!!"}'), ProviderUnavailable),
        (lambda talk: talk.socket.send('{"audio": 7}'), ProviderUnavailable),
        (lambda talk: talk.sound(SOUND, alignment={"chars": ["a"], "charStartTimesMs": []}), ProviderUnavailable),
        (lambda talk: (talk.socket.send(f'{{"audio": "{"A" * (5 << 20)}"}}'), talk.final()), ProviderUnavailable),
    ],
    ids=[
        "key", "no credit", "too many", "message", "slow", "closed", "closed in the middle", "cut", "no JSON", "binary",
        "a list", "no base64", "a number", "times that do not fit", "too long a message",
    ],
)  # fmt: skip
def test_every_failure_is_one_of_ours(
    answer: Answer, error: type[AuraError], far: SocketEnd, remote: Callable[..., ElevenLabsSpeaker]
) -> None:
    far.answer = answer
    with pytest.raises(error):
        list(remote().speak("Hello."))
    assert len(far.came) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [((401, "invalid_api_key"), NotOffered), ((429, "too_many"), RateLimited), ((503, ""), ProviderUnavailable)],
)
def test_a_refused_handshake_is_one_of_ours(
    status: tuple[int, str], error: type[AuraError], far: SocketEnd, remote: Callable[..., ElevenLabsSpeaker]
) -> None:
    far.status = status
    with pytest.raises(error):
        list(remote().speak("Hello."))


def test_a_voice_it_does_not_know_is_the_default_from_then_on(
    far: SocketEnd, remote: Callable[..., ElevenLabsSpeaker]
) -> None:
    def answer(talk: Any) -> None:
        refusing("voice_not_found")(talk) if "/gone/" in talk.path else spoken(SOUND)(talk)

    far.answer = answer
    found = remote()
    for _ in range(2):
        assert b"".join(found.speak("Hello.", "gone")) == SOUND
    assert [urlsplit(talk.path).path.split("/")[3] for talk in far.came] == ["gone", "ada", "ada"]


@pytest.mark.parametrize("first", [False, True], ids=["at once", "after a sound"])
def test_silence_is_bounded(first: bool, far: SocketEnd, remote: Callable[..., ElevenLabsSpeaker]) -> None:
    def answer(talk: Any) -> None:
        if first:
            talk.sound(SOUND[:1000])
        talk.end.closing.wait(300)

    far.answer = answer
    began = time.monotonic()
    with pytest.raises(ProviderUnavailable, match="silent"):
        list(remote(provider_timeout_s=0.3).speak("Hello."))
    assert time.monotonic() - began < 30


def test_nobody_there_is_unavailable(remote: Callable[..., ElevenLabsSpeaker]) -> None:
    with pytest.raises(ProviderUnavailable, match="reached"):
        list(remote(speech_base_url="http://127.0.0.1:9").speak("Hello."))
