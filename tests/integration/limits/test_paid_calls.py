"""Workers hold before they call and settle after it, however the call ends. The provider's far end is played."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest
import redis

from pipelines.providers.servers import PRICES
from pipelines.stores import events
from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.knowledge import documents
from pipelines.stores.operations import calls
from pipelines.stores.organisation import quotas, usage
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import cancellations, turns, utterances
from schemas.errors.callers import BudgetExceeded
from schemas.errors.providers import ProviderUnavailable
from schemas.events import Subject
from schemas.settings import get_settings
from schemas.tables.dialogue import Sentence, Turn, TurnStage, TurnStatus
from tests.integration.limits.acting import Door, SetLimits, at_once
from tests.integration.provider_health.conftest import forget
from tests.integration.providers import fakes
from tests.integration.providers.fakes import FarEnd
from workers import ingest, turn, voice, wiring
from workers.spending import budget

MODEL = "gpt-5.4-mini"
PRICE = Decimal(str(PRICES[MODEL].of_tokens(1000, 100)))
HEARD_S = 60


@pytest.fixture
def far_end(servers: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[FarEnd]:
    """Yield the far end of chat, transcription and embeddings, whose models have a price."""
    with fakes.far_end() as fake:
        for name, value in {
            "CHAT_PROVIDER": "custom",
            "CHAT_BASE_URL": fake.url,
            "CHAT_MODEL": MODEL,
            "CHAT_FALLBACK": "0",
            "VOICE_FALLBACK": "0",
            "TRANSCRIBER": "custom",
            "TRANSCRIBER_BASE_URL": fake.url,
            "TRANSCRIPTION_MODEL": "gpt-transcribe",
            "SPEAKER": "elevenlabs",
            "SPEECH_BASE_URL": fake.url,
            "EMBEDDER": "custom",
            "EMBEDDING_BASE_URL": fake.url,
            "EMBEDDING_MODEL": "text-embedding-3-small",
        }.items():
            monkeypatch.setenv(f"AURA_{name}", value)
        monkeypatch.setenv("ELEVENLABS_API_KEY", "a-key")
        _forget_settings()
        forget(get_redis())
        yield fake
        forget(get_redis())
    monkeypatch.undo()
    _forget_settings()


def _forget_settings() -> None:
    get_settings.cache_clear()
    wiring._shared.cache_clear()


def asked(tenant: UUID, stage: TurnStage = TurnStage.GENERATE) -> UUID:
    turn_id = uuid4()
    with tenant_session(tenant) as session:
        conversation_id = turns.open_conversation(session, tenant, "u", "default-assistant")
        session.add(
            Turn(
                tenant_id=tenant,
                turn_id=turn_id,
                conversation_id=conversation_id,
                assistant_key="default-assistant",
                spoken=False,
                question="What does a bicycle cost?",
                stage=stage,
            )
        )
    return turn_id


def generated(tenant: UUID) -> Turn:
    turn_id = asked(tenant)
    turn.generate(str(tenant), str(turn_id))
    with tenant_session(tenant) as session:
        return turns.get(session, turn_id)


def of_month(tenant: UUID) -> usage.Month:
    with tenant_session(tenant) as session:
        return usage.of_month(session, quotas.this_month())


def held(admin: psycopg.Connection, tenant: UUID) -> int:
    return admin.execute("SELECT FROM usage_events WHERE tenant_id = %s AND held_until > now()", (tenant,)).rowcount


def test_an_answer_is_paid_with_the_turn(far_end: FarEnd, limited: SetLimits, admin: psycopg.Connection) -> None:
    tenant = limited(max_monthly_cost_usd="1.00")
    far_end.reply = fakes.answer("900", " euros.", usage=(1000, 100))
    answered = generated(tenant)
    assert (answered.status, answered.cost_usd) == (TurnStatus.COMPLETED, PRICE)
    month = of_month(tenant)
    assert (month.cost_usd, month.input_tokens, month.output_tokens) == (PRICE, 1000, 100)
    assert [(use.kind, use.provider, use.model, use.calls) for use in month.models] == [("chat", "custom", MODEL, 1)]
    assert held(admin, tenant) == 0
    together = admin.execute(
        "SELECT FROM messages m JOIN usage_events u ON u.subject_id = m.turn_id AND u.xmin = m.xmin WHERE turn_id = %s",
        (answered.turn_id,),
    )
    assert together.rowcount == 2


def test_a_used_up_budget_ends_the_turn_before_anything_is_sent(
    far_end: FarEnd, limited: SetLimits, client: "redis.Redis"
) -> None:
    tenant = limited(max_monthly_cost_usd="0")
    refused = [generated(tenant) for _ in range(2)]
    assert {(each.status, each.error_code) for each in refused} == {(TurnStatus.FAILED, "budget_exceeded")}
    assert far_end.asked == []
    told = [event.name for event in events.replay(client, Subject.tenant(tenant)) if event.name.startswith("quota.")]
    assert told == ["quota.warning", "quota.exceeded"]


def test_of_turns_at_once_no_more_are_paid_than_the_budget_covers(far_end: FarEnd, limited: SetLimits) -> None:
    # An answer costs what is held for it, 1,000 tokens and some 300 of the prompt: 0.47 cents.
    price = PRICES[MODEL].of_tokens(300, 1000)
    tenant = limited(max_monthly_cost_usd="0.05")
    far_end.reply = fakes.answer("900 euros.", usage=(300, 1000))
    ended = at_once(20, lambda _: generated(tenant))
    assert [each.status for each in ended].count(TurnStatus.COMPLETED) == len(far_end.asked) == 10
    assert {each.error_code for each in ended} == {None, "budget_exceeded"}
    assert of_month(tenant).cost_usd == 10 * Decimal(str(price))


@pytest.mark.parametrize("reply", [fakes.failure(500), fakes.failure(429)])
def test_a_provider_that_refuses_costs_nothing(
    far_end: FarEnd, tenant: UUID, admin: psycopg.Connection, reply: fakes.Reply
) -> None:
    far_end.reply = reply
    assert generated(tenant).status == TurnStatus.FAILED
    assert admin.execute("SELECT FROM usage_events WHERE tenant_id = %s", (tenant,)).rowcount == 0


def test_an_answer_that_breaks_off_costs_what_came_of_it(
    far_end: FarEnd, tenant: UUID, admin: psycopg.Connection
) -> None:
    far_end.reply = fakes.events(fakes.chunk("a" * 300), cut=True)
    assert generated(tenant).error_code == "answer_cut_short"
    (use,) = of_month(tenant).models
    assert use.output_tokens == 100
    assert use.input_tokens > 50
    assert of_month(tenant).cost_usd == use.cost_usd > 0
    assert held(admin, tenant) == 0


def test_a_cancelled_answer_costs_what_came_of_it(
    far_end: FarEnd, tenant: UUID, client: "redis.Redis", admin: psycopg.Connection
) -> None:
    turn_id = asked(tenant)

    def reply(exchange: fakes.Exchange) -> None:
        cancellations.request(client, tenant, turn_id)
        fakes.endless(fakes.chunk("more "))(exchange)

    far_end.reply = reply
    turn.generate(str(tenant), str(turn_id))
    with tenant_session(tenant) as session:
        assert turns.get(session, turn_id).status == TurnStatus.CANCELLED
    assert of_month(tenant).cost_usd > 0
    assert held(admin, tenant) == 0


def test_a_turn_taken_over_by_another_worker_is_paid_by_both(
    far_end: FarEnd, tenant: UUID, admin: psycopg.Connection
) -> None:
    turn_id = asked(tenant)

    def reply(exchange: fakes.Exchange) -> None:
        admin.execute("UPDATE turns SET lease_token = gen_random_uuid() WHERE turn_id = %s", (turn_id,))
        fakes.answer("900", usage=(1000, 100))(exchange)

    far_end.reply = reply
    turn.generate(str(tenant), str(turn_id))
    assert of_month(tenant).cost_usd == PRICE
    with tenant_session(tenant) as session:
        assert turns.get(session, turn_id).answer is None


def listened(client: "redis.Redis", tenant: UUID) -> dict[str, object]:
    call_id = uuid4()
    calls.ask(client, tenant, call_id, {"language": None}, bytes(32_000 * HEARD_S))
    voice.transcribe(str(tenant), str(call_id))
    return calls.result(client, tenant, call_id, 5)[0]


@pytest.mark.parametrize(("text", "error"), [("Good morning.", None), ("", "no_speech")])
def test_listening_costs_by_the_minute_also_to_silence(
    far_end: FarEnd, limited: SetLimits, client: "redis.Redis", text: str, error: str | None
) -> None:
    tenant = limited(max_monthly_cost_usd="1.00")
    far_end.reply = fakes.body({"text": text, "languages": []})
    assert listened(client, tenant).get("error") == error
    (use,) = of_month(tenant).models
    assert (use.kind, use.seconds, use.cost_usd) == ("transcription", HEARD_S, Decimal("0.0045"))


def test_listening_is_refused_where_the_budget_is_used_up(
    far_end: FarEnd, limited: SetLimits, client: "redis.Redis"
) -> None:
    assert listened(client, limited(max_monthly_cost_usd="0"))["error"] == "budget_exceeded"
    assert far_end.asked == []


def test_a_question_that_is_heard_goes_on_and_is_paid(
    far_end: FarEnd, limited: SetLimits, client: "redis.Redis", admin: psycopg.Connection
) -> None:
    tenant = limited(max_monthly_cost_usd="0.01")
    far_end.reply = fakes.body({"text": "Good morning.", "languages": []})
    heard = asked(tenant, TurnStage.TRANSCRIBE)
    utterances.put(client, tenant, heard, bytes(32_000 * HEARD_S))
    turn.transcribe(str(tenant), str(heard))
    with tenant_session(tenant) as session:
        assert turns.get(session, heard).stage == TurnStage.GENERATE, "nothing is stored that could be searched"
    (use,) = of_month(tenant).models
    assert (use.kind, use.calls, use.cost_usd) == ("transcription", 1, Decimal("0.0045"))
    assert held(admin, tenant) == 0


def test_speaking_is_written_down_by_its_seconds(far_end: FarEnd, tenant: UUID, client: "redis.Redis") -> None:
    far_end.reply = fakes.pcm(bytes(2 * 22_050))
    call_id, spoken = uuid4(), asked(tenant)
    calls.ask(client, tenant, call_id, {"text": "Good morning.", "voice_id": None})
    voice.synthesize(str(tenant), str(call_id))
    with tenant_session(tenant) as session:
        session.add(Sentence(tenant_id=tenant, turn_id=spoken, seq=0, text="Good morning."))
    turn.synthesize(str(tenant), str(spoken), 0)
    (use,) = of_month(tenant).models
    assert (use.kind, use.provider, use.calls, use.seconds) == ("speech", "elevenlabs", 2, 2.0)
    assert float(use.cost_usd) == pytest.approx(2 * len("Good morning.") * 0.05 / 1_000)


def test_a_budget_that_is_used_up_stops_speech_before_it_is_paid_for(
    far_end: FarEnd, tenant: UUID, admin: psycopg.Connection, client: "redis.Redis"
) -> None:
    admin.execute("UPDATE tenants SET max_monthly_cost_usd = 0 WHERE tenant_id = %s", (tenant,))
    call_id = uuid4()
    calls.ask(client, tenant, call_id, {"text": "Good morning.", "voice_id": None})
    voice.synthesize(str(tenant), str(call_id))
    reply, _ = calls.result(client, tenant, call_id, 1)
    assert reply["error"] == "budget_exceeded"
    assert far_end.asked == []


def test_a_document_that_the_budget_cannot_embed_says_so(far_end: FarEnd, door: Callable[..., Door]) -> None:
    here = door(max_monthly_cost_usd="0")
    doc_id = UUID(here.upload(b"The shop opens at nine. " * 20).get_json()["job_id"])
    with operator_session() as session:
        ref = next(part.ref for part in documents.admit(session, 10_000, 10_000) if part.ref.doc_id == doc_id)
    for stage in (ingest.extract, ingest.chunk, ingest.embed):
        stage(str(ref.tenant_id), [(str(ref.doc_id), ref.version, 0)])
    with tenant_session(here.tenant_id) as session:
        assert documents.get(session, doc_id).error_code == "budget_exceeded"
    assert far_end.asked == []


@pytest.fixture
def embeds(far_end: FarEnd) -> Callable[[UUID, list[str]], None]:
    far_end.reply = fakes.embeddings(lambda _: np.eye(1, 1536)[0].tolist())

    def embed(tenant: UUID, texts: list[str]) -> None:
        embedder = wiring.embedder(tenant)
        with budget.embedding(tenant, embedder, texts, uuid4()):
            embedder.embed(texts)

    return embed


def test_embedding_costs_by_its_tokens(
    far_end: FarEnd, limited: SetLimits, embeds: Callable[[UUID, list[str]], None]
) -> None:
    tenant = limited(max_monthly_cost_usd="1.00")
    embeds(tenant, ["one two three four"] * 50)
    (use,) = of_month(tenant).models
    assert (use.kind, use.provider, use.input_tokens, use.cost_usd) == ("embedding", "custom", 200, Decimal("0.000004"))
    with pytest.raises(BudgetExceeded):
        embeds(limited(max_monthly_cost_usd="0"), ["one"])


def test_embedding_that_fails_gives_back_what_was_held(
    far_end: FarEnd, tenant: UUID, embeds: Callable[[UUID, list[str]], None]
) -> None:
    far_end.reply = fakes.failure(503)
    with pytest.raises(ProviderUnavailable):
        embeds(tenant, ["one"])
    assert of_month(tenant).models == ()


def test_models_without_a_price_are_counted_and_hold_nothing(
    far_end: FarEnd, limited: SetLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AURA_CHAT_MODEL", "my-own-model")
    _forget_settings()
    tenant = limited(max_monthly_cost_usd="0")
    far_end.reply = fakes.answer("900", usage=(1000, 100))
    assert generated(tenant).status == TurnStatus.COMPLETED
    (use,) = of_month(tenant).models
    assert (use.model, use.calls, use.input_tokens, use.cost_usd) == ("my-own-model", 1, 1000, 0)
