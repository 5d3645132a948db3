"""Sockets and event streams of a real web process: who may open them, what they may follow, and how soon they end."""

import json
import threading
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from websockets.exceptions import InvalidStatus

from api.door import auth
from api.live import seats
from pipelines.stores import events
from pipelines.stores.redis import get_redis
from schemas.events import Event, EventName, Subject
from tests.integration.attack.canaries import Marked, fill
from tests.integration.people import PASSWORD
from tests.integration.relay.talking import WITHIN_S, Talker, Web

ENDS_WITHIN_S = 5.0
"""What is promised, where the machine has time for it; a busy one gets more, and is not what is tested."""


class Deployment(Web):
    """The whole application as a deployment of many tenants runs it."""

    app = "api:create_app()"
    look = "/health"

    def http(self, method: str, path: str, token: str = "", **options: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"http://127.0.0.1:{self.port}{path}"
        return httpx.request(method, url, headers=headers, timeout=WITHIN_S, trust_env=False, **options)  # type: ignore[arg-type]

    def found(self) -> dict[str, str]:
        """Return the login of a new organisation's admin."""
        email = f"{uuid4().hex}@example.org"
        body = {"organization_name": "Org", "email": email, "password": PASSWORD}
        response = self.http("POST", "/api/signup", json=body)
        assert response.status_code == 201, response.text
        found: dict[str, str] = {**response.json(), "email": email}
        return found


@pytest.fixture(scope="module")
def deployment(servers: tuple[str, str, str]) -> Iterator[Deployment]:
    web = Deployment(servers[2], single_tenant="0")
    yield web
    web.stop()


@pytest.fixture
def ada(deployment: Deployment) -> dict[str, str]:
    for key in get_redis().scan_iter(match="aura:door:*", count=10_000):
        get_redis().delete(key)
    return deployment.found()


@pytest.fixture
def victim(deployment: Deployment, ada: dict[str, str], admin: psycopg.Connection) -> Marked:
    return fill(admin, UUID(deployment.found()["tenant_id"]))


def refusal(talker: Talker, **start: object) -> tuple[int | None, str]:
    """Return the code a socket closes with after this start, and the refusal's own code."""
    with talker as socket:
        socket.send(type="start", **start)
        closed, messages = socket.closed()
        return closed, messages[0]["code"]


@pytest.mark.parametrize("token", [None, "", "nonsense", "aura_sk_" + "A" * 64, "a.b.c"])
def test_a_socket_without_a_good_token_is_closed(deployment: Deployment, token: str | None) -> None:
    fields = {} if token is None else {"token": token}
    assert refusal(deployment.talk(), **fields) == (1008, "unauthenticated")


def test_sound_before_a_token_is_closed(deployment: Deployment) -> None:
    with deployment.talk() as talker:
        talker.socket.send(bytes(640))
        code, messages = talker.closed()
    assert (code, messages[0]["code"]) == (1008, "not_started")


def test_a_token_comes_in_the_first_message_the_subprotocol_or_the_address(
    deployment: Deployment, ada: dict[str, str]
) -> None:
    token = ada["access_token"]
    with deployment.talk() as talker:
        talker.start(token=token)
    with deployment.talk(subprotocols=["aura.v1", f"aura.token.{token}"]) as talker:
        talker.start()
    with deployment.talk(f"?token={token}") as talker:
        talker.start()
    with deployment.talk(additional_headers={"Authorization": f"Bearer {token}"}) as talker:
        talker.start()


def test_a_ticket_opens_one_socket_once(deployment: Deployment, ada: dict[str, str]) -> None:
    made = deployment.http("POST", "/api/ticket", ada["access_token"])
    ticket = made.json()["ticket"]
    assert made.status_code == 201 and made.json()["expires_in"] <= 60
    with deployment.talk() as talker:
        talker.start(token=ticket)
    assert refusal(deployment.talk(), token=ticket) == (1008, "unauthenticated")


def test_a_foreign_page_opens_no_socket(deployment: Deployment, ada: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as refused, deployment.talk(origin="https://evil.example"):
        pass
    assert refused.value.response.status_code == 403


def test_a_conversation_of_another_tenant_is_as_unknown_as_a_missing_one(
    deployment: Deployment, ada: dict[str, str], victim: Marked
) -> None:
    answers = []
    for conversation_id in (str(victim.ids["conversation"]), str(uuid4())):
        with deployment.talk() as talker:
            talker.send(type="start", token=ada["access_token"], conversation_id=conversation_id, after="0-0")
            answers.append({**talker.next(), "id": ""})
    assert answers[0] == answers[1]
    assert answers[0]["code"] == "not_found"


def test_a_place_of_another_tenants_stream_replays_nothing_of_it(
    deployment: Deployment, ada: dict[str, str], victim: Marked
) -> None:
    with deployment.talk() as talker:
        ready = talker.start(token=ada["access_token"])
        own = ready["conversation_id"]
    with deployment.talk() as talker:
        event_id = victim.texts["event_id"]
        talker.send(type="start", token=ada["access_token"], conversation_id=own, after=f"{event_id}/{event_id}")
        first = json.dumps(talker.next())
        talker.send(type="ping")
        assert victim.canary not in first + json.dumps(talker.next())


Revoke = Callable[[Deployment, dict[str, str], psycopg.Connection], object]

REVOCATIONS: dict[str, Revoke] = {
    "signed out": lambda web, login, _: web.http("POST", "/api/logout", login["access_token"], json={}),
    "refresh token used twice": lambda web, login, _: [
        web.http("POST", "/api/token/refresh", json={"refresh_token": login["refresh_token"]}) for _ in range(2)
    ],
    "user deactivated": lambda web, login, admin: admin.execute(
        "UPDATE tenant_users SET is_active = false WHERE user_id = %s", (login["user_id"],)
    ),
    "tenant expired": lambda web, login, admin: admin.execute(
        "UPDATE tenants SET expires_at = now() WHERE tenant_id = %s", (login["tenant_id"],)
    ),
}


@pytest.mark.parametrize("how", REVOCATIONS)
def test_an_open_socket_ends_within_five_seconds_of_its_revocation(
    deployment: Deployment, ada: dict[str, str], admin: psycopg.Connection, how: str
) -> None:
    bystander = deployment.found()
    with deployment.talk() as other, deployment.talk() as talker:
        other.start(token=bystander["access_token"])
        talker.start(token=ada["access_token"])
        REVOCATIONS[how](deployment, ada, admin)
        assert talker.closed()[0] == 1008
        assert seats.WATCH_EVERY_S + auth.TRUSTED_FOR_S < ENDS_WITHIN_S
        other.send(type="ping")
        other.expect("pong")


def test_a_sockets_key_is_revoked(deployment: Deployment, ada: dict[str, str]) -> None:
    body = {"name": "robot", "scopes": ["chat"]}
    key = deployment.http("POST", "/api/tenant/keys", ada["access_token"], json=body).json()
    with deployment.talk() as talker:
        talker.start(token=key["api_key"])
        deployment.http("DELETE", f"/api/tenant/keys/{key['key_id']}", ada["access_token"])
        assert talker.closed()[0] == 1008


def test_an_open_event_stream_ends_within_five_seconds_of_its_revocation(
    deployment: Deployment, ada: dict[str, str]
) -> None:
    files = {"file": ("a.txt", b"Something that no worker here will read.")}
    job = deployment.http("POST", "/api/documents/upload", ada["access_token"], files=files).json()
    ticket = deployment.http("POST", "/api/ticket", ada["access_token"]).json()["ticket"]
    url = f"http://127.0.0.1:{deployment.port}{job['events']}?ticket={ticket}"
    with httpx.stream("GET", url, timeout=WITHIN_S, trust_env=False) as response:
        assert response.status_code == 200
        lines = response.iter_lines()
        next(lines)
        sign_out = threading.Thread(
            target=deployment.http, args=("POST", "/api/logout", ada["access_token"]), kwargs={"json": {}}
        )
        sign_out.start()
        rest = "\n".join(lines)
        sign_out.join()
    assert '"code": "revoked"' in rest


def test_sessions_beyond_the_tenants_limit_are_refused(
    deployment: Deployment, ada: dict[str, str], admin: psycopg.Connection
) -> None:
    admin.execute("UPDATE tenants SET max_concurrent_sessions = 2 WHERE tenant_id = %s", (ada["tenant_id"],))
    with deployment.talk() as one, deployment.talk() as two:
        one.start(token=ada["access_token"])
        two.start(token=ada["access_token"])
        assert refusal(deployment.talk(), token=ada["access_token"]) == (1008, "quota_exceeded")
    subject = Subject.tenant(UUID(ada["tenant_id"]))
    told = [event.name for event in events.replay(get_redis(), subject)]
    assert EventName.QUOTA_EXCEEDED in told


def test_events_of_another_tenant_never_reach_a_socket(
    deployment: Deployment, ada: dict[str, str], victim: Marked
) -> None:
    """Live events of the victim are published while the attacker listens to a conversation of its own."""
    with deployment.talk() as talker:
        own = talker.start(token=ada["access_token"])["conversation_id"]
        theirs = Subject.conversation(victim.tenant_id, victim.ids["conversation"])
        # The same conversation id under another tenant is another subject.
        twin = Subject.conversation(victim.tenant_id, UUID(own))
        for subject in (theirs, twin):
            events.publish(get_redis(), Event(EventName.TURN_TOKEN, subject, {"text": victim.canary}))
        mine = Subject.conversation(UUID(ada["tenant_id"]), UUID(own))
        events.publish(get_redis(), Event(EventName.TURN_TOKEN, mine, {"turn_id": str(uuid4()), "text": "mine"}))
        messages = talker.until("turn.token")
    assert messages[-1]["text"] == "mine"
    assert victim.canary not in json.dumps(messages)
