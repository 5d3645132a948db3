"""An admin tries the organisation's own key of a provider, and is told what it is good for."""

from collections.abc import Callable
from uuid import UUID, uuid4

from flask.testing import FlaskClient

from pipelines.stores.operations import calls
from pipelines.stores.redis import get_redis
from schemas.requests.organisation.providers import KeyedProvider
from tests.integration.provider_keys.conftest import keep
from tests.integration.providers import fakes
from tests.integration.providers.fakes import FarEnd
from workers import key_trials

OWN = "sk-of-the-tenant-1111-2222-3333"


def tried(tenant_id: UUID, provider: KeyedProvider) -> dict[str, tuple[bool, str | None]]:
    """Return what came of a trial, by kind: whether it works, and the code of why not."""
    call_id = uuid4()
    calls.ask(get_redis(), tenant_id, call_id, {"provider": provider.value})
    key_trials.try_key(str(tenant_id), str(call_id))
    facts, _ = calls.result(get_redis(), tenant_id, call_id, 60.0)
    return {one["kind"]: (one["works"], one["code"]) for one in facts["trials"]}


def test_each_kind_of_work_is_tried_with_the_own_key(remote: FarEnd, new_tenant: Callable[[], UUID]) -> None:
    tenant_id = new_tenant()
    keep(tenant_id, KeyedProvider.CUSTOM, OWN)
    remote.reply = fakes.answer("Yes.")
    found = tried(tenant_id, KeyedProvider.CUSTOM)
    assert found.keys() == {"chat", "embedding"} and found["chat"] == (True, None)
    assert {each.headers["authorization"] for each in remote.asked} == {f"Bearer {OWN}"}


def test_a_key_that_is_refused_is_told_with_its_reason(remote: FarEnd, new_tenant: Callable[[], UUID]) -> None:
    tenant_id = new_tenant()
    keep(tenant_id, KeyedProvider.CUSTOM, OWN)
    remote.reply = fakes.failure(401)
    works, code = tried(tenant_id, KeyedProvider.CUSTOM)["chat"]
    assert not works and code


def test_a_key_that_may_not_speak_is_said_not_to_work_though_its_voices_are_known(
    remote: FarEnd, new_tenant: Callable[[], UUID], configure: Callable[..., None]
) -> None:
    configure(AURA_GROQ_BASE_URL=remote.url)
    tenant_id = new_tenant()
    keep(tenant_id, KeyedProvider.GROQ, OWN)

    def chats_only(exchange: fakes.Exchange) -> None:
        (fakes.answer("Yes.") if "chat" in exchange.asked.path else fakes.failure(403))(exchange)

    remote.reply = chats_only
    found = tried(tenant_id, KeyedProvider.GROQ)
    assert found["chat"] == (True, None)
    assert found["speech"][0] is False
    assert "embedding" not in found


def test_a_key_that_is_not_there_is_not_tried(client: FlaskClient) -> None:
    response = client.post("/api/tenant/provider-keys/groq/test")
    assert (response.status_code, response.json["code"]) == (404, "not_found")
