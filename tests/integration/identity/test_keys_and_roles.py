"""API keys, roles and flags, and whose tenant a request is for."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from flask.testing import FlaskClient

from api.door import auth
from tests.integration.people import Person, code
from tests.integration.stores.conftest import Library

KEYS = "/api/tenant/keys"


def made(admin: Person, *scopes: str, **fields: object) -> dict[str, str]:
    response = admin.post(KEYS, json={"name": "robot", "scopes": scopes or ["documents:read"], **fields})
    assert response.status_code == 201, response.json
    return response.json or {}


def by_key(door: FlaskClient, key: str, path: str = "/api/documents", method: str = "GET") -> tuple[int, str | None]:
    response = door.open(
        path, method=method, headers={"Authorization": f"Bearer {key}"}, json={} if method != "GET" else None
    )
    return response.status_code, (response.json or {}).get("code")


def test_a_key_does_what_its_scopes_say_and_is_shown_once(door: FlaskClient, ada: Person) -> None:
    key = made(ada, "documents:read")
    assert by_key(door, key["api_key"]) == (200, None)
    assert door.get("/api/documents", headers={"X-API-Key": key["api_key"]}).status_code == 200
    assert by_key(door, key["api_key"], KEYS) == (403, "forbidden")
    assert by_key(door, key["api_key"], "/api/chat", "POST") == (403, "forbidden")
    shown = ada.get(KEYS).get_data(as_text=True)
    assert key["api_key"] not in shown and key["prefix"] in shown
    assert (ada.get(f"{KEYS}/{key['key_id']}").json or {})["last_used_at"] is not None


def test_a_key_follows_the_jobs_of_what_it_may_do(door: FlaskClient, ada: Person) -> None:
    doc_id = Library().accept(UUID(ada.tenant_id))
    job = f"/api/jobs/{doc_id}"
    assert by_key(door, made(ada, "documents:write")["api_key"], job) == (200, None)
    assert by_key(door, made(ada, "chat")["api_key"], job) == (404, "not_found")


def test_keys_are_kept_as_hashes(admin: psycopg.Connection, ada: Person) -> None:
    key = made(ada)["api_key"]
    rows = admin.execute("SELECT k::text FROM api_keys k WHERE tenant_id = %s", (ada.tenant_id,)).fetchall()
    assert rows and not any(key in row[0] or key[-40:] in row[0] for row in rows)


def test_a_rotated_key_overlaps_with_its_successor(door: FlaskClient, ada: Person, admin: psycopg.Connection) -> None:
    old = made(ada)
    new = ada.post(f"{KEYS}/{old['key_id']}/rotate", json={"overlap_s": 3600}).json or {}
    assert (by_key(door, old["api_key"]), by_key(door, new["api_key"])) == ((200, None), (200, None))
    assert code(ada.post(f"{KEYS}/{old['key_id']}/rotate", json={}))[1] == "not_ready"
    admin.execute("UPDATE api_keys SET expires_at = now() WHERE key_id = %s", (old["key_id"],))
    auth.forget()
    assert (by_key(door, old["api_key"])[0], by_key(door, new["api_key"])[0]) == (401, 200)


def test_a_revoked_or_expired_key_is_refused(door: FlaskClient, ada: Person, admin: psycopg.Connection) -> None:
    key = made(ada)
    assert by_key(door, key["api_key"])[0] == 200
    assert ada.request("DELETE", f"{KEYS}/{key['key_id']}").status_code == 200
    assert by_key(door, key["api_key"]) == (401, "unauthenticated")
    soon = made(ada, expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    admin.execute("UPDATE api_keys SET expires_at = now() WHERE key_id = %s", (soon["key_id"],))
    assert by_key(door, soon["api_key"]) == (401, "unauthenticated")


def test_a_key_gives_no_more_than_its_maker_has(door: FlaskClient, ada: Person) -> None:
    maker = made(ada, "tenant:admin")["api_key"]
    wanted = {"name": "more", "scopes": ["documents:write"]}
    response = door.post(KEYS, json=wanted, headers={"X-API-Key": maker})
    assert code(response) == (403, "forbidden")
    assert code(ada.post(KEYS, json={"name": "operator", "scopes": ["operate"]})) == (422, "invalid_request")


class Untouched(io.RawIOBase):
    """A body that notes whether anybody has read of it."""

    was_read = False

    def readable(self) -> bool:
        return True

    def readinto(self, _: object) -> int:
        self.was_read = True
        return 0


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x"])
def test_who_may_not_come_in_is_refused_unread(
    door: FlaskClient, ada: Person, joined: Callable[..., Person], content_type: str
) -> None:
    visitors = [{}, joined(ada, can_upload_documents=False).headers]
    for headers in visitors:
        body = Untouched()
        sent = {"wsgi.input": body, "CONTENT_LENGTH": str(90 << 20), "CONTENT_TYPE": content_type}
        response = door.post("/api/documents/upload", headers=headers, environ_overrides=sent)
        assert (response.status_code, body.was_read) == (403 if headers else 401, False)


def test_a_large_body_that_is_no_file_is_refused(ada: Person) -> None:
    response = ada.post("/api/chat", json={"message": "x" * (2 << 20)})
    assert code(response) == (413, "message_too_long")


def test_flags_decide_what_a_user_may_do(door: FlaskClient, ada: Person, joined: Callable[..., Person]) -> None:
    bob = joined(ada, can_upload_documents=False)
    assert code(bob.post("/api/documents/upload"))[0] == 403
    assert bob.get("/api/documents").status_code == 200
    assert code(bob.get("/api/tenant/users")) == (403, "forbidden")
    user = f"/api/tenant/users/{bob.login['user_id']}"
    assert ada.request("PATCH", user, json={"can_upload_documents": True}).status_code == 200
    assert code(bob.post("/api/documents/upload")) == (422, "no_file")


def test_a_manager_starts_with_all_flags_and_administers_nothing(ada: Person, joined: Callable[..., Person]) -> None:
    manager = joined(ada, role="manager")
    permissions = (manager.get("/api/me").json or {})["permissions"]
    assert {"documents:write", "ai:write", "analytics:read"} <= set(permissions)
    assert code(manager.post(KEYS, json={"name": "mine", "scopes": ["chat"]})) == (403, "forbidden")


def test_the_last_admin_stays(ada: Person, joined: Callable[..., Person]) -> None:
    own = f"/api/tenant/users/{ada.login['user_id']}"
    for change in ({"role": "user"}, {"is_active": False}):
        assert code(ada.request("PATCH", own, json=change)) == (409, "last_admin")
    assert code(ada.request("DELETE", own)) == (409, "last_admin")
    joined(ada, role="admin")
    assert ada.request("PATCH", own, json={"role": "user"}).status_code == 200


def test_a_deactivated_user_is_out(door: FlaskClient, ada: Person, joined: Callable[..., Person]) -> None:
    bob = joined(ada)
    user = f"/api/tenant/users/{bob.login['user_id']}"
    assert ada.request("PATCH", user, json={"is_active": False}).status_code == 200
    assert code(bob.get("/api/me")) == (401, "revoked")


def test_users_speak_for_themselves_and_admins_for_others(ada: Person, joined: Callable[..., Person]) -> None:
    bob = joined(ada)
    body = {"message": "  ", "user_id": ada.login["user_id"]}
    assert code(bob.post("/api/chat", json={**body, "message": "Hello?"})) == (403, "forbidden")
    assert code(ada.post("/api/chat", json=body)) == (422, "invalid_request")


@pytest.mark.parametrize("where", ["header", "query", "body", "form", "host"])
def test_another_tenant_can_not_be_named(ada: Person, founder: Callable[..., Person], where: str) -> None:
    other = founder()
    subdomain = (other.get("/api/tenant").json or {})["subdomain"]
    own = (ada.get("/api/tenant").json or {})["subdomain"]

    def ask(tenant_id: str, host: str) -> int:
        match where:
            case "header":
                return ada.get("/api/me", headers={"X-Tenant-ID": tenant_id}).status_code
            case "query":
                return ada.get(f"/api/documents?tenant_id={tenant_id}").status_code
            case "body":
                return ada.request("PATCH", "/api/me", json={"tenant_id": tenant_id}).status_code
            case "form":
                return ada.post("/api/documents/upload", data={"tenant_id": tenant_id}).status_code
            case _:
                return ada.get("/api/me", headers={"Host": f"{host}.aura.test"}).status_code

    allowed = 422 if where == "form" else 200
    assert ask(ada.tenant_id, own) == allowed
    assert ask(other.tenant_id, subdomain) == 403
    if where != "host":
        assert ask("not a uuid", "") == 403


def test_an_unknown_subdomain_leads_nowhere(ada: Person, door: FlaskClient) -> None:
    host = {"Host": f"{uuid4().hex}.aura.test"}
    assert code(ada.get("/api/me", headers=host)) == (404, "not_found")
    assert code(door.get("/api/tenant/branding", headers=host)) == (404, "not_found")


def test_a_tenant_shows_its_looks_to_anybody(ada: Person, door: FlaskClient) -> None:
    looks = {"brand_colors": {"primary": "#aabbcc"}, "custom_logo": "https://example.org/logo.png"}
    own = ada.request("PATCH", "/api/tenant", json=looks)
    assert own.status_code == 200, own.json
    subdomain = (own.json or {})["subdomain"]
    shown = door.get("/api/tenant/branding", headers={"Host": f"{subdomain}.aura.test"}).json or {}
    assert shown["brand_colors"] == {"primary": "#aabbcc"} and "admin_email" not in shown


def test_an_admin_changes_settings_but_not_the_subscription(ada: Person, founder: Callable[..., Person]) -> None:
    own = f"/api/tenants/{ada.tenant_id}"
    assert ada.request("PATCH", own, json={"custom_settings": {"a": 1}}).status_code == 200
    assert code(ada.request("PATCH", own, json={"subscription_tier": "enterprise"})) == (403, "forbidden")
    assert ada.request("PATCH", "/api/tenant", json={"max_users": 999}).status_code == 200
    assert (ada.get(own).json or {})["max_users"] == 10
    foreign = f"/api/tenants/{founder().tenant_id}"
    missing = f"/api/tenants/{uuid4()}"
    for method in ("GET", "PATCH"):
        answers = [ada.request(method, path, json={}) for path in (foreign, missing)]
        bodies = [{**(answer.json or {}), "trace_id": ""} for answer in answers]
        assert bodies[0] == bodies[1] and bodies[0]["status"] == 404
    assert code(ada.get("/api/tenants")) == (403, "forbidden")


def test_every_administrative_act_is_in_the_log(ada: Person, joined: Callable[..., Person]) -> None:
    bob = joined(ada)
    key = made(ada)
    ada.request("PATCH", f"/api/tenant/users/{bob.login['user_id']}", json={"role": "manager"})
    ada.request("DELETE", f"{KEYS}/{key['key_id']}")
    ada.request("PATCH", "/api/tenant", json={"organization_name": "Another name"})
    entries = (ada.get("/api/tenant/audit").json or {})["entries"]
    assert [entry["action"] for entry in entries] == [
        "tenant.changed",
        "api_key.revoked",
        "user.changed",
        "api_key.made",
        "user.joined",
        "user.invited",
        "tenant.founded",
    ]
    changed = entries[2]
    assert (changed["before"], changed["after"]) == ({"role": "user"}, {"role": "manager"})
    assert (changed["actor_name"], changed["actor_kind"], changed["address"]) == (ada.email, "user", "127.0.0.1")
    exported = ada.get("/api/tenant/audit/export").get_data(as_text=True)
    assert exported.count("\r\n") == len(entries) + 1
    assert key["api_key"] not in exported


def test_no_cell_of_the_exported_log_is_a_formula(founder: Callable[..., Person]) -> None:
    person = founder(email=f"=cmd{uuid4().hex}@example.org")
    rows = list(csv.reader(io.StringIO(person.get("/api/tenant/audit/export").get_data(as_text=True))))
    assert f"'{person.email}" in rows[1]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_the_log_can_not_be_changed_by_the_app(ada: Person) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import ProgrammingError

    from pipelines.stores.database import tenant_session

    for statement in ("DELETE FROM audit_log", "UPDATE audit_log SET action = 'nothing'"):
        with pytest.raises(ProgrammingError, match="permission denied"), tenant_session(ada.tenant_id) as session:  # type: ignore[arg-type]
            session.execute(text(statement))
