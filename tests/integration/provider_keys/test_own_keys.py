"""A tenant's own key is used in place of the deployment's, by that tenant alone, and models are not doubled."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from pipelines.ports.models import Prompt
from pipelines.stores.database import tenant_session
from pipelines.stores.operations import audit
from pipelines.stores.organisation import provider_keys
from pipelines.stores.turns import turns
from schemas.errors.requests import NotOffered
from schemas.requests.organisation.providers import KeyedProvider
from schemas.tables.dialogue import Turn, TurnStage
from tests.integration import storing
from tests.integration.provider_keys.conftest import DEPLOYMENT_KEY, keep
from tests.integration.providers import fakes
from tests.integration.providers.fakes import FarEnd
from workers import turn as turn_tasks
from workers import wiring

OWN = "sk-of-the-tenant-1111-2222-3333"
ASKED = Prompt("Why?", (), "Answer.")


def shown(fake: FarEnd) -> str:
    """Return the key that the last request carried."""
    headers = fake.asked[-1].headers
    return headers.get("xi-api-key") or headers["authorization"].removeprefix("Bearer ")


def test_every_kind_of_work_is_done_with_the_tenants_own_key(remote: FarEnd, new_tenant: Callable[[], UUID]) -> None:
    with_keys, without = new_tenant(), new_tenant()
    keep(with_keys, KeyedProvider.CUSTOM, OWN)
    keep(with_keys, KeyedProvider.ELEVENLABS, f"{OWN}-voice")

    for tenant_id, key, voice in ((with_keys, OWN, f"{OWN}-voice"), (without, DEPLOYMENT_KEY, DEPLOYMENT_KEY)):
        remote.reply = fakes.answer("Because.")
        assert next(wiring.chat_model(tenant_id).answer(ASKED)) == "Because."
        assert shown(remote) == key
        remote.reply = fakes.embeddings(lambda _: (1.0, 0.0))
        wiring.embedder(tenant_id).embed(["why"])
        assert shown(remote) == key
        remote.reply = fakes.pcm(b"\0\0")
        assert b"".join(wiring.speaker(tenant_id).speak("Why?")) == b"\0\0"
        assert shown(remote) == voice


def test_tenants_without_a_key_for_it_share_one_provider(remote: FarEnd, new_tenant: Callable[[], UUID]) -> None:
    first, second, elsewhere = new_tenant(), new_tenant(), new_tenant()
    keep(elsewhere, KeyedProvider.OPENAI, OWN)  # OpenAI is not what this deployment has chosen.
    for offered in (wiring.chat_model, wiring.embedder, wiring.transcriber, wiring.speaker):
        assert offered(first) is offered(second) is offered(elsewhere)
    keep(first, KeyedProvider.CUSTOM, OWN)
    forget_kept()
    assert wiring.chat_model(first) is wiring.chat_model(first)
    assert wiring.chat_model(first) is not wiring.chat_model(second)
    assert wiring.speaker(first) is wiring.speaker(second)


def test_local_models_are_loaded_once_also_for_tenants_with_keys(
    configure: Callable[..., None], new_tenant: Callable[[], UUID]
) -> None:
    configure(AURA_CHAT_PROVIDER="local")
    tenants = [new_tenant() for _ in range(3)]
    for tenant_id in tenants[1:]:
        for provider in KeyedProvider:
            keep(tenant_id, provider, f"{OWN}-{tenant_id}")
    assert len({id(wiring.chat_model(tenant_id)) for tenant_id in tenants}) == 1
    assert len({id(wiring.embedder(tenant_id)) for tenant_id in tenants}) == 1


def test_auto_chooses_by_the_keys_that_the_tenant_has(
    configure: Callable[..., None], new_tenant: Callable[[], UUID]
) -> None:
    configure(AURA_CHAT_PROVIDER="auto", GROQ_API_KEY=DEPLOYMENT_KEY)
    plain, own, other = new_tenant(), new_tenant(), new_tenant()
    keep(own, KeyedProvider.OPENAI, OWN)
    keep(other, KeyedProvider.GROQ, OWN)
    assert [wiring.chat_model(tenant_id).name for tenant_id in (plain, own, other)] == ["groq", "openai", "groq"]
    assert wiring.chat_model(plain) is not wiring.chat_model(other)
    offering = wiring.offering(own)
    assert offering.openai_api_key is not None
    assert OWN not in repr(offering) + offering.openai_api_key.get_secret_value()


def test_a_new_key_is_used_within_five_seconds_and_a_removed_one_is_not(remote: FarEnd, tenant: UUID) -> None:
    remote.reply = fakes.answer("Because.")

    def asks_with(key: str, within_s: float = 60.0) -> bool:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            list(wiring.chat_model(tenant).answer(ASKED))
            if shown(remote) == key:
                return True
        return False

    assert asks_with(DEPLOYMENT_KEY)
    keep(tenant, KeyedProvider.CUSTOM, OWN)
    assert asks_with(OWN)
    keep(tenant, KeyedProvider.CUSTOM, f"{OWN}-second")
    assert asks_with(f"{OWN}-second")
    with tenant_session(tenant) as session:
        provider_keys.remove(session, tenant, audit.SYSTEM, KeyedProvider.CUSTOM)
    assert asks_with(DEPLOYMENT_KEY)


def test_a_key_copied_from_another_tenant_does_not_open_and_the_turn_says_so(
    remote: FarEnd, new_tenant: Callable[[], UUID], admin: psycopg.Connection
) -> None:
    theirs, thief = new_tenant(), new_tenant()
    keep(theirs, KeyedProvider.CUSTOM, OWN)
    keep(theirs, KeyedProvider.ELEVENLABS, OWN)
    admin.execute(
        "UPDATE tenants t SET api_keys = o.api_keys FROM tenants o WHERE t.tenant_id = %s AND o.tenant_id = %s",
        (thief, theirs),
    )
    forget_kept()
    for offered in (wiring.chat_model, wiring.embedder, wiring.transcriber, wiring.speaker):
        with pytest.raises(NotOffered, match="cannot be opened"):
            offered(thief)
    storing.store(thief, "a.txt", ["The harbour bridge opens at noon."])
    turn_id = asked(thief)
    turn_tasks.retrieve(str(thief), str(turn_id))
    with tenant_session(thief) as session:
        ended = turns.get(session, turn_id)
    assert (ended.status, ended.error_code) == ("failed", "not_offered")
    assert "cannot be opened" in (ended.error_detail or "")
    assert remote.asked == []


def test_another_key_that_cannot_be_opened_is_no_hindrance(
    remote: FarEnd, tenant: UUID, admin: psycopg.Connection
) -> None:
    keep(tenant, KeyedProvider.CUSTOM, OWN)
    spoilt: Any = '{"sealed": "v1.00000000.AAAA", "hint": "", "set_at": "2026-01-01T00:00:00+00:00"}'
    admin.execute(
        "UPDATE tenants SET api_keys = api_keys || jsonb_build_object('openai', %s::jsonb) WHERE tenant_id = %s",
        (spoilt, tenant),
    )
    remote.reply = fakes.answer("Because.")
    list(wiring.chat_model(tenant).answer(ASKED))
    assert shown(remote) == OWN


def asked(tenant_id: UUID) -> UUID:
    """Return a turn whose question waits for what it is to be answered from."""
    turn_id = uuid4()
    with tenant_session(tenant_id) as session:
        conversation_id = turns.open_conversation(session, tenant_id, "tester", "default-assistant")
        session.add(
            Turn(
                tenant_id=tenant_id,
                turn_id=turn_id,
                conversation_id=conversation_id,
                assistant_key="default-assistant",
                question="Why?",
                spoken=False,
                stage=TurnStage.RETRIEVE,
            )
        )
    return turn_id


def forget_kept() -> None:
    wiring._kept.cache_clear()
