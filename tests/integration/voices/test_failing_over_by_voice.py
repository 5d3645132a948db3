"""A provider of voice that fails before the first sound is followed by the next; after it nothing is repeated."""

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from uuid import UUID, uuid4

import psycopg
import pytest
import redis

from pipelines.stores.database import tenant_session
from pipelines.stores.operations import audit, provider_health
from pipelines.stores.operations.breaker import timed
from pipelines.stores.operations.provider_health import MIN_FAILURES, Circuit, State
from pipelines.stores.organisation import provider_keys, quotas, usage
from schemas.errors.providers import NotHeard, NotSpoken, ProviderUnavailable
from schemas.errors.sound import NoSpeech
from schemas.errors.tree import AuraError
from schemas.errors.work import Cancelled
from schemas.requests.organisation.providers import KeyedProvider
from tests.integration.providers import fakes
from tests.integration.providers.fakes import FarEnd, Reply
from tests.integration.voices.conftest import HELD, PATIENCE_S, forget_settings, silent, sound_of
from workers import wiring
from workers.speech import voice_line, voices

SECOND = bytes(32_000)
WAITED_ONCE_S = 10 * PATIENCE_S
"""No provider is waited for without end, and none that is given up is read to its end."""

FAULTS: dict[str, Callable[[], Reply]] = {
    "silence before the head": lambda: silent,
    "a drip": lambda: fakes.drip(b"{" + b" " * 1000, 0.05, "application/json"),
    "429": lambda: fakes.failure(429, Retry_After="20"),
    "500": lambda: fakes.failure(500),
    "a refused key": lambda: fakes.failure(401),
    "a refused request": lambda: fakes.failure(400),
    "cut before the first byte": lambda: lambda exchange: exchange.cut(),
    "a page": lambda: fakes.page("<html>Sign in</html>"),
    "another shape": lambda: fakes.body([7]),
}


def hear(tenant: UUID, subject: UUID | None = None) -> voices.Heard:
    with voices.transcription(tenant, SECOND, None, subject or uuid4()) as heard:
        return heard


def say(tenant: UUID, voice_id: str | None = None, subject: UUID | None = None) -> tuple[str, bytes]:
    with voices.speech(tenant, "Good morning, Ada.", voice_id, 1.0, subject or uuid4()) as spoken:
        return spoken.provider, b"".join(spoken)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_next_one_listens(fault: str, far_ends: dict[str, FarEnd], tenant: UUID, admin: psycopg.Connection) -> None:
    far_ends["openai"].reply = FAULTS[fault]()
    began = time.monotonic()
    heard = hear(tenant)
    assert time.monotonic() - began < WAITED_ONCE_S
    assert (heard.provider, heard.transcript.text) == ("groq", "groq heard it.")
    assert heard.named == {"provider": "groq", "model": "whisper-large-v3-turbo"}
    assert len(far_ends["openai"].asked) == len(far_ends["groq"].asked) == 1
    assert admin.execute(HELD, (tenant,)).rowcount == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_the_next_one_speaks(fault: str, far_ends: dict[str, FarEnd], tenant: UUID, admin: psycopg.Connection) -> None:
    far_ends["elevenlabs"].reply = FAULTS[fault]()
    began = time.monotonic()
    assert say(tenant) == ("openai", sound_of("openai"))
    assert time.monotonic() - began < WAITED_ONCE_S
    assert admin.execute(HELD, (tenant,)).rowcount == 0
    with tenant_session(tenant) as session:
        (use,) = usage.of_month(session, quotas.this_month()).models
    assert (use.provider, use.calls, use.seconds) == ("openai", 1, 0.5)


def test_who_breaks_off_is_not_followed_but_the_next_sentence_goes_by_another(
    far_ends: dict[str, FarEnd], tenant: UUID, client: "redis.Redis"
) -> None:
    far_ends["elevenlabs"].reply = fakes.pcm(sound_of("elevenlabs")[:4096], cut=True)
    turn, heard = uuid4(), b""
    with (
        pytest.raises(ProviderUnavailable),
        voices.speech(tenant, "Good morning, Ada.", None, 1.0, turn) as spoken,
    ):
        for piece in spoken:
            heard += piece
    assert heard and set(heard) == {0, 1}
    assert far_ends["openai"].asked == []
    for _ in range(3):
        assert say(tenant, subject=turn) == ("openai", sound_of("openai"))
    assert len(far_ends["elevenlabs"].asked) == 1
    # What was heard is paid, though it broke off.
    with tenant_session(tenant) as session:
        uses = {use.provider: use.calls for use in usage.of_month(session, quotas.this_month()).models}
    assert uses == {"elevenlabs": 1, "openai": 3}
    # Another turn begins with the first again.
    with suppress(AuraError):
        say(tenant)
    assert len(far_ends["elevenlabs"].asked) == 2


def test_a_turn_does_not_wait_twice_for_who_is_silent(far_ends: dict[str, FarEnd], tenant: UUID) -> None:
    far_ends["elevenlabs"].reply = fakes.then_silence(content_type="audio/pcm")
    turn = uuid4()
    assert say(tenant, subject=turn)[0] == "openai"
    began = time.monotonic()
    assert say(tenant, subject=turn)[0] == "openai"
    assert time.monotonic() - began < PATIENCE_S
    assert len(far_ends["elevenlabs"].asked) == 1


def test_when_none_listens_the_person_is_asked_to_say_it_again(far_ends: dict[str, FarEnd], tenant: UUID) -> None:
    for end in far_ends.values():
        end.reply = fakes.failure(503)
    with pytest.raises(NotHeard, match="say it again"):
        hear(tenant)
    with pytest.raises(NotSpoken):
        say(tenant)


def test_silence_that_is_understood_as_such_is_nobodys_failure(far_ends: dict[str, FarEnd], tenant: UUID) -> None:
    far_ends["openai"].reply = fakes.body({"text": ""})
    with pytest.raises(NoSpeech):
        hear(tenant)
    assert far_ends["groq"].asked == []


def test_a_provider_that_fails_often_is_let_alone(
    far_ends: dict[str, FarEnd], tenant: UUID, client: "redis.Redis"
) -> None:
    far_ends["openai"].reply = fakes.failure(500)
    for _ in range(MIN_FAILURES):
        hear(tenant)
    assert provider_health.state(client, Circuit("transcription", "openai")) is State.OPEN
    asked = len(far_ends["openai"].asked)
    assert hear(tenant).provider == "groq"
    assert len(far_ends["openai"].asked) == asked
    states = {(one["kind"], one["provider"]): one["state"] for one in voice_line.standing(tenant)}
    assert states["transcriber", "openai"] == "open"
    assert states["speaker", "openai"] == states["transcriber", "groq"] == "closed"


def test_who_asks_for_a_pause_gets_it(far_ends: dict[str, FarEnd], tenant: UUID) -> None:
    far_ends["openai"].reply = fakes.failure(429, Retry_After="20")
    assert [hear(tenant).provider for _ in range(2)] == ["groq", "groq"]
    assert len(far_ends["openai"].asked) == 1


def test_the_voice_that_is_asked_for_decides_who_speaks(far_ends: dict[str, FarEnd], tenant: UUID) -> None:
    assert say(tenant)[0] == say(tenant, "21m00Tcm4TlvDq8ikWAM")[0] == "elevenlabs"
    assert say(tenant, "coral")[0] == "openai"
    assert far_ends["openai"].asked[0].json["voice"] == "coral"
    assert say(tenant, "troy")[0] == "groq"


def test_a_policy_prefers_and_forbids(far_ends: dict[str, FarEnd], tenant: UUID, policy: Callable[..., None]) -> None:
    policy(voice_policy={"speech": {"prefer": ["groq"]}, "transcription": {"avoid": ["gpt-transcribe"]}})
    assert (say(tenant)[0], hear(tenant).provider) == ("groq", "groq")
    # Who may not see the questions may not hear them either.
    policy(model_policy={"avoid": ["openai"]})
    far_ends["elevenlabs"].reply = fakes.failure(500)
    assert (say(tenant)[0], hear(tenant).provider) == ("groq", "groq")
    assert far_ends["openai"].asked == []
    policy(voice_policy={"transcription": {"avoid": ["openai", "groq"]}})
    with pytest.raises(AuraError) as caught:
        hear(tenant)
    assert caught.value.code == "not_offered"


def test_a_slow_one_stands_behind_a_quick_one(far_ends: dict[str, FarEnd], tenant: UUID, client: "redis.Redis") -> None:
    for provider, ms in (("elevenlabs", 2_400.0), ("openai", 300.0)):
        timed(client, Circuit("speech", provider), ms)
    assert say(tenant)[0] == "openai"


def test_a_tenants_own_key_is_its_own_circuit(
    far_ends: dict[str, FarEnd], tenant: UUID, new_tenant: Callable[[], UUID], client: "redis.Redis"
) -> None:
    with tenant_session(tenant) as session:
        provider_keys.put(session, tenant, audit.SYSTEM, KeyedProvider.OPENAI, "sk-of-the-tenant-1111-2222")
    forget_settings()
    assert hear(tenant).provider == "openai"
    assert far_ends["openai"].asked[0].headers["authorization"] == "Bearer sk-of-the-tenant-1111-2222"
    far_ends["openai"].reply = fakes.failure(500)
    for _ in range(MIN_FAILURES):
        hear(tenant)
    assert provider_health.state(client, Circuit("transcription", "openai", tenant)) is State.OPEN
    assert provider_health.state(client, Circuit("transcription", "openai")) is State.CLOSED


def test_a_used_up_budget_is_not_got_round(
    far_ends: dict[str, FarEnd], tenant: UUID, admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AURA_VOICE_FALLBACK", "1")
    forget_settings()
    admin.execute("UPDATE tenants SET max_monthly_cost_usd = 0 WHERE tenant_id = %s", (tenant,))
    for act in (hear, say):
        with pytest.raises(AuraError) as caught:
            act(tenant)
        assert caught.value.code == "budget_exceeded"
    assert all(end.asked == [] for end in far_ends.values())


def test_what_runs_here_speaks_when_nobody_else_does(
    far_ends: dict[str, FarEnd], tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("piper")
    monkeypatch.setenv("AURA_VOICE_FALLBACK", "1")
    forget_settings()
    assert [one.provider for one in wiring.voices(tenant, "speaker")][-1] == "local"
    for end in far_ends.values():
        end.reply = fakes.failure(500)
    provider, sound = say(tenant)
    assert provider == "local" and len(sound) > 10_000


def test_who_is_cancelled_while_waiting_stops_at_once(far_ends: dict[str, FarEnd], tenant: UUID) -> None:
    far_ends["elevenlabs"].reply = fakes.then_silence(content_type="audio/pcm")
    began = time.monotonic()
    with (
        pytest.raises(Cancelled),
        voices.speech(tenant, "Good morning.", None, 1.0, uuid4(), cancelled=lambda: time.monotonic() - began > 0.1),
    ):
        pass
    assert time.monotonic() - began < PATIENCE_S
    assert far_ends["openai"].asked == []


def test_voices_of_all_are_listed_without_those_who_cannot_tell(far_ends: dict[str, FarEnd], tenant: UUID) -> None:
    far_ends["elevenlabs"].reply = fakes.failure(500)
    found = voices.listing(tenant)
    assert {voice.provider for voice in found} == {"openai", "groq"}
    far_ends["elevenlabs"].reply = fakes.voices([("ada", "Ada")])
    far_ends["elevenlabs"].asked.clear()
    assert voices.listing(tenant)[0].voice_id == "ada"


def test_far_ends_do_not_wait_for_what_runs_here(far_ends: dict[str, FarEnd], tenant: UUID) -> None:
    with ExitStack() as busy:
        for permits, count in ((voices.LOCAL_SPEAKERS, 4), (voices.LOCAL_LISTENERS, 2)):
            for _ in range(count):
                assert permits.acquire(timeout=60)
                busy.callback(permits.release)
        assert say(tenant)[0] == "elevenlabs"
        assert hear(tenant).provider == "openai"
