"""The operator of the platform, and what nobody else may do to one."""

import re
from collections.abc import Callable
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.door import auth
from pipelines.stores import sealing
from pipelines.stores.database import tenant_session
from schemas.settings import get_settings
from schemas.tables.base import DEFAULT_TENANT_ID
from schemas.tables.dialogue import Conversation, Turn
from tests.integration.people import PASSWORD, Person, code
from tests.integration.stores.conftest import Library


def test_an_operator_founds_lists_changes_and_ends_organisations(
    operator: Person, door: FlaskClient, ada: Person
) -> None:
    email = f"{uuid4().hex}@example.org"
    body = {"organization_name": "New", "admin_email": email, "subscription_tier": "premium", "max_users": 3}
    made = operator.post("/api/tenants", json=body)
    assert made.status_code == 201, made.json
    tenant = made.json or {}
    assert (tenant["max_users"], tenant["max_storage_gb"], tenant["subscription_tier"]) == (3, 100, "premium")
    token = tenant["invitation_url"].partition("#")[2]
    accepted = door.post("/api/invitations/accept", json={"token": token, "password": PASSWORD})
    admin_of_it = Person(door, accepted.json or {}, email)
    assert (admin_of_it.get("/api/me").json or {})["role"] == "admin"
    listed = operator.get("/api/tenants?limit=2").json or {}
    assert tenant["tenant_id"] in {each["tenant_id"] for each in listed["tenants"]} and listed["next"]
    after = operator.get(f"/api/tenants?limit=200&after={listed['next']}").json or {}
    assert not {each["tenant_id"] for each in after["tenants"]} & {each["tenant_id"] for each in listed["tenants"]}
    path = f"/api/tenants/{tenant['tenant_id']}"
    assert operator.request("PATCH", path, json={"subscription_tier": "enterprise"}).status_code == 200
    assert (operator.get(path).json or {})["max_users"] == 10_000
    assert operator.request("PATCH", path, json={"is_active": False}).status_code == 200
    assert code(admin_of_it.get("/api/me")) == (401, "revoked")


def test_the_operators_acts_stand_in_the_organisations_log(operator: Person, ada: Person) -> None:
    operator.request("PATCH", f"/api/tenants/{ada.tenant_id}", json={"max_users": 99})
    (newest, *_) = (ada.get("/api/tenant/audit").json or {})["entries"]
    assert (newest["actor_kind"], newest["actor_name"]) == ("operator", operator.email)
    assert (newest["before"], newest["after"]) == ({"max_users": 10}, {"max_users": 99})


def test_the_default_organisation_stays(operator: Person) -> None:
    path = f"/api/tenants/{DEFAULT_TENANT_ID}"
    assert code(operator.request("PATCH", path, json={"is_active": False})) == (409, "conflict")
    assert code(operator.request("DELETE", path)) == (409, "conflict")


def test_an_admin_of_the_default_organisation_is_no_operator(operator: Person, joined: Callable[..., Person]) -> None:
    colleague = joined(operator, role="admin")
    theirs = f"/api/tenant/users/{operator.login['user_id']}"
    assert code(colleague.get("/api/tenants")) == (403, "forbidden")
    for method, path, body in (
        ("PATCH", theirs, {"role": "user"}),
        ("PATCH", theirs, {"is_active": False}),
        ("DELETE", theirs, None),
        ("DELETE", f"{theirs}/sessions", None),
    ):
        assert code(colleague.request(method, path, json=body)) == (403, "forbidden")
    own = f"/api/tenant/users/{colleague.login['user_id']}"
    assert code(colleague.request("PATCH", own, json={"role": "operator"})) == (422, "invalid_request")


def test_no_row_makes_an_operator_of_another_tenants_user(ada: Person, admin: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        admin.execute("UPDATE tenant_users SET role = 'operator' WHERE tenant_id = %s", (ada.tenant_id,))


def test_conversations_are_their_users_own(ada: Person, joined: Callable[..., Person]) -> None:
    """Within an organisation too: users see their own, admins all."""
    bob, eve = joined(ada), joined(ada)
    conversation_id, turn_id = uuid4(), uuid4()
    with tenant_session(UUID(ada.tenant_id)) as session:
        about = {
            "tenant_id": UUID(ada.tenant_id),
            "conversation_id": conversation_id,
            "assistant_key": "default-assistant",
        }
        session.add(Conversation(**about, user_id=bob.login["user_id"]))
        session.flush()
        session.add(Turn(**about, turn_id=turn_id, spoken=False, stage="retrieve", question="A secret?"))
    job = f"/api/jobs/{turn_id}"
    assert (bob.get(job).status_code, ada.get(job).status_code) == (200, 200)
    for path, method in ((job, "GET"), (f"{job}/events", "GET"), (job, "DELETE")):
        assert code(eve.request(method, path)) == (404, "not_found")
    asked = eve.post("/api/chat", json={"message": "And then?", "conversation_id": str(conversation_id)})
    assert code(asked) == (404, "not_found")


def test_users_delete_what_they_uploaded_and_managers_anything(ada: Person, joined: Callable[..., Person]) -> None:
    bob, manager = joined(ada), joined(ada, role="manager")
    doc_id = Library().accept(UUID(ada.tenant_id))
    assert code(bob.request("DELETE", f"/api/documents/{doc_id}")) == (403, "forbidden")
    assert manager.request("DELETE", f"/api/documents/{doc_id}").status_code == 200


def test_the_sealing_key_is_changed_without_downtime(app: Flask, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    old = get_settings().secret_keys[0].get_secret_value()

    def secrets(*keys: str) -> None:
        monkeypatch.setenv("AURA_SECRET_KEYS", ",".join(keys))
        get_settings.cache_clear()
        sealing._keys.cache_clear()
        auth.key_ring().forget()

    try:
        secrets("a-new-secret-of-the-deployment-0123456789", old)
        assert ada.get("/api/me").status_code == 200
        done = app.test_cli_runner().invoke(args=["keys", "reseal"])
        # Other tests of the same run leave keys behind that nothing opens; the command says so, and goes on.
        assert re.search(r"Sealed again: [1-9]\d* signing keys", done.output), done.output
        secrets("a-new-secret-of-the-deployment-0123456789")
        assert ada.get("/api/me").status_code == 200, "its token was signed before"
    finally:
        secrets(old, "a-new-secret-of-the-deployment-0123456789")
        app.test_cli_runner().invoke(args=["keys", "reseal"])
        monkeypatch.undo()
        secrets(old)


def test_signing_keys_are_rotated_and_revoked_at_the_machine(app: Flask, ada: Person) -> None:
    runner = app.test_cli_runner()
    assert "new signing key" in runner.invoke(args=["keys", "rotate"]).output
    assert ada.get("/api/me").status_code == 200
    assert runner.invoke(args=["keys", "revoke", "nonsense"]).exit_code == 1
    kid = auth.key_ring().signing().kid
    assert runner.invoke(args=["keys", "revoke", kid]).exit_code == 0
    auth.key_ring().forget()
    assert code(ada.get("/api/me")) == (401, "unauthenticated")
