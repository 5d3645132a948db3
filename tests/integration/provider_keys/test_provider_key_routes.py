"""An admin sets, sees and removes keys of providers; the keys themselves never come back."""

from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient

from schemas.requests.organisation.providers import KeyedProvider
from schemas.settings import Settings
from schemas.tables.base import DEFAULT_TENANT_ID

PATH = "/api/tenant/provider-keys"
KEY = "sk-canary-4711-and-some-more-characters-WXYZ"


def audited(admin: psycopg.Connection) -> list[tuple[Any, ...]]:
    question = "SELECT action, target_id, before, after FROM audit_log WHERE action LIKE 'provider_key.%%'"
    return admin.execute(question + " AND tenant_id = %s ORDER BY audit_id", (DEFAULT_TENANT_ID,)).fetchall()


def test_a_key_is_seen_by_its_last_characters_only(client: FlaskClient, admin: psycopg.Connection) -> None:
    assert client.get(PATH).json == []
    response = client.put(f"{PATH}/openai", json={"key": f"  {KEY}\n"})
    assert response.status_code == 200
    view = response.json
    assert (view["provider"], view["hint"]) == ("openai", "WXYZ")
    assert client.get(PATH).json == [view]
    (row,) = admin.execute("SELECT api_keys FROM tenants WHERE tenant_id = %s", (DEFAULT_TENANT_ID,)).fetchone() or ()
    assert row["openai"].keys() == {"sealed", "hint", "set_at"}
    assert "canary" not in str(row)


def test_setting_one_key_leaves_the_others(client: FlaskClient) -> None:
    for provider in KeyedProvider:
        assert client.put(f"{PATH}/{provider}", json={"key": f"{KEY}-{provider}"}).status_code == 200
    assert {view["provider"] for view in client.get(PATH).json} == {provider.value for provider in KeyedProvider}
    gone = client.delete(f"{PATH}/groq").json
    assert (gone["provider"], gone["hint"]) == ("groq", "groq")
    assert gone["deleted_at"]
    assert len(client.get(PATH).json) == len(KeyedProvider) - 1
    assert client.delete(f"{PATH}/groq").status_code == 404


def test_each_change_is_written_down_without_the_key(client: FlaskClient, admin: psycopg.Connection) -> None:
    before = len(audited(admin))
    first = client.put(f"{PATH}/grok", json={"key": KEY}).json
    second = client.put(f"{PATH}/grok", json={"key": f"{KEY}-second"}).json
    client.delete(f"{PATH}/grok")
    assert audited(admin)[before:] == [
        ("provider_key.set", "grok", None, first),
        ("provider_key.set", "grok", first, second),
        ("provider_key.removed", "grok", second, None),
    ]
    assert first.keys() == {"provider", "hint", "set_at"}


def test_a_short_key_gives_no_hint(client: FlaskClient) -> None:
    assert client.put(f"{PATH}/custom", json={"key": "12345678"}).json["hint"] == ""


@pytest.mark.parametrize(
    "key",
    ["canary7", "canary " + "x" * 20, "canary" + "x" * 495, "canary-ключ-0123456", "canary\r\nX-Evil: 1", 4711, None],
)
def test_what_cannot_be_a_key_is_refused_and_not_repeated(client: FlaskClient, key: object) -> None:
    response = client.put(f"{PATH}/openai", json={"key": key})
    assert (response.status_code, response.json["code"]) == (422, "invalid_request")
    assert "canary" not in response.text
    assert client.get(PATH).json == []


@pytest.mark.parametrize("provider", ["nobody", "OPENAI", "local", "chat_base_url"])
def test_only_keys_can_be_set(client: FlaskClient, provider: str) -> None:
    response = client.put(f"{PATH}/{provider}", json={"key": KEY})
    assert response.status_code == 422
    assert KEY not in response.text
    body = {"key": KEY, "base_url": "http://169.254.169.254/", "chat_base_url": "http://169.254.169.254/"}
    assert "169.254" not in client.put(f"{PATH}/custom", json=body).text


def test_every_key_of_the_settings_can_be_a_tenants() -> None:
    fields = {name for name in Settings.model_fields if name.endswith("_api_key")}
    # Whoever reads passages again is the deployment's choice, as the machine is.
    assert {provider.key_field for provider in KeyedProvider} == fields - {"rerank_api_key"}
