"""Visitors of other sites: let in by a widget for an hour, from one site, to one assistant, and to nothing else."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.door import auth, limits, openapi
from api.door.limits import SessionPlace
from pipelines.stores import events
from pipelines.stores.database import tenant_session
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import turns
from schemas.errors.callers import Forbidden, QuotaExceeded, Revoked
from schemas.events import Event, EventName, Subject
from schemas.tables.identity import Permission
from tests.integration.people import Person, code

SITE = "https://www.harbour-museum.example"
OTHER = "https://evil.example"
WIDGET = "/api/agents/default-assistant/widget"
CHAT = "/api/widget/chat"


@pytest.fixture
def widget(ada: Person) -> dict[str, Any]:
    """Return the widget of ada's assistant, on at one site."""
    changed = ada.request("PATCH", WIDGET, json={"is_on": True, "allowed_origins": [SITE]})
    assert changed.status_code == 200, changed.json
    return dict(changed.json or {})


@pytest.fixture(autouse=True)
def looked_up_anew(app: Flask) -> None:
    auth.forget()


def visit(door: FlaskClient, widget: dict[str, Any], origin: str | None = SITE) -> TestResponse:
    headers = {"Origin": origin} if origin else {}
    return door.post(f"/api/widget/{widget['widget_id']}/visits", headers=headers)


def visitor(door: FlaskClient, widget: dict[str, Any], origin: str = SITE) -> dict[str, str]:
    """Return the headers of a visitor's requests."""
    answer = visit(door, widget)
    assert answer.status_code == 201, answer.json
    return {"Authorization": f"Bearer {(answer.json or {})['token']}", "Origin": origin}


def test_a_widget_is_off_until_somebody_turns_it_on(
    ada: Person, door: FlaskClient, joined: Callable[..., Person]
) -> None:
    before = ada.get(WIDGET).json
    assert before == {"widget_id": None, "is_on": False, "allowed_origins": [], "voice": True, "snippet": ""}
    assert code(joined(ada).get(WIDGET)) == (403, "forbidden")
    after = ada.request("PATCH", WIDGET, json={"is_on": True, "allowed_origins": [SITE.upper(), SITE]}).json or {}
    assert after["allowed_origins"] == [SITE]
    assert f'data-widget="{after["widget_id"]}"' in after["snippet"]
    anew = ada.request("PATCH", WIDGET, json={"new_id": True}).json or {}
    assert anew["widget_id"] != after["widget_id"]
    assert code(visit(door, after)) == (404, "not_found")


@pytest.mark.parametrize("origin", ["*", "null", "https://a.example/path", "a.example", "javascript:alert(1)", ""])
def test_a_site_is_a_scheme_and_a_host(ada: Person, origin: str) -> None:
    assert ada.request("PATCH", WIDGET, json={"allowed_origins": [origin]}).status_code == 422


def test_a_visitor_of_an_allowed_site_is_let_in(widget: dict[str, Any], door: FlaskClient) -> None:
    answer = visit(door, widget)
    assert answer.status_code == 201 and answer.headers["Access-Control-Allow-Origin"] == "*"
    found = answer.json or {}
    assert found["expires_in"] == 3600 and found["voice"] and "organization_name" in found["branding"]
    leave = door.options(CHAT, headers={"Origin": SITE, "Access-Control-Request-Method": "POST"})
    assert "Authorization" in leave.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Origin" not in door.get("/api/me", headers={"Origin": SITE}).headers


@pytest.mark.parametrize("origin", [OTHER, None, "null", SITE + ".evil.example", SITE.replace("https", "http")])
def test_other_sites_are_not(widget: dict[str, Any], door: FlaskClient, origin: str | None) -> None:
    assert code(visit(door, widget, origin)) == (403, "forbidden")


def test_a_token_is_for_the_site_it_was_given_to(widget: dict[str, Any], door: FlaskClient) -> None:
    stolen = visitor(door, widget, origin=OTHER)
    assert code(door.post(CHAT, json={"message": "Hello?"}, headers=stolen)) == (403, "forbidden")


def test_a_visitor_may_ask_one_assistant_and_nothing_else(
    widget: dict[str, Any], ada: Person, door: FlaskClient, app: Flask
) -> None:
    """Every documented operation but those of the widget refuses a visitor, whatever stands behind it."""
    headers = visitor(door, widget)
    refused = 0
    for path, item in openapi.document(app)["paths"].items():
        for method, operation in item.items():
            if operation["x-permission"] in (Permission.PUBLIC, Permission.VISIT):
                continue
            where = path.replace("{key}", "default-assistant").replace("{n}", "1").replace("{chunk_id}", "1")
            for name in ("{id}", "{user_id}", "{conversation_id}", "{turn_id}", "{edit_id}"):
                where = where.replace(name, str(uuid4()))
            answer = door.open(where, method=method.upper(), headers=headers)
            assert answer.status_code in (403, 404), (method, path, answer.status_code)
            refused += answer.status_code == 403
    assert refused > 100
    assert code(door.get(f"/api/widget/turns/{uuid4()}/events", headers=headers)) == (404, "not_found")
    with app.test_request_context(headers=headers), pytest.raises(Forbidden):
        auth.holder(headers["Authorization"].partition(" ")[2], Permission.CHAT)


def test_members_and_strangers_are_no_visitors(ada: Person, door: FlaskClient) -> None:
    assert code(ada.post(CHAT, json={"message": "Hello?"})) == (403, "forbidden")
    assert code(door.post(CHAT, json={"message": "Hello?"})) == (401, "unauthenticated")


def test_one_visitor_does_not_see_anothers_conversation(widget: dict[str, Any], door: FlaskClient) -> None:
    first = door.post(CHAT, json={"message": "Hello?"}, headers=visitor(door, widget), buffered=False)
    assert first.status_code == 200
    turn, second = first.headers["Location"], visitor(door, widget)
    first.close()
    assert code(door.get(turn, headers=second)) == (404, "not_found")
    assert code(door.delete(turn.removesuffix("/events"), headers=second)) == (404, "not_found")


def test_a_stream_tells_nothing_of_how_an_answer_was_made(
    widget: dict[str, Any], ada: Person, door: FlaskClient
) -> None:
    asked = door.post(CHAT, json={"message": "Hello?"}, headers=visitor(door, widget), buffered=False)
    turn_id = asked.headers["Location"].split("/")[-2]
    tenant_id = UUID(ada.tenant_id)
    with tenant_session(tenant_id) as session:
        conversation_id = turns.get(session, UUID(turn_id)).conversation_id
    subject = Subject.conversation(tenant_id, conversation_id)
    secret = {"turn_id": turn_id, "sources": ["CANARY"], "cost": 1, "model_used": "CANARY", "timings": {"CANARY": 1}}
    citation = {"number": 1, "filename": "hours.txt", "document_id": "CANARY", "quote": "CANARY"}
    told = [
        Event(EventName.TURN_RETRIEVED, subject, secret),
        Event(EventName.TURN_TOOL, subject, secret),
        Event(EventName.TURN_COMPLETED, subject, {**secret, "response": "At ten.", "citations": [citation]}),
    ]
    events.publish_many(get_redis(), told)
    heard = asked.get_data(as_text=True)
    assert "CANARY" not in heard and "turn.retrieved" not in heard
    assert "At ten." in heard and "hours.txt" in heard


def test_a_page_of_aura_itself_tries_a_widget_out_while_it_is_on(
    widget: dict[str, Any], ada: Person, door: FlaskClient
) -> None:
    own = {"Origin": "http://localhost"}
    answer = door.post(f"/api/widget/{widget['widget_id']}/visits", headers=own)
    headers = {"Authorization": f"Bearer {(answer.json or {})['token']}"}
    again = f"/api/widget/turns/{uuid4()}/events"
    # Browsers name no origin where a page reads from its own.
    assert code(door.get(again, headers={**headers, "Sec-Fetch-Site": "same-origin"})) == (404, "not_found")
    assert code(door.get(again, headers={**headers, "Sec-Fetch-Site": "cross-site"})) == (403, "forbidden")
    ada.request("PATCH", WIDGET, json={"is_on": False})
    auth.forget()
    assert code(door.get(again, headers={**headers, **own})) == (401, Revoked.code)


def test_turning_it_off_ends_what_visitors_have(widget: dict[str, Any], ada: Person, door: FlaskClient) -> None:
    headers = visitor(door, widget)
    ada.request("PATCH", WIDGET, json={"is_on": False})
    auth.forget()
    assert code(door.post(CHAT, json={"message": "Hello?"}, headers=headers)) == (401, Revoked.code)
    assert code(visit(door, widget)) == (404, "not_found")
    ada.request("PATCH", WIDGET, json={"is_on": True, "allowed_origins": [OTHER]})
    auth.forget()
    assert code(door.post(CHAT, json={"message": "Hello?"}, headers=headers)) == (401, Revoked.code)


def test_visitors_have_limits_of_their_own(
    widget: dict[str, Any], ada: Person, door: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "VISITOR_RATE", 2)
    headers = visitor(door, widget)
    answers = [door.get(f"/api/widget/turns/{uuid4()}/events", headers=headers).status_code for _ in range(3)]
    assert answers == [404, 404, 429]
    assert ada.get("/api/me").status_code == 200
    with app.test_request_context(headers=visitor(door, widget)):
        asking = auth.holder(headers["Authorization"].partition(" ")[2], Permission.VISIT)
        places = [SessionPlace(asking) for _ in range(5)]
        with pytest.raises(QuotaExceeded):
            SessionPlace(asking)
    for place in places:
        place.leave()


def test_who_asks_for_too_many_tokens_waits(widget: dict[str, Any], door: FlaskClient) -> None:
    answers = [visit(door, widget).status_code for _ in range(61)]
    assert answers[-2:] == [201, 429]
    assert all(key.startswith(b"aura:") for key in get_redis().scan_iter(match="*visitor*"))
