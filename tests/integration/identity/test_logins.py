"""Coming in, staying in, going out; and what nobody may learn at the door."""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.door import auth
from pipelines.stores.database import tenant_session
from pipelines.stores.operations import mails
from schemas.tables.records import OutgoingMail
from tests.integration.people import PASSWORD, Person, code


def login(door: FlaskClient, email: str, password: str = PASSWORD, **fields: str) -> dict[str, str]:
    response = door.post("/api/login", json={"email": email, "password": password, **fields})
    assert response.status_code == 200, response.json
    return response.json or {}


def test_an_organisation_is_founded_and_its_admin_signs_in(door: FlaskClient, ada: Person) -> None:
    answer = login(door, ada.email)
    assert answer.keys() >= {"access_token", "token_type", "user_id", "tenant_id", "organization"}
    assert (answer["token_type"], answer["tenant_id"]) == ("bearer", ada.tenant_id)
    me = Person(door, answer, ada.email).get("/api/me").json or {}
    assert (me["role"], me["user"]["email"]) == ("admin", ada.email)
    assert "tenant:admin" in me["permissions"] and "operate" not in me["permissions"]


def test_without_a_token_nobody_is_let_in(door: FlaskClient) -> None:
    assert code(door.get("/api/documents")) == (401, "unauthenticated")
    assert code(door.post("/api/chat", json={"message": "Hello?"})) == (401, "unauthenticated")


def test_an_email_of_two_organisations_needs_the_organisations_name(
    door: FlaskClient, founder: Callable[..., Person]
) -> None:
    email = f"both-{uuid4().hex[:8]}@example.org"
    first = founder(email=email, subdomain=f"one-{uuid4().hex[:8]}")
    second = founder(email=email, subdomain=f"two-{uuid4().hex[:8]}")
    body = {"email": email, "password": PASSWORD}
    assert code(door.post("/api/login", json=body)) == (401, "wrong_login")
    name = (second.get("/api/tenant").json or {})["subdomain"]
    assert login(door, email, tenant_subdomain=name)["tenant_id"] == second.tenant_id != first.tenant_id
    by_host = door.post("/api/login", json=body, headers={"Host": f"{name}.aura.test"})
    assert (by_host.json or {})["tenant_id"] == second.tenant_id


@pytest.mark.real_passwords
def test_a_known_and_an_unknown_user_are_answered_alike(door: FlaskClient, ada: Person) -> None:
    def attempt(email: str) -> tuple[float, dict[str, object]]:
        began = time.process_time()
        response = door.post("/api/login", json={"email": email, "password": "not the password"})
        took = time.process_time() - began
        assert response.status_code == 401
        body = dict(response.json or {})
        body.pop("trace_id")
        return took, body

    def difference(round_: int) -> float:
        """Return how far the medians of the processor's time are apart, as a share of the longer."""
        times: dict[bool, list[float]] = {True: [], False: []}
        for pair in range(30):
            for known in (True, False) if pair % 2 else (False, True):
                # Each try comes from an address of its own, or the throttle would answer.
                door.environ_base["REMOTE_ADDR"] = f"10.{round_}.{pair}.{int(known)}"
                took, body = attempt(ada.email if known else f"{uuid4().hex}@example.org")
                times[known].append(took)
                assert body["detail"] == "The e-mail, the password or the organisation is wrong."
        known_s, unknown_s = (statistics.median(times[known]) for known in (True, False))
        return abs(known_s - unknown_s) / max(known_s, unknown_s)

    # A busy machine sets some measurements apart, also of the processor's time; what tells the two from each other
    # would do so in each.
    assert any(difference(round_) < 0.10 for round_ in range(6))


def test_the_eleventh_try_is_told_to_wait(door: FlaskClient, ada: Person) -> None:
    for _ in range(10):
        assert code(door.post("/api/login", json={"email": ada.email, "password": "wrong"})) == (401, "wrong_login")
    refused = door.post("/api/login", json={"email": ada.email, "password": PASSWORD})
    assert code(refused) == (429, "too_many_tries")
    assert int(refused.headers["Retry-After"]) > 1


def test_an_unknown_user_is_throttled_like_a_known_one(door: FlaskClient) -> None:
    email = f"{uuid4().hex}@example.org"
    statuses = [door.post("/api/login", json={"email": email, "password": "x"}).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]


def test_a_refresh_token_works_once_and_twice_ends_the_login(door: FlaskClient, ada: Person) -> None:
    first = ada.login["refresh_token"]
    second = door.post("/api/token/refresh", json={"refresh_token": first})
    assert second.status_code == 200
    fresh = Person(door, second.json or {}, ada.email)
    assert fresh.get("/api/me").status_code == 200
    assert code(door.post("/api/token/refresh", json={"refresh_token": first})) == (401, "revoked")
    assert code(fresh.get("/api/me")) == (401, "revoked")
    again = door.post("/api/token/refresh", json={"refresh_token": fresh.login["refresh_token"]})
    assert code(again) == (401, "revoked")


def test_of_two_refreshes_at_once_one_wins(app: Flask, ada: Person) -> None:
    def refresh(_: int) -> int:
        with app.test_client() as client:
            return client.post("/api/token/refresh", json={"refresh_token": ada.login["refresh_token"]}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(refresh, range(8)))
    assert statuses == [200] + [401] * 7


def test_signing_out_ends_the_token_at_once_here_and_within_seconds_elsewhere(door: FlaskClient, ada: Person) -> None:
    other = Person(door, login(door, ada.email), ada.email)
    assert (ada.post("/api/logout", json={}).json or {})["logins_ended"] == 1
    assert code(ada.get("/api/me")) == (401, "revoked")
    assert other.get("/api/me").status_code == 200
    assert (other.post("/api/logout", json={"everywhere": True}).json or {})["logins_ended"] == 1
    assert code(other.get("/api/me")) == (401, "revoked")


def test_what_another_process_revoked_is_refused_when_trust_runs_out(
    ada: Person, admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No time passes but what the test lets pass.
    now_s = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    assert ada.get("/api/me").status_code == 200
    admin.execute("UPDATE login_sessions SET revoked_at = now() WHERE tenant_id = %s", (ada.tenant_id,))
    assert ada.get("/api/me").status_code == 200, "it was looked up a moment ago"
    monkeypatch.setattr(time, "monotonic", lambda: now_s + auth.TRUSTED_FOR_S)
    assert auth.TRUSTED_FOR_S <= 4
    assert code(ada.get("/api/me")) == (401, "revoked")


@pytest.mark.parametrize(
    "change", ["UPDATE tenants SET is_active = false", "UPDATE tenants SET expires_at = now() - interval '1 s'"]
)
def test_a_tenant_that_ended_lets_nobody_in(
    door: FlaskClient, ada: Person, admin: psycopg.Connection, change: str
) -> None:
    admin.execute(f"{change} WHERE tenant_id = %s", (ada.tenant_id,))
    auth.forget()
    assert code(ada.get("/api/me")) == (401, "revoked")
    assert code(door.post("/api/login", json={"email": ada.email, "password": PASSWORD})) == (401, "wrong_login")
    refreshed = door.post("/api/token/refresh", json={"refresh_token": ada.login["refresh_token"]})
    assert refreshed.status_code == 401


def test_a_changed_password_ends_the_other_logins(door: FlaskClient, ada: Person) -> None:
    other = Person(door, login(door, ada.email), ada.email)
    wrong = ada.post("/api/password", json={"current_password": "no", "new_password": "another horse entirely"})
    assert code(wrong) == (401, "wrong_login")
    body = {"current_password": PASSWORD, "new_password": "another horse entirely"}
    assert ada.post("/api/password", json=body).status_code == 200
    assert ada.get("/api/me").status_code == 200
    assert code(other.get("/api/me")) == (401, "revoked")
    assert login(door, ada.email, "another horse entirely")


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaa", "x" * 300])
def test_a_weak_password_is_refused(door: FlaskClient, password: str) -> None:
    body = {"organization_name": "Weak", "email": "weak@example.org", "password": password}
    assert code(door.post("/api/signup", json=body)) == (422, "invalid_request")


def token_of_the_mail(tenant_id: str, email: str) -> str:
    """Return the token of the newest mail to somebody, as its sealed text holds it."""
    with tenant_session(UUID(tenant_id)) as session:
        mail = session.query(OutgoingMail).filter_by(recipient=email).order_by(OutgoingMail.created_at.desc()).first()
        assert mail is not None and mail.sealed is not None
        text = mails.sealing.unseal(mail.sealed, UUID(tenant_id), mails.PURPOSE)
    return text.partition("#")[2].split()[0]


def test_a_forgotten_password_is_set_by_the_mails_token_once(door: FlaskClient, ada: Person) -> None:
    asked = door.post("/api/password/forgot", json={"email": ada.email})
    unknown = door.post("/api/password/forgot", json={"email": f"{uuid4().hex}@example.org"})
    assert (asked.status_code, asked.json) == (unknown.status_code, unknown.json) == (202, asked.json)
    token = token_of_the_mail(ada.tenant_id, ada.email)
    body = {"token": token, "password": "a third horse, brown"}
    assert door.post("/api/password/reset", json=body).status_code == 200
    assert code(ada.get("/api/me")) == (401, "revoked")
    assert login(door, ada.email, "a third horse, brown")
    assert code(door.post("/api/password/reset", json=body)) == (422, "invalid_token")


def test_a_reset_token_accepts_no_invitation_and_no_other_tenants(door: FlaskClient, ada: Person) -> None:
    door.post("/api/password/forgot", json={"email": ada.email})
    token = token_of_the_mail(ada.tenant_id, ada.email)
    body = {"token": token, "password": "a fourth horse, grey"}
    assert code(door.post("/api/invitations/accept", json=body)) == (422, "invalid_token")
    assert code(door.post("/api/password/reset", json={**body, "token": token[:-8] + "AAAAAAAA"})) == (
        422,
        "invalid_token",
    )
