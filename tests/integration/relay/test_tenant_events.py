"""An organisation's own stream: what is in it, what a client gets of it, and how it comes back."""

import threading
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from pipelines.stores import events
from pipelines.stores.redis import get_redis
from schemas.events import TENANT_WIDE, Event, EventName, Subject
from tests.integration.people import Person
from tests.integration.relay.event_client import Deployment, SocketClient, SseClient, document, turn, whole

CUTS, DOCUMENTS_A_CUT = 50, 10
STEPS = (EventName.DOCUMENT_EXTRACTED, EventName.DOCUMENT_CHUNKED, EventName.DOCUMENT_PROCESSED)


@pytest.fixture(scope="module")
def deployment(servers: tuple[str, str, str]) -> Iterator[Deployment]:
    web = Deployment(servers[2], single_tenant="0")
    yield web
    web.stop()


@pytest.fixture(params=["sse", "socket"])
def client(request: pytest.FixtureRequest, deployment: Deployment, ada: Person) -> SseClient | SocketClient:
    token = ada.login["access_token"]
    return deployment.follow(token) if request.param == "sse" else deployment.socket(token)


def publish(*found: Event) -> list[str]:
    return events.publish_many(get_redis(), found)


def test_what_concerns_the_organisation_is_in_its_stream_with_its_subject(servers: object) -> None:
    tenant_id, conversation_id = uuid4(), uuid4()
    ids = publish(*(turn(tenant_id, conversation_id, name, n=n) for n, name in enumerate(EventName)))
    at_home = events.replay(get_redis(), Subject.conversation(tenant_id, conversation_id))
    assert [event.id for event in at_home] == ids
    assert [event.name for event in at_home] == list(EventName)
    kept = events.replay(get_redis(), Subject.tenant(tenant_id))
    assert [event.name for event in kept] == [name for name in EventName if name in TENANT_WIDE]
    assert all(event.data["subject"] == {"kind": "conversation", "id": str(conversation_id)} for event in kept)
    assert {EventName.TURN_TOKEN, EventName.TURN_AUDIO}.isdisjoint(event.name for event in kept)


def test_a_bundle_is_in_order_in_every_stream_it_goes_to(servers: object) -> None:
    """More than one call's worth of events, of a hundred documents in turn."""
    tenant_id, docs = uuid4(), [uuid4() for _ in range(100)]
    found = [
        Event(EventName.DOCUMENT_EXTRACTED, Subject.document(tenant_id, docs[n % 100]), {"n": n}) for n in range(900)
    ]
    ids = publish(*found)
    assert [event.data["n"] for event in events.replay(get_redis(), Subject.tenant(tenant_id))] == list(range(900))
    for at, doc_id in enumerate(docs):
        kept = events.replay(get_redis(), Subject.document(tenant_id, doc_id))
        assert [(event.id, event.data["n"]) for event in kept] == [(ids[n], n) for n in range(at, 900, 100)]


def test_the_organisations_stream_stays_a_day_and_is_capped(servers: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_EVENTS", 100)
    tenant_id = uuid4()
    found = [document(tenant_id, n=n) for n in range(350)]
    publish(*found)
    stream = Subject.tenant(tenant_id)
    kept = events.replay(get_redis(), stream)
    assert [event.data["n"] for event in kept] == list(range(250, 350))
    assert int(get_redis().get(f"{stream.key}:bytes") or 0) == sum(len(event.body) for event in kept)
    day_s, hour_s = get_redis().ttl(stream.key), get_redis().ttl(found[0].subject.key)
    assert 23 * 3600 < day_s <= 24 * 3600 and hour_s <= 3600


def test_a_client_cut_fifty_times_misses_nothing(client: SseClient | SocketClient, ada: Person) -> None:
    """Each cut lets ten more documents be processed, so that the bulk goes on as long as the cuts do."""
    cut, published = threading.Semaphore(0), []

    def process() -> None:
        for _ in range(CUTS):
            cut.acquire(timeout=60)
            for step in STEPS:
                found = [document(ada.tenant_id, step) for _ in range(DOCUMENTS_A_CUT)]
                published.extend(event.data["doc_id"] for event in found)
                publish(*found)

    processing = threading.Thread(target=process)
    processing.start()
    seen: list[str] = []
    for _ in range(CUTS):
        with client:
            cut.release()
            # Some were published while nobody listened; a few of this round stay on their way.
            seen += [client.next()["doc_id"] for _ in range(DOCUMENTS_A_CUT * len(STEPS) - 7)]
            client.cut()
    processing.join()
    assert len(published) == CUTS * DOCUMENTS_A_CUT * len(STEPS)
    with client:
        seen += [client.next()["doc_id"] for _ in range(len(published) - len(seen))]
        publish(last := document(ada.tenant_id))
        assert client.next()["doc_id"] == last.data["doc_id"]
    assert seen == published


def test_a_client_that_saw_nothing_yet_comes_back_to_where_it_began(
    client: SseClient | SocketClient, ada: Person
) -> None:
    publish(document(ada.tenant_id, n="before"))
    with client:
        client.cut()
    publish(document(ada.tenant_id, n="meanwhile"))
    with client:
        assert client.next()["n"] == "meanwhile"


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ("document.*", ["document.extracted", "document.processed"]),
        ("document.processed,batch.*", ["document.processed", "batch.progress"]),
        ("*", ["document.extracted", "document.processed", "batch.progress", "quota.warning"]),
    ],
)
def test_types_are_chosen_by_name_or_beginning(
    deployment: Deployment, ada: Person, types: str, expected: list[str]
) -> None:
    token = ada.login["access_token"]
    with deployment.follow(token, types=types) as heard, deployment.socket(token, types=types) as told:
        publish(
            document(ada.tenant_id, EventName.DOCUMENT_EXTRACTED),
            document(ada.tenant_id),
            Event(EventName.BATCH_PROGRESS, Subject.batch(UUID(ada.tenant_id), uuid4()), {}),
            whole(ada.tenant_id, EventName.QUOTA_WARNING),
        )
        assert [heard.next()["event"] for _ in expected] == expected
        assert [told.next()["type"] for _ in expected] == expected


@pytest.mark.parametrize(
    "types", ["nothing.*", "document", "turn.token", "docu*", "document.*,,", "a" * 2000, "turn.audio"]
)
def test_types_that_are_none_are_refused(deployment: Deployment, ada: Person, types: str) -> None:
    answer = deployment.get("/api/events", ada.login["access_token"], types=types)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_a_batch_is_followed_with_its_documents(deployment: Deployment, ada: Person) -> None:
    batch_id = uuid4()
    about = Subject.batch(UUID(ada.tenant_id), batch_id)
    with deployment.follow(ada.login["access_token"], subject=f"batch:{batch_id}") as client:
        publish(
            document(ada.tenant_id, n="another's"),
            document(ada.tenant_id, n="its own", batch_id=str(batch_id)),
            Event(EventName.BATCH_PROGRESS, Subject.batch(about.tenant_id, uuid4()), {"n": "another batch"}),
            Event(EventName.BATCH_COMPLETED, about, {"n": "done"}),
        )
        assert [client.next()["n"] for _ in range(2)] == ["its own", "done"]


def test_a_place_that_is_lost_is_said_to_be(deployment: Deployment, ada: Person) -> None:
    token, stream = ada.login["access_token"], Subject.tenant(UUID(ada.tenant_id))
    publish(*(document(ada.tenant_id, n=n) for n in range(3)))
    first, second, third = (event.id for event in events.replay(get_redis(), stream))
    get_redis().xdel(stream.key, first, second)
    for lost in (first, "0-0", "1-1"):
        with deployment.follow(token, after=lost) as client:
            assert [client.next()["event"], client.next()["n"]] == ["reset", 2]
        with deployment.socket(token, after=lost) as told:
            assert told.ready["resumed"] is False
            assert [told.message()["type"], told.message()["n"]] == ["reset", 2]
    # What followed the second is all there, though it is gone itself.
    for kept in (second, third):
        with deployment.follow(token, after=kept) as client:
            publish(document(ada.tenant_id, n="more"))
            assert client.next()["event"] == "document.processed"


def test_a_stream_that_was_flushed_is_said_to_be(client: SseClient | SocketClient, ada: Person) -> None:
    with client:
        publish(document(ada.tenant_id))
        client.next()
    events.forget(get_redis(), Subject.tenant(UUID(ada.tenant_id)))
    publish(document(ada.tenant_id, n=1))
    with client:
        first = client.next() if isinstance(client, SseClient) else client.message()
        assert first.get("event", first["type"]) == "reset"
        assert client.next()["n"] == 1


def test_a_client_whose_filter_lets_nothing_through_still_learns_its_place(deployment: Deployment, ada: Person) -> None:
    publish(*(document(ada.tenant_id) for _ in range(5)))
    with deployment.follow(ada.login["access_token"], types="quota.*", after="0-0") as client:
        assert "comment" in client.block()
    kept = events.replay(get_redis(), Subject.tenant(UUID(ada.tenant_id)))
    assert client.last == kept[-1].id


def test_a_socket_answers_pings_and_refuses_what_it_does_not_know(deployment: Deployment, ada: Person) -> None:
    with deployment.socket(ada.login["access_token"]) as client:
        client.send(type="ping")
        assert client.message()["type"] == "pong"
        for wrong in ({"type": "audio_chunk"}, {"type": "start"}, {"type": 7}):
            client.send(**wrong)
            assert client.message()["code"] == "invalid_request"
        client.socket.send(b"\x00" * 10)
        assert client.message()["code"] == "invalid_request"
        client.send(type="stop")
        with pytest.raises(ConnectionClosed) as closed:
            client.message()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1000
