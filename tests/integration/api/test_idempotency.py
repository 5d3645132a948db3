"""A POST that names its key has one effect however often it is sent, and every sender gets its answer."""

import io
import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask, Response, g, jsonify, request
from flask_openapi3 import OpenAPI
from sqlalchemy import event
from werkzeug.test import TestResponse

from api import jobs
from api.documents import documents
from api.door import bodies, errors, idempotency
from api.door.auth import Caller
from pipelines.stores import sealing
from pipelines.stores.database import get_engine, tenant_session
from pipelines.stores.operations import audit
from pipelines.stores.operations.audit import SYSTEM
from schemas.errors.callers import TooManyRequests
from schemas.errors.providers import StoreUnavailable
from schemas.errors.requests import NotFound, StillRunning
from schemas.settings import get_settings

AT_ONCE = 50


def open_gate() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


class Door:
    """A front door whose views leave a row of the audit log behind each time they are run."""

    def __init__(self, app: Flask, admin: psycopg.Connection, tenant: UUID) -> None:
        self.app, self.admin, self.tenant = app, admin, tenant
        self.caller: Caller | None = Caller(tenant, "ada", "admin", "user", credential=uuid4())
        self.began, self.may_end = threading.Semaphore(0), open_gate()

    def hold(self) -> threading.Event:
        """Hold the requests to come between their effect and their answer, until the event is set."""
        self.may_end = threading.Event()
        return self.may_end

    def post(self, path: str, key: str | None = "a key", caller: Caller | None = None, **sent: Any) -> TestResponse:
        headers = sent.pop("headers", {}) | ({} if key is None else {"Idempotency-Key": key})
        with self.app.test_client() as client:
            environ = {"test.caller": caller or self.caller}
            return client.post(path, headers=headers, environ_overrides=environ, **sent)

    def effects(self, tenant: UUID | None = None) -> int:
        row = self.admin.execute("SELECT count(*) FROM audit_log WHERE tenant_id = %s", (tenant or self.tenant,))
        return int((row.fetchone() or (0,))[0])

    def kept(self) -> list[Any]:
        found = self.admin.execute("SELECT * FROM idempotency_keys WHERE tenant_id = %s", (self.tenant,))
        return found.fetchall()

    def end_leases(self) -> None:
        self.admin.execute("UPDATE idempotency_keys SET lease_until = now() - interval '1 s'")


@pytest.fixture
def door(servers: object, admin: psycopg.Connection, tenant: UUID) -> Door:
    app = Flask(__name__)
    found = Door(app, admin, tenant)
    errors.register(app)
    bodies.register(app)
    app.before_request(_admit)
    idempotency.register(app)
    app.add_url_rule("/act/<kind>", view_func=lambda kind: _act(found, kind), methods=["GET", "POST", "PUT"])
    app.add_url_rule("/size", view_func=_size, methods=["POST"])
    return found


def _admit() -> None:
    if asking := request.environ.get("test.caller"):
        g.caller = asking


def _act(door: Door, kind: str) -> Response:
    gate = door.may_end
    with tenant_session(g.caller.tenant_id if "caller" in g else door.tenant) as session:
        audit.record(session, session.tenant_id, SYSTEM, "test.acted", "test")
    door.began.release()
    assert gate.wait(120)
    return ANSWERS[kind]()


def _size() -> Response:
    return jsonify({name: len(file.stream.read()) for name, file in request.files.items()}, str(uuid4()))


def _raise(error: BaseException) -> Response:
    raise error


def _with_location(response: Response) -> Response:
    response.headers["Location"] = "/there"
    return response


ANSWERS: dict[str, Callable[[], Response]] = {
    "plain": lambda: Response(
        json.dumps({"id": str(uuid4())}), 201, {"Location": "/made", "X-Other": "x"}, content_type="application/json"
    ),
    "bytes": lambda: Response(bytes(range(256)) + uuid4().bytes, content_type="audio/wav"),
    "empty": lambda: Response(status=204),
    "refused": lambda: _raise(NotFound(str(uuid4()))),
    "conflict": lambda: _raise(StillRunning()),
    "busy": lambda: _raise(TooManyRequests()),
    "unavailable": lambda: _raise(StoreUnavailable()),
    "broken": lambda: _raise(RuntimeError("broken")),
    "killed": lambda: _raise(KeyboardInterrupt()),
    "streamed": lambda: Response(iter(["data: 1\n\n"]), content_type="text/event-stream"),
    "streamed-job": lambda: _with_location(Response(iter(["data: 1\n\n"]), content_type="text/event-stream")),
    "large": lambda: Response(b"x" * ((1 << 20) + 1)),
    "large-job": lambda: _with_location(Response(b"x" * ((1 << 20) + 1))),
    "largest": lambda: Response(uuid4().bytes * (1 << 16)),
}


def replayed(response: TestResponse) -> bool:
    return response.headers.get("Idempotent-Replayed") == "true"


def code(response: TestResponse) -> str:
    return str(response.get_json()["code"])


@pytest.mark.parametrize("kind", ["plain", "bytes", "empty", "refused", "largest"])
def test_a_request_that_is_sent_again_gets_the_first_answer(door: Door, kind: str) -> None:
    first, second = door.post(f"/act/{kind}"), door.post(f"/act/{kind}")
    assert not replayed(first)
    assert replayed(second)
    assert door.effects() == 1
    assert (first.status_code, first.data) == (second.status_code, second.data)
    for name in ("Content-Type", "Location"):
        assert first.headers.get(name) == second.headers.get(name)


def test_many_at_once_have_one_effect_and_one_answer(door: Door) -> None:
    start = threading.Barrier(AT_ONCE)

    def send(_: int) -> TestResponse:
        start.wait(120)
        return door.post("/act/plain", json={"n": 1})

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(send, range(AT_ONCE)))
    done = [answer for answer in answers if answer.status_code == 201]
    assert door.effects() == 1
    assert len([answer for answer in done if not replayed(answer)]) == 1
    assert {code(answer) for answer in answers if answer.status_code != 201} <= {"still_running"}
    assert len({answer.data for answer in [*done, door.post("/act/plain", json={"n": 1})]}) == 1


def test_an_upload_sent_many_times_at_once_is_run_once(
    servers: object, admin: psycopg.Connection, tenant: UUID
) -> None:
    app = OpenAPI(__name__, doc_ui=False)
    errors.register(app)
    app.before_request(_admit)
    idempotency.register(app)
    app.register_api(documents.blueprint)
    app.register_api(jobs.blueprint)
    upload, runs = app.view_functions["documents.upload"], []

    def counted() -> Any:
        runs.append(1)
        return upload()

    app.view_functions["documents.upload"] = counted
    door, content = Door(app, admin, tenant), f"Some words {uuid4()}".encode()
    start = threading.Barrier(AT_ONCE)

    def send(_: int) -> TestResponse:
        start.wait(120)
        return door.post("/api/documents/upload", data={"file": (io.BytesIO(content), "a.txt")})

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(send, range(AT_ONCE)))
    rows = admin.execute("SELECT doc_id FROM documents WHERE tenant_id = %s", (tenant,)).fetchall()
    assert (len(runs), len(rows)) == (1, 1)
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert {answer.get_json()["job_id"] for answer in answers if answer.status_code == 202} == {str(rows[0][0])}


def test_while_it_is_in_work_others_are_told_to_come_back(door: Door) -> None:
    held = door.hold()
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(door.post, "/act/plain")
        assert door.began.acquire(timeout=120)
        meanwhile = door.post("/act/plain")
        another = door.post("/act/plain", json={})
        held.set()
        assert first.result(120).status_code == 201
    assert (meanwhile.status_code, code(meanwhile)) == (409, "still_running")
    assert int(meanwhile.headers["Retry-After"]) >= 1
    assert (another.status_code, code(another)) == (422, "idempotency_key_reused")
    assert door.post("/act/plain").data == first.result().data
    assert door.effects() == 1


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/act/plain", {"json": {"n": 2}}),
        ("/act/plain", {"json": {"n": "1"}}),
        ("/act/plain", {"json": {"n": 1, "m": None}}),
        ("/act/plain?n=1", {"json": {"n": 1}}),
        ("/act/bytes", {"json": {"n": 1}}),
        ("/act/plain", {"data": b'{"n": 1}'}),
        ("/act/plain", {"data": {"n": "1"}}),
        ("/act/plain", {}),
    ],
)
def test_a_key_is_for_one_request_only(door: Door, path: str, sent: dict[str, Any]) -> None:
    assert door.post("/act/plain", json={"n": 1}).status_code == 201
    other = door.post(path, **sent)
    assert (other.status_code, code(other)) == (422, "idempotency_key_reused")
    assert door.effects() == 1


def test_json_that_says_the_same_is_the_same(door: Door) -> None:
    for body in ('{"a": 1, "b": [true]}', '{"b":[true],\n"a":1}'):
        answer = door.post("/act/plain", data=body, content_type="application/json")
        assert answer.status_code == 201
    assert replayed(answer)


def test_json_as_deep_as_it_can_be_parsed_can_be_told_apart(door: Door) -> None:
    answers = []
    for depth in (*range(850, 1000), 100_000):
        body = b"[" * depth + b"]" * depth
        answers.append(door.post("/size", key=str(depth), data=body, content_type="application/json").status_code)
    assert set(answers) == {200, 400}


def test_what_is_no_json_and_no_form_is_known_by_its_bytes_and_type(door: Door) -> None:
    sent = [(b"a", "text/plain"), (b"a", "text/plain"), (b"b", "text/plain"), (b"a", "text/html")]
    answers = [door.post("/size", data=data, content_type=kind) for data, kind in sent]
    assert [answer.status_code for answer in answers] == [200, 200, 422, 422]


def test_the_order_of_values_under_one_name_counts(door: Door) -> None:
    sent = [{"n": ["1", "2"], "m": "3"}, {"m": "3", "n": ["1", "2"]}, {"n": ["2", "1"], "m": "3"}]
    answers = [door.post("/size", data=data) for data in sent]
    assert [answer.status_code for answer in answers] == [200, 200, 422]


BIG = b"x" * (700 << 10)


@pytest.mark.parametrize(
    ("fields", "same"),
    [
        ({"file": (BIG, "a.txt", "text/plain"), "n": "1"}, True),
        ({"n": "1", "file": (BIG, "a.txt", "text/plain")}, True),
        ({"file": (BIG, "b.txt", "text/plain"), "n": "1"}, False),
        ({"file": (BIG, "a.txt", "text/html"), "n": "1"}, False),
        ({"other": (BIG, "a.txt", "text/plain"), "n": "1"}, False),
        ({"file": (BIG[:-1] + b"y", "a.txt", "text/plain"), "n": "1"}, False),
        ({"file": (BIG, "a.txt", "text/plain"), "n": "2"}, False),
        ({"file": (BIG, "a.txt", "text/plain")}, False),
        ({"file": (BIG, "a.txt", "text/plain"), "n": ["1", "1"]}, False),
    ],
)
def test_a_form_is_known_by_what_it_carries(door: Door, fields: dict[str, Any], same: bool) -> None:
    def send(fields: dict[str, Any]) -> TestResponse:
        data = {
            name: (io.BytesIO(value[0]), *value[1:]) if isinstance(value, tuple) else value
            for name, value in fields.items()
        }
        return door.post("/size", data=data, content_type="multipart/form-data")

    first, second = send({"file": (BIG, "a.txt", "text/plain"), "n": "1"}), send(fields)
    # The view found the whole file, though it was read before it.
    assert first.get_json()[0] == {"file": len(BIG)}
    assert (replayed(second), second.status_code) == (same, 200 if same else 422)


def test_a_part_of_a_form_may_have_no_name(door: Door) -> None:
    part = "--x\r\nContent-Disposition: form-data{}\r\n\r\n1\r\n"
    body = part.format("") + part.format('; name="n"') + part.format("") + "--x--\r\n"
    answers = [door.post("/act/plain", data=body, content_type="multipart/form-data; boundary=x") for _ in range(2)]
    assert [replayed(answer) for answer in answers] == [False, True]


def test_two_forms_differ_in_their_boundary_only(door: Door) -> None:
    for boundary in ("one", "two"):
        body = f'--{boundary}\r\nContent-Disposition: form-data; name="n"\r\n\r\n1\r\n--{boundary}--\r\n'
        answer = door.post("/act/plain", data=body, content_type=f"multipart/form-data; boundary={boundary}")
        assert answer.status_code == 201
    assert replayed(answer)


@pytest.mark.parametrize("kind", ["conflict", "busy", "unavailable", "broken", "streamed"])
def test_what_may_work_at_the_next_try_is_tried_again(door: Door, kind: str) -> None:
    first, second = door.post(f"/act/{kind}"), door.post(f"/act/{kind}")
    assert first.status_code == second.status_code
    assert not replayed(second)
    assert door.effects() == 2
    assert door.kept() == []


def test_a_request_without_an_answer_gives_its_key_back(door: Door) -> None:
    with pytest.raises(KeyboardInterrupt):
        door.post("/act/killed")
    assert door.kept() == []


@pytest.mark.parametrize(
    ("kind", "status", "location"),
    [("streamed-job", 303, "/there"), ("large-job", 303, "/there"), ("large", 204, None)],
)
def test_an_answer_that_can_not_be_kept_is_named_by_its_place(
    door: Door, kind: str, status: int, location: str | None
) -> None:
    first, second = door.post(f"/act/{kind}"), door.post(f"/act/{kind}")
    assert (first.status_code, second.status_code) == (200, status)
    assert replayed(second)
    assert (second.headers.get("Location"), second.data) == (location, b"")
    assert door.effects() == 1


def test_a_key_whose_process_died_is_free_when_its_lease_ends(door: Door) -> None:
    held = door.hold()
    with ThreadPoolExecutor(1) as threads:
        late = threads.submit(door.post, "/act/plain")
        assert door.began.acquire(timeout=120)
        door.end_leases()
        # What is done again must be the same: the first may have had its effect.
        assert code(door.post("/act/plain", json={})) == "idempotency_key_reused"
        door.may_end = open_gate()
        second = door.post("/act/plain")
        held.set()
        assert late.result(120).status_code == 201
    assert (replayed(second), door.effects()) == (False, 2)
    # The late one's answer reached its sender, but it is not the one that is kept.
    assert late.result().data != second.data == door.post("/act/plain").data


def test_an_answer_outlives_the_lease(door: Door) -> None:
    first = door.post("/act/plain")
    door.end_leases()
    assert door.post("/act/plain").data == first.data


def test_a_late_failure_does_not_free_the_key_of_who_took_over(door: Door) -> None:
    held = door.hold()
    with ThreadPoolExecutor(1) as threads:
        late = threads.submit(door.post, "/act/broken")
        assert door.began.acquire(timeout=120)
        door.admin.execute("UPDATE idempotency_keys SET lease_token = gen_random_uuid()")
        held.set()
        assert late.result(120).status_code == 500
    assert len(door.kept()) == 1


def test_keys_of_others_are_other_keys(door: Door, new_tenant: Callable[[], UUID]) -> None:
    elsewhere, key_id = new_tenant(), uuid4()
    callers = [
        Caller(door.tenant, "ada", "admin", "user", credential=uuid4()),
        Caller(elsewhere, "ada", "admin", "user", credential=uuid4()),
        Caller(door.tenant, "bob", "admin", "user", credential=uuid4()),
        Caller(door.tenant, "ada", "api_key", "api_key", credential=key_id),
        Caller(door.tenant, "ada", "api_key", "api_key", credential=uuid4()),
    ]
    first = [door.post("/act/plain", caller=caller) for caller in callers]
    assert not any(replayed(answer) for answer in first)
    assert len({answer.data for answer in first}) == len(callers)
    assert (door.effects(), door.effects(elsewhere)) == (4, 1)
    # A person who signed in anew, and a program under another name, are still who they were.
    again = [
        door.post("/act/plain", caller=Caller(door.tenant, "ada", "admin", "user", credential=uuid4())),
        door.post("/act/plain", caller=Caller(door.tenant, "carl", "api_key", "api_key", credential=key_id)),
    ]
    assert [answer.data for answer in again] == [first[0].data, first[3].data]
    # Nor is what a tenant may know of a key whether another tenant has used it.
    assert door.post("/act/bytes", caller=callers[1], key="b").status_code == 200
    assert door.post("/act/plain", key="b").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "schl\u00fcssel", "a\tb"])
def test_a_key_that_is_none_is_refused(door: Door, key: str) -> None:
    answer = door.post("/act/plain", key=key)
    assert (answer.status_code, code(answer), door.effects()) == (422, "invalid_request", 0)


def test_the_longest_key_is_taken(door: Door) -> None:
    assert [replayed(door.post("/act/plain", key="~" * 255)) for _ in range(2)] == [False, True]


def test_where_nobody_asks_or_nothing_is_posted_the_key_is_ignored(door: Door) -> None:
    door.caller = None
    assert [replayed(door.post("/act/plain")) for _ in range(2)] == [False, False]
    door.caller = Caller(door.tenant, "ada", "admin")
    with door.app.test_client() as client:
        for _ in range(2):
            sent = {"headers": {"Idempotency-Key": "k"}, "environ_overrides": {"test.caller": door.caller}}
            assert client.put("/act/plain", **sent).status_code == 201
    assert (door.effects(), door.kept()) == (4, [])


def test_without_a_key_the_database_is_not_asked(door: Door) -> None:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(get_engine(), "before_cursor_execute", note)
    try:
        for key, statements in ((None, 0), ("a key", 2)):
            door.post("/size", key=key, data={"file": (io.BytesIO(b"x"), "a.txt")})
            assert len([statement for statement in asked if "idempotency_keys" in statement]) == statements
            assert bool(asked) == bool(statements)
    finally:
        event.remove(get_engine(), "before_cursor_execute", note)


def test_what_is_kept_shows_neither_answer_nor_request_to_who_reads_the_table(door: Door) -> None:
    secret = f"password-{uuid4()}"
    answer = door.post("/act/plain", json={"password": secret})
    row = repr(door.kept())
    assert answer.get_json()["id"] not in row
    assert secret not in row


def test_answers_outlive_a_rotation_of_the_secrets(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    first = door.post("/act/plain")
    before = os.environ["AURA_SECRET_KEYS"]
    try:
        monkeypatch.setenv("AURA_SECRET_KEYS", f"a-newer-secret-that-is-long-enough-too,{before}")
        _read_settings_anew()
        assert door.post("/act/plain").data == first.data
        # Without the secret it cannot be known what was asked, so it is not done again either.
        monkeypatch.setenv("AURA_SECRET_KEYS", "a-newer-secret-that-is-long-enough-too")
        _read_settings_anew()
        assert code(door.post("/act/plain")) == "idempotency_key_reused"
    finally:
        monkeypatch.undo()
        _read_settings_anew()
    assert door.effects() == 1


def _read_settings_anew() -> None:
    get_settings.cache_clear()
    sealing._keys.cache_clear()
