"""What another tenant owns is asked for in every documented way: nothing marked comes back, and nothing changes."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api import create_app
from api.dialogue import speech, turns
from api.door import openapi
from api.door.permissions import declared, require_declarations
from api.knowledge import knowledge
from api.organisation import provider_keys
from pipelines.stores.redis import get_redis
from schemas.tables.identity import Permission
from tests.integration.attack.canaries import Marked, fill, fingerprint, unmarked
from tests.integration.attack.matrix import Attack, Operation, attacks, operations
from tests.integration.people import Person

DOCUMENT = openapi.document(create_app())
OPERATIONS = {f"{each.method.upper()} {each.path}": each for each in operations(DOCUMENT)}
MAX_READ_CHUNKS = 50

UNDOCUMENTED = {"/docs", "/", "/openapi.json", "/ws/voice/continuous", "/ws/voice/widget", "/ws/events"}
"""Routes that are no part of the HTTP interface; the sockets have tests of their own."""

PAGES = ("page:", "files:")
"""Endpoints of the web application's files (`api/web.py`), which are the same to everybody."""


@pytest.fixture(scope="module")
def victim(servers: object, admin: psycopg.Connection, app: Flask) -> Marked:
    """Return a tenant whose everything is marked."""
    with app.test_client() as client:
        email = f"victim-{uuid4().hex}@example.org"
        body = {"organization_name": "Victim", "email": email, "password": "a horse that reads 7 books"}
        founded = client.post("/api/signup", json=body, environ_overrides={"REMOTE_ADDR": "10.9.9.9"}).json or {}
    return fill(admin, UUID(founded["tenant_id"]))


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs here: who waits for one gives up soon."""
    monkeypatch.setattr(turns, "ANSWER_TIMEOUT_S", 0.01)
    monkeypatch.setattr(speech, "CALL_TIMEOUT_S", 0.01)
    monkeypatch.setattr(knowledge, "SEARCH_TIMEOUT_S", 0.01)
    monkeypatch.setattr(provider_keys, "TRIAL_TIMEOUT_S", 0.01)
    monkeypatch.setattr(turns.finished_turn, "__defaults__", (0.01,))


Attackers = Callable[[], list[tuple[str, Person]]]


@pytest.fixture
def attackers(founder: Callable[..., Person], joined: Callable[..., Person]) -> Attackers:
    """Return a maker of those who attack: another organisation's admin, its user, and its key of all scopes."""

    def make() -> list[tuple[str, Person]]:
        admin = founder()
        scopes = [scope for scope in Permission if scope not in ("public", "self", "operate", "visit")]
        made = admin.post("/api/tenant/keys", json={"name": "all", "scopes": scopes}).json or {}
        robot = Person(admin.client, {**admin.login, "access_token": made["api_key"]}, "robot")
        return [("user", joined(admin)), ("key", robot), ("admin", admin)]

    return make


def read(response: TestResponse) -> tuple[int, str]:
    """Return status and everything else of an answer as text; of a stream its beginning."""
    parts = [str(response.headers)]
    for number, chunk in enumerate(response.response):
        parts.append(chunk.decode(errors="replace") if isinstance(chunk, bytes) else chunk)
        if number >= MAX_READ_CHUNKS or ": waiting" in parts[-1]:
            break
    response.close()
    return response.status_code, "".join(parts)


def send(person: Person, attack: Attack) -> tuple[int, str]:
    headers = {**person.headers, **attack.options.get("headers", {})}
    options = {**attack.options, "headers": headers}
    return read(person.client.open(attack.path, method=attack.method.upper(), buffered=False, **options))


def body_of(text: str, *ids: object) -> Any:
    """Return what an answer says, without what differs in any two answers."""
    found = json.loads(text[text.index("{") :]) if "{" in text else text
    if isinstance(found, dict):
        found.pop("trace_id", None)
    said = json.dumps(found)
    for each in ids:
        said = said.replace(str(each), "ID")
    return said


@pytest.mark.parametrize("name", OPERATIONS)
def test_nothing_of_another_tenant_crosses(
    name: str, victim: Marked, attackers: Attackers, admin: psycopg.Connection
) -> None:
    operation: Operation = OPERATIONS[name]
    before = fingerprint(admin, victim.tenant_id)
    sent = 0
    for kind, attacker in attackers():
        twins: dict[str, tuple[int, str]] = {}
        closed: set[str] = set()
        for attack in attacks(operation, victim):
            if attack.place in closed:
                continue
            status, text = send(attacker, attack)
            sent += 1
            # Whose role is refused is sent away before what they ask for is read: one value in each place tells.
            if status == 403 and f"it needs `{operation.permission}`" in text:
                closed.add(attack.place)
            about = (kind, attack.label, attack.path, status, text[-600:])
            assert victim.canary not in text, about
            assert status < 500 or status == 503, about
            if attack.twin is not None and operation.permission != Permission.PUBLIC and status != 401:
                # All ids of a path have one twin: what nobody has is answered alike each time.
                asked = str(attack.twin)
                if asked not in twins:
                    twins[asked] = send(attacker, attack.twin)
                twin_status, twin_text = twins[asked]
                assert status == twin_status, about
                assert status in (403, 404, 422) or "in the path" not in attack.label, about
                ids = [*victim.all_ids(), *attack.twin.path.split("/"), *attack.path.split("/")]
                assert body_of(text, *ids) == body_of(twin_text, *ids), about
    assert sent >= 9, "the matrix knows a way to ask"
    assert fingerprint(admin, victim.tenant_id) == before


@pytest.mark.parametrize("name", OPERATIONS)
def test_nobody_without_a_token_comes_in(name: str, door: FlaskClient, victim: Marked) -> None:
    operation = OPERATIONS[name]
    # Whoever has no token is sent away before what they ask for is read: one value in each place tells.
    for attack in {attack.place: attack for attack in attacks(operation, victim)}.values():
        options = dict(attack.options)
        status, text = read(door.open(attack.path, method=attack.method.upper(), buffered=False, **options))
        assert victim.canary not in text, (attack.label, attack.path)
        assert (status == 401) or operation.permission == Permission.PUBLIC, (attack.label, attack.path, status)


def test_the_victim_is_marked_in_every_table(victim: Marked, admin: psycopg.Connection) -> None:
    assert unmarked(admin, victim) == []


def test_the_victim_itself_sees_its_mark(victim: Marked, admin: psycopg.Connection, app: Flask) -> None:
    """The attacks can find something: the same question by the owner brings the mark."""
    row = admin.execute("SELECT email FROM tenant_users WHERE tenant_id = %s AND name IS NULL", (victim.tenant_id,))
    (email,) = row.fetchone() or ()
    with app.test_client() as client:
        body = {"email": email, "password": "a horse that reads 7 books"}
        login = client.post("/api/login", json=body).json or {}
        owner = Person(client, login, email)
        for path in (
            f"/api/documents/{victim.ids['document']}",
            f"/api/documents/{victim.ids['document']}/chunks",
            f"/api/batches/{victim.ids['batch']}",
            f"/api/batches/{victim.ids['batch']}/documents",
            f"/api/jobs/{victim.ids['batch']}/events",
            f"/api/uploads/{victim.ids['upload']}",
            f"/api/jobs/{victim.ids['turn']}",
            f"/api/jobs/{victim.ids['turn']}/events",
            f"/api/tenant/users/{victim.ids['user']}",
            f"/api/tenant/keys/{victim.ids['key']}",
            f"/api/tenants/{victim.tenant_id}",
            "/api/tenant/audit",
            f"/api/memory/conversations/{victim.ids['conversation']}",
            f"/api/memory/conversations/{victim.ids['conversation']}/turns",
            f"/api/memory/conversations?user_id={victim.canary}",
            f"/api/memory/preferences?user_id={victim.canary}",
            f"/api/memory/summaries?user_id={victim.canary}",
            f"/api/chat/history/{victim.canary}",
            f"/api/chat/context/{victim.canary}",
            "/api/chat/feedback",
            "/api/knowledge/unanswered",
            f"/api/knowledge/unanswered/{victim.ids['question']}",
        ):
            status, text = send(owner, Attack("own", "get", path))
            assert status == 200 and victim.canary in text, path


def test_no_cursor_of_another_tenant_leads_to_its_rows(victim: Marked, attackers: Attackers) -> None:
    _, admin = attackers()[-1]
    listings = (
        "/api/documents",
        "/api/batches",
        "/api/documents/dead-letters",
        "/api/tenant/users",
        "/api/tenant/audit",
        "/api/memory/conversations",
        "/api/memory/summaries",
        "/api/chat/feedback",
        "/api/knowledge/unanswered",
    )
    for path in listings:
        for after in ("MjA5OS0wMS0wMXw=", "9" * 18, victim.texts["event_id"], "x" * 190):
            status, text = read(admin.get(f"{path}?after={after}", buffered=False))
            assert status in (200, 422) and victim.canary not in text


def rules(app: Flask) -> Iterator[tuple[str, str]]:
    for rule in app.url_map.iter_rules():
        yield rule.rule.replace("<uuid:", "{").replace("<int:", "{").replace("<", "{").replace(">", "}"), rule.endpoint


def test_every_route_is_documented_or_another_name_of_one_that_is(app: Flask) -> None:
    documented = set(DOCUMENT["paths"])
    for path, endpoint in rules(app):
        if "@" in endpoint:
            assert app.view_functions[endpoint] is app.view_functions[endpoint.partition("@")[0]]
        elif path.startswith("/docs/") or endpoint.startswith(PAGES):
            assert declared(app, endpoint) is Permission.PUBLIC
        else:
            assert path in documented | UNDOCUMENTED, path


def test_a_route_that_declares_nothing_fails_the_start() -> None:
    app = create_app()
    app.add_url_rule("/silent", view_func=lambda: "hello", endpoint="silent")
    with pytest.raises(TypeError, match="silent"):
        require_declarations(app)


def test_public_routes_are_those_we_know(app: Flask) -> None:
    public = {path for path, item in DOCUMENT["paths"].items() for each in item.values() if not each["security"]}
    assert public == {
        "/api/signup",
        "/api/login",
        "/api/token/refresh",
        "/api/password/forgot",
        "/api/password/reset",
        "/api/invitations/accept",
        "/api/tenant/branding",
        "/api/widget/{id}/visits",
        "/health",
        "/health/ready",
        "/metrics",  # It asks by itself: for its own token, or the operator's.
    }


def test_redis_keys_begin_with_their_tenant(victim: Marked, attackers: Attackers) -> None:
    _, admin = attackers()[-1]
    admin.get("/api/documents")
    for key in get_redis().scan_iter(match="aura:*", count=1000):
        name = key.decode()
        assert name.startswith(SHARED_KEYS) or UUID(name.split(":")[1]), name


SHARED_KEYS = ("aura:deployment:", "aura:door:", "aura:worker:", "aura:unflushed")
"""Keys of the deployment: throttles by hashed names, live workers, counters still to be written to rows."""
