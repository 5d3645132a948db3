"""Calls of providers that fail, and then work: each change is told once, to those whom it concerns."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest
import redis

from pipelines.stores.database import tenant_session
from pipelines.stores.operations import audit, calls, provider_health
from pipelines.stores.operations.provider_health import MIN_FAILURES, RECOVERS_AFTER, Circuit, State
from pipelines.stores.organisation import provider_keys
from pipelines.stores.redis import open_redis
from pipelines.stores.turns import turns
from pipelines.stores.webhooks import endpoints
from schemas.errors.providers import ProviderUnavailable, RateLimited, StoreUnavailable
from schemas.errors.requests import NotOffered
from schemas.errors.tree import AuraError
from schemas.errors.work import Cancelled
from schemas.requests.organisation.providers import KeyedProvider
from schemas.tables.dialogue import Turn, TurnStage
from tests.integration import storing
from tests.integration.limits.acting import at_once
from tests.integration.provider_health.conftest import Told, half_a_minute_later
from tests.integration.providers import fakes
from tests.integration.providers.fakes import FarEnd
from workers import announce, turn, voice, wiring
from workers.dialogue import finding
from workers.spending import budget, health

CHAT = Circuit("chat", "custom")
Call = Callable[[UUID], object]


def generated(tenant: UUID) -> None:
    turn.generate(str(tenant), str(asked(tenant, TurnStage.GENERATE)))


def retrieved(tenant: UUID) -> None:
    finding._away.clear()  # Else it is let alone for some seconds.
    turn.retrieve(str(tenant), str(asked(tenant, TurnStage.RETRIEVE)))


def asked(tenant: UUID, stage: TurnStage) -> UUID:
    turn_id = uuid4()
    with tenant_session(tenant) as session:
        conversation_id = turns.open_conversation(session, tenant, "u", "default-assistant")
        about = {"tenant_id": tenant, "turn_id": turn_id, "conversation_id": conversation_id, "stage": stage}
        session.add(Turn(**about, assistant_key="default-assistant", spoken=False, question=f"What is {turn_id}?"))
    return turn_id


def transcribed(tenant: UUID) -> None:
    voiced(tenant, voice.transcribe, {"language": None}, bytes(32_000))


def spoken(tenant: UUID) -> None:
    voiced(tenant, voice.synthesize, {"text": "Good morning.", "voice_id": None}, b"")


def voiced(tenant: UUID, act: Callable[[str, str], None], facts: dict[str, object], sound: bytes) -> None:
    call_id = uuid4()
    calls.ask(health.get_redis(), tenant, call_id, facts, sound)
    act(str(tenant), str(call_id))


def embedded(tenant: UUID) -> None:
    embedder = wiring.embedder(tenant)
    with suppress(AuraError), budget.embedding(tenant, embedder, ["a text"], uuid4()):
        embedder.embed(["a text"])


def first_of_eight(_: str) -> Sequence[float]:
    return list(np.eye(8)[0])


KINDS: dict[str, tuple[Call, str, fakes.Reply]] = {
    "chat": (generated, "custom", fakes.answer("900 euros.")),
    "question": (retrieved, "custom", fakes.embeddings(first_of_eight)),
    "embedding": (embedded, "custom", fakes.embeddings(first_of_eight)),
    "transcription": (transcribed, "custom", fakes.body({"text": "Hello.", "languages": []})),
    "speech": (spoken, "elevenlabs", fakes.pcm(bytes(4096))),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_call_is_watched(
    kind: str, far_end: FarEnd, tenant: UUID, told: Told, client: "redis.Redis"
) -> None:
    call, provider, works = KINDS[kind]
    if kind == "question":
        storing.store(
            tenant, "a.txt", ["It costs 900 euros."], model=wiring.embedder(tenant).model, vector=first_of_eight
        )
    far_end.reply = fakes.failure(500)
    for _ in range(MIN_FAILURES - 1):
        call(tenant)
    assert told(tenant) == []
    call(tenant)
    half_a_minute_later(client)
    far_end.reply = works
    for _ in range(RECOVERS_AFTER + 3):
        call(tenant)
    expected = "embedding" if kind == "question" else kind
    changes = [(each["type"], each["kind"], each["provider"], each["own_key"]) for each in told(tenant)]
    assert changes == [(f"provider.{name}", expected, provider, False) for name in ("degraded", "recovered")]


@pytest.mark.parametrize("reply", [fakes.page("<html>Bad gateway</html>"), fakes.events(fakes.chunk("9"), cut=True)])
def test_answers_that_are_none_count_as_failures(reply: fakes.Reply, far_end: FarEnd, tenant: UUID, told: Told) -> None:
    far_end.reply = reply
    for _ in range(MIN_FAILURES):
        generated(tenant)
    assert [each["code"] for each in told(tenant)] == ["provider_unavailable"]


def test_eight_threads_that_fail_and_recover_at_once_tell_it_once(
    far_end: FarEnd, tenant: UUID, told: Told, client: "redis.Redis"
) -> None:
    far_end.reply = fakes.failure(503)
    at_once(8, lambda _: generated(tenant))
    assert [each["type"] for each in told(tenant)] == ["provider.degraded"]
    far_end.reply = fakes.answer("900 euros.")
    half_a_minute_later(client)
    for _ in range(RECOVERS_AFTER + 1):
        at_once(8, lambda _: generated(tenant))
    assert [each["type"] for each in told(tenant)] == ["provider.degraded", "provider.recovered"]


def fail(tenant: UUID, error: AuraError | None = None) -> None:
    error = error or ProviderUnavailable()
    with pytest.raises(type(error)), health.watch(tenant, "chat", "custom"):
        raise error


def work(tenant: UUID) -> None:
    with health.watch(tenant, "chat", "custom"):
        pass


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (RateLimited(retry_after_s=60), True),
        (RateLimited(retry_after_s=1), False),
        (NotOffered(), False),
        (Cancelled(), False),
        (StoreUnavailable(), False),
    ],
)
def test_only_what_the_provider_does_wrong_counts(error: AuraError, counts: bool, tenant: UUID, told: Told) -> None:
    for _ in range(MIN_FAILURES):
        fail(tenant, error)
    assert bool(told(tenant)) is counts


def test_now_and_then_a_failure_is_no_degradation(tenant: UUID, told: Told) -> None:
    for _ in range(5 * MIN_FAILURES):
        work(tenant)
        work(tenant)
        fail(tenant)
    assert told(tenant) == []


def test_those_are_told_whose_calls_were_affected(new_tenant: Callable[[], UUID], told: Told) -> None:
    first, second, late, bystander = (new_tenant() for _ in range(4))
    for tenant in (first, second, first):
        fail(tenant)
    assert [len(told(each)) for each in (first, second, late, bystander)] == [1, 1, 0, 0]
    fail(late)
    for _ in range(RECOVERS_AFTER):
        work(bystander)
    for tenant in (first, second, late):
        assert [each["type"] for each in told(tenant)] == ["provider.degraded", "provider.recovered"]
        assert {each["tenant_id"] for each in told(tenant)} == {str(tenant)}
    assert told(bystander) == []


def test_webhooks_are_told_too(tenant: UUID, admin: psycopg.Connection) -> None:
    with tenant_session(tenant) as session:
        endpoints.add(session, tenant, {}, url="https://example.org/hook", events=["provider.*"])
    for _ in range(MIN_FAILURES):
        fail(tenant)
    work(tenant)
    work(tenant)
    owed = admin.execute("SELECT event_type FROM webhook_deliveries WHERE tenant_id = %s ORDER BY due_at", (tenant,))
    assert [name for (name,) in owed] == ["provider.degraded", "provider.recovered"]


def test_a_failure_between_begins_the_recovery_anew(tenant: UUID, told: Told) -> None:
    for _ in range(MIN_FAILURES):
        fail(tenant)
    for _ in range(5):
        for _ in range(RECOVERS_AFTER - 1):
            work(tenant)
        fail(tenant)
    assert [each["type"] for each in told(tenant)] == ["provider.degraded"]


def test_a_key_of_ones_own_is_a_circuit_of_its_own(
    new_tenant: Callable[[], UUID], told: Told, client: "redis.Redis"
) -> None:
    own, other = new_tenant(), new_tenant()
    with tenant_session(own) as session:
        provider_keys.put(session, own, audit.SYSTEM, KeyedProvider.CUSTOM, "sk-their-own-key-of-some-length")
    for _ in range(MIN_FAILURES):
        fail(own)
    assert [each["own_key"] for each in told(own)] == [True]
    assert provider_health.state(client, CHAT) is State.CLOSED
    assert provider_health.is_open(client, Circuit("chat", "custom", own))
    # The others' calls say nothing about this key, and theirs are not failed by it.
    for _ in range(RECOVERS_AFTER):
        work(other)
    fail(other)
    assert (len(told(own)), told(other)) == (1, [])
    for _ in range(RECOVERS_AFTER):
        work(own)
    assert [each["type"] for each in told(own)] == ["provider.degraded", "provider.recovered"]


def test_a_circuit_opens_and_after_a_while_lets_one_try(
    tenant: UUID, client: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provider_health.state(client, CHAT) is State.CLOSED
    for _ in range(MIN_FAILURES):
        fail(tenant)
    assert provider_health.state(client, CHAT) is State.OPEN and provider_health.is_open(client, CHAT)
    monkeypatch.setattr(provider_health, "OPEN_FOR_S", 0)
    assert provider_health.state(client, CHAT) is State.HALF_OPEN and not provider_health.is_open(client, CHAT)


def test_what_nobody_calls_any_more_is_settled(
    tenant: UUID, told: Told, client: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(MIN_FAILURES):
        fail(tenant)
    health.settle()
    assert provider_health.degraded(client) == [CHAT] and len(told(tenant)) == 1
    monkeypatch.setattr(provider_health, "STALE_S", 0)
    health.settle()
    health.settle()
    assert [each["type"] for each in told(tenant)] == ["provider.degraded", "provider.recovered"]
    assert provider_health.degraded(client) == []


def commands(client: "redis.Redis") -> int:
    return int(client.info("stats")["total_commands_processed"])


def test_a_call_that_works_asks_redis_nothing(tenant: UUID, client: "redis.Redis") -> None:
    before = commands(client)
    for _ in range(100):
        work(tenant)
    assert commands(client) - before == 1, "the look itself"


def test_a_lost_redis_changes_no_call(tenant: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(MIN_FAILURES):
        fail(tenant)
    with open_redis("redis://127.0.0.1:1/0") as nowhere:
        for module in (health, announce):
            monkeypatch.setattr(module, "get_redis", lambda: nowhere)
        for _ in range(20):
            fail(tenant)
            work(tenant)
