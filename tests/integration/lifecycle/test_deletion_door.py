"""Who may ask for a deletion, how, and what the answers say."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Signal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask.testing import FlaskClient

from api.organisation.lifecycle import request_deletion
from pipelines.stores.operations.audit import SYSTEM
from schemas.errors.requests import Conflict, NotFound
from schemas.tables.base import DEFAULT_TENANT_ID
from tests.integration.lifecycle.conftest import Owner
from tests.integration.lifecycle.leaving import ask, messages
from workers import send, tenants

NewOwner = Callable[[str], Owner]


def test_the_default_tenant_stays(client: FlaskClient) -> None:
    with client.application.test_request_context(), pytest.raises(Conflict):
        request_deletion(UUID(DEFAULT_TENANT_ID), SYSTEM)
    response = client.delete("/api/tenant", json={"confirm": "Default Organization"})
    assert (response.status_code, response.get_json()["code"]) == (409, "conflict")


def test_asking_twice_is_asking_once(client: FlaskClient, new_owner: NewOwner, admin: psycopg.Connection) -> None:
    owner = new_owner("twice")
    ask(client, owner)
    ask(client, owner)
    acts = "SELECT count(*) FROM audit_log WHERE tenant_id = %s AND action = 'tenant.deletion_requested'"
    assert admin.execute(acts, (owner.tenant_id,)).fetchone() == (1,)


def test_an_unknown_tenant_is_not_found(client: FlaskClient) -> None:
    with client.application.test_request_context(), pytest.raises(NotFound):
        request_deletion(uuid4(), SYSTEM)
    assert client.get(f"/api/tenants/{uuid4()}/deletion").status_code == 404
    tenants.delete(str(uuid4()))


@pytest.mark.parametrize("body", [{}, {"confirm": ""}, {"confirm": "another name"}, {"confirm": None}])
def test_the_name_must_be_repeated(client: FlaskClient, new_owner: NewOwner, body: dict[str, Any]) -> None:
    owner = new_owner("named")
    response = client.delete("/api/tenant", json=body, headers=owner.headers)
    assert (response.status_code, response.get_json()["code"]) == (422, "invalid_request")
    assert client.get("/api/tenant/export", headers=owner.headers, buffered=True).status_code == 200


def test_asking_closes_the_door_and_names_the_receipt(
    client: FlaskClient, new_owner: NewOwner, admin: psycopg.Connection
) -> None:
    owner = new_owner("asking")
    response = client.delete("/api/tenant", json={"confirm": f"{owner.canary} Ltd"}, headers=owner.headers)
    assert response.status_code == 202
    assert response.headers["Location"] == f"/api/tenants/{owner.tenant_id}/deletion"
    row = "SELECT is_active, deletion_requested_at IS NOT NULL FROM tenants WHERE tenant_id = %s"
    assert admin.execute(row, (owner.tenant_id,)).fetchone() == (False, True)
    acts = "SELECT actor_kind FROM audit_log WHERE tenant_id = %s AND action = 'tenant.deletion_requested'"
    assert admin.execute(acts, (owner.tenant_id,)).fetchall() == [("api_key",)]
    assert len(messages("workers.tenants.delete", owner.tenant_id)) == 1

    shown = client.get(response.headers["Location"]).get_json()
    assert (shown["status"], shown["receipt"]["finished_at"]) == ("running", None)
    tenants.delete(str(owner.tenant_id))
    shown = client.get(response.headers["Location"]).get_json()
    assert (shown["status"], shown["organization_name"]) == ("finished", f"{owner.canary} Ltd")
    assert shown["requested_by"].startswith("api_key ")


def test_a_tenants_admin_does_not_see_receipts(client: FlaskClient, new_owner: NewOwner) -> None:
    owner = new_owner("curious")
    response = client.get(f"/api/tenants/{owner.tenant_id}/deletion", headers=owner.headers)
    assert (response.status_code, response.get_json()["code"]) == (403, "forbidden")


def test_waiting_answers_with_the_receipt(
    client: FlaskClient, new_owner: NewOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, asked = new_owner("waiting"), Signal()
    real = send.tenant_deletion

    def heard(tenant_id: UUID, in_s: float = 0) -> None:
        real(tenant_id, in_s)
        asked.set()

    monkeypatch.setattr(send, "tenant_deletion", heard)
    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(lambda: asked.wait(150) and tenants.delete(str(owner.tenant_id)))
        response = client.delete(
            "/api/tenant",
            json={"confirm": f"{owner.canary} Ltd"},
            headers={**owner.headers, "Prefer": "wait=200"},
        )
        worker.result()
    assert response.status_code == 200
    assert set(response.get_json()["receipt"]["left"]["rows"].values()) == {0}
