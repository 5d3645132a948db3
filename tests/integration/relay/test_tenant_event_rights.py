"""Who gets which events of an organisation's stream: its own people and keys, each what they may see; no one else."""

import threading
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import psycopg
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from api.live import event_filter
from pipelines.stores import events
from pipelines.stores.database import tenant_session
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import turns
from schemas.events import TENANT_WIDE, Event, EventName
from tests.integration.people import Person
from tests.integration.relay.event_client import Deployment, SocketClient, document, turn, whole

ENDS_WITHIN_S = 5.0
"""What is promised, where the machine has time for it; a busy one gets more, and is not what is tested."""

PATIENCE_S = 60.0
DOCUMENTS = {name for name in TENANT_WIDE if name.startswith(("document.", "batch."))}
TURNS = {name for name in TENANT_WIDE if name.startswith("turn.")}
WEBHOOKS = {name for name in TENANT_WIDE if name.startswith("webhook.")}
OVERVIEW = TENANT_WIDE - DOCUMENTS - TURNS - WEBHOOKS
OTHERS, OWN = "of another", "own"


@pytest.fixture(scope="module")
def deployment(servers: tuple[str, str, str]) -> Iterator[Deployment]:
    web = Deployment(servers[2], single_tenant="0")
    yield web
    web.stop()


def publish(*found: Event) -> list[str]:
    return events.publish_many(get_redis(), found)


def conversation(tenant_id: str, user_id: str) -> UUID:
    with tenant_session(UUID(tenant_id)) as session:
        return turns.open_conversation(session, UUID(tenant_id), user_id, "default-assistant")


def everything(tenant_id: str, conversation_id: UUID, label: str) -> list[Event]:
    """Return one event of each name, about turns of this conversation where it is about one."""
    found = []
    for name in sorted(TENANT_WIDE):
        if name in TURNS:
            found.append(turn(tenant_id, conversation_id, name, label=label))
        else:
            found.append(whole(tenant_id, name, label=label))
    return found


def key_of(admin: Person, *scopes: str) -> str:
    made = admin.post("/api/tenant/keys", json={"name": "robot", "scopes": scopes})
    assert made.status_code == 201, made.json
    return str((made.json or {})["api_key"])


EXPECTED = {
    "admin": (TENANT_WIDE, TURNS),
    "manager": (TENANT_WIDE - WEBHOOKS, set()),
    "user": (DOCUMENTS | TURNS, set()),
    "key for chat": (TURNS, TURNS),
    "key for documents": (DOCUMENTS, set()),
    "key for webhooks": (WEBHOOKS, set()),
    "key for analytics": (OVERVIEW, set()),
}
"""By who follows: what they get of everything, where the turns are their own; and of turns of another."""


@pytest.mark.parametrize("who", EXPECTED)
def test_each_gets_what_they_may_see(
    who: str, deployment: Deployment, ada: Person, joined: Callable[..., Person]
) -> None:
    keys = {
        "chat": ["chat"],
        "documents": ["documents:read"],
        "webhooks": ["webhooks"],
        "analytics": ["analytics:read"],
    }
    follower = ada if who == "admin" else joined(ada, who) if who in ("manager", "user") else None
    token = follower.login["access_token"] if follower else key_of(ada, *keys[who.rpartition(" ")[2]])
    # A key's turns are those of any user it acts for.
    own = conversation(ada.tenant_id, follower.login["user_id"] if follower else "somebody")
    others = conversation(ada.tenant_id, joined(ada).login["user_id"])
    of_own, of_others = EXPECTED[who]
    expected = {(name, OWN) for name in of_own} | {(name, OTHERS) for name in (of_own - TURNS) | of_others}
    stop = whole(ada.tenant_id, sorted(of_own)[0], label="stop")
    stop = turn(ada.tenant_id, own, EventName(stop.name), label="stop") if stop.name in TURNS else stop
    with deployment.follow(token) as heard, deployment.socket(token) as told:
        publish(*everything(ada.tenant_id, own, OWN), *everything(ada.tenant_id, others, OTHERS), stop)
        for client in (heard, told):
            seen = set()
            while (event := client.next())["label"] != "stop":
                assert (event["type"], event["label"]) not in seen
                seen.add((event["type"], event["label"]))
            assert seen == expected


def test_what_is_asked_for_and_may_not_be_seen_is_refused(
    deployment: Deployment, ada: Person, joined: Callable[..., Person]
) -> None:
    user = joined(ada)
    answer = deployment.get("/api/events", user.login["access_token"], types="webhook.*,quota.*")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    with (
        pytest.raises(AssertionError, match="forbidden"),
        deployment.socket(user.login["access_token"], types="quota.*"),
    ):
        pass


def test_two_organisations_never_mix(deployment: Deployment, founder: Callable[..., Person]) -> None:
    """Both publish at once, into streams that each follows with places and subjects of the other."""
    ada, eve = founder(), founder()
    theirs = document(ada.tenant_id, label="ada")
    place = publish(theirs)[0]
    clients = [
        (ada, deployment.follow(ada.login["access_token"])),
        (eve, deployment.follow(eve.login["access_token"], after="0-0")),
        (eve, deployment.follow(eve.login["access_token"], after=place)),
        (eve, deployment.socket(eve.login["access_token"], after=place)),
    ]

    def flood(person: Person, label: str) -> None:
        for n in range(40):
            publish(*(document(person.tenant_id, label=label, n=n) for _ in range(5)))

    for _, client in clients:
        client.__enter__()
    floods = [threading.Thread(target=flood, args=each) for each in ((ada, "ada"), (eve, "eve"))]
    for each in floods:
        each.start()
    for person, client in clients:
        found = [event for event in (client.next() for _ in range(200)) if event.get("event") != "reset"]
        assert {event["label"] for event in found} == {"ada" if person is ada else "eve"}
    for each in floods:
        each.join()
    for _, client in clients:
        client.__exit__(None, None, None)
    with deployment.follow(eve.login["access_token"], subject=f"document:{theirs.subject.id}", after="0-0") as client:
        assert "comment" in client.block()


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
def test_without_a_good_token_nothing_is_followed(deployment: Deployment, token: str) -> None:
    assert deployment.get("/api/events", token or "-").status_code == 401
    client = SocketClient(deployment.port, token, {})
    with pytest.raises(AssertionError, match="unauthenticated"), client:
        pass
    with pytest.raises(ConnectionClosed) as closed:
        client.socket.recv(PATIENCE_S)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


def test_a_ticket_or_the_subprotocol_opens_a_socket(deployment: Deployment, ada: Person) -> None:
    ticket = (ada.post("/api/ticket").json or {})["ticket"]
    with deployment.socket(ticket) as client:
        assert client.ready["type"] == "ready"
    with pytest.raises(AssertionError, match="unauthenticated"), deployment.socket(ticket):
        pass
    token = ada.login["access_token"]
    url = f"ws://127.0.0.1:{deployment.port}/ws/events"
    with connect(url, subprotocols=["aura.v1", f"aura.token.{token}"], open_timeout=PATIENCE_S) as socket:  # type: ignore[list-item]
        assert socket.subprotocol == "aura.v1"
        socket.send('{"type":"start"}')
        assert '"ready"' in str(socket.recv(PATIENCE_S))


def test_signing_out_ends_both_within_five_seconds(deployment: Deployment, ada: Person) -> None:
    token = ada.login["access_token"]
    with deployment.follow(token) as heard, deployment.socket(token) as told:
        assert ada.post("/api/logout", json={}).status_code < 300
        assert '"code": "revoked"' in heard.rest()[-1]["data"]
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                told.message()
    assert event_filter.LOOK_AGAIN_S <= ENDS_WITHIN_S / 2
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


def test_a_role_that_is_taken_away_ends_its_events(
    deployment: Deployment, ada: Person, joined: Callable[..., Person], admin: psycopg.Connection
) -> None:
    manager = joined(ada, "manager")
    with deployment.follow(manager.login["access_token"]) as client:
        publish(whole(ada.tenant_id, EventName.QUOTA_WARNING))
        assert client.next()["event"] == "quota.warning"
        user_id = manager.login["user_id"]
        admin.execute(
            "UPDATE tenant_users SET can_view_analytics = false, role = 'user' WHERE user_id = %s", (user_id,)
        )
        began, events_since = time.monotonic(), 0
        while time.monotonic() - began < PATIENCE_S:
            publish(whole(ada.tenant_id, EventName.QUOTA_WARNING), document(ada.tenant_id))
            events_since = client.next()["event"] == "quota.warning"
            if not events_since:
                break
            client.next()
        assert not events_since
