"""Whatever is sent to the door is answered by a problem with a stable code, and accepted work is a row."""

import io
import json
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + bytes(200)


def problem(response: TestResponse) -> dict[str, Any]:
    assert response.content_type == "application/problem+json", response.get_data(as_text=True)[:300]
    body: dict[str, Any] = json.loads(response.get_data())
    assert body["status"] == response.status_code
    assert body["detail"]
    assert body["trace_id"]
    return body


def send(client: FlaskClient, name: str, content: bytes, **fields: str) -> TestResponse:
    return client.post("/api/documents/upload", data={"file": (io.BytesIO(content), name), **fields})


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("empty.txt", b"", 422, "empty_file"),
        ("report.pdf", EXE, 415, "type_mismatch"),
        ("setup.exe", EXE, 415, "unsupported_type"),
        ("report.pdf", b"just words", 415, "type_mismatch"),
        ("words.txt", bytes(range(256)) * 20, 415, "type_mismatch"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(
    client: FlaskClient, name: str, content: bytes, status: int, code: str
) -> None:
    response = send(client, name, content)
    assert (response.status_code, problem(response)["code"]) == (status, code)


def test_a_request_without_a_file_is_told_so(client: FlaskClient) -> None:
    response = client.post("/api/documents/upload", data={"user_id": "u"})
    assert (response.status_code, problem(response)["code"]) == (422, "no_file")


def test_a_file_over_the_limit_is_refused(client: FlaskClient) -> None:
    response = send(client, "big.txt", b"x" * (102 << 20))
    assert (response.status_code, problem(response)["code"]) == (413, "file_too_large")


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.txt", "a%0D%0ASet-Cookie: x.txt", "CON.txt", "x" * 300 + ".txt", "\u202etxt.exe.txt"]
)
def test_a_name_is_made_harmless(client: FlaskClient, name: str) -> None:
    response = send(client, name, f"Some words {uuid4()}".encode())
    assert response.status_code == 202, response.get_data(as_text=True)
    kept = response.get_json()["document"]["filename"]
    assert not set(kept) & set("/\\\r\n\u202e")
    assert len(kept) <= 255
    assert kept.endswith(".txt")


def test_an_upload_is_a_row_before_it_is_answered(client: FlaskClient, admin: psycopg.Connection) -> None:
    response = send(client, "notes.txt", f"Some words {uuid4()}".encode())
    job = response.get_json()
    assert response.status_code == 202
    assert response.headers["Location"] == job["job"]
    row = admin.execute("SELECT processing_status FROM documents WHERE doc_id = %s", (job["job_id"],)).fetchone()
    assert row == ("queued",)
    view = client.get(f"/api/documents/{job['job_id']}").get_json()
    assert (view["status"], view["filename"]) == ("queued", "notes.txt")


def test_the_same_bytes_twice_are_one_document(client: FlaskClient) -> None:
    content = f"Some words {uuid4()}".encode()
    first, second = send(client, "a.txt", content), send(client, "b.txt", content)
    assert first.get_json()["job_id"] == second.get_json()["job_id"]


def test_a_document_for_an_unknown_assistant_is_refused(client: FlaskClient) -> None:
    response = send(client, "a.txt", b"words", assistant_key="nobody")
    assert (response.status_code, problem(response)["code"]) == (404, "unknown_assistant")


def test_deleting_gives_a_receipt_and_then_nothing_is_there(client: FlaskClient) -> None:
    doc_id = send(client, "a.txt", f"Some words {uuid4()}".encode()).get_json()["job_id"]
    receipt = client.delete(f"/api/documents/{doc_id}").get_json()
    assert (receipt["filename"], receipt["objects_deleted"]) == ("a.txt", 1)
    for response in (client.get(f"/api/documents/{doc_id}"), client.delete(f"/api/documents/{doc_id}")):
        assert (response.status_code, problem(response)["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "malformed_json"),
        (b"[" * 100_000, "malformed_json"),
        (b'{"message": NaN}', "malformed_json"),
        (b'{"message": "a", "message": "b"}', "malformed_json"),
        (b'{"message": ' + b"9" * 10_000 + b"}", "malformed_json"),
        (b'\xff\xfe{"message": "x"}', "malformed_json"),
        (b"[]", "invalid_request"),
        (b"{}", "invalid_request"),
        (b'{"message": ""}', "invalid_request"),
        (b'{"message": "   "}', "invalid_request"),
        (b'{"message": "\\u0000"}', "invalid_request"),
        (b'{"message": "x", "session_id": "7"}', "invalid_request"),
    ],
)
def test_a_bad_body_is_named_as_such(client: FlaskClient, body: bytes, code: str) -> None:
    response = client.post("/api/chat", data=body, content_type="application/json")
    assert (problem(response)["code"], response.status_code // 100) == (code, 4)


def test_a_message_of_a_megabyte_is_too_long(client: FlaskClient) -> None:
    response = client.post("/api/chat", json={"message": "why " * 262_144})
    assert (response.status_code, problem(response)["code"]) == (413, "message_too_long")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"assistant_key": "nobody"}, 404, "unknown_assistant"),
        ({"session_id": str(uuid4())}, 404, "not_found"),
        ({"tenant_id": str(uuid4())}, 403, "wrong_tenant"),
    ],
)
def test_a_question_to_nobody_is_refused(client: FlaskClient, fields: dict[str, str], status: int, code: str) -> None:
    response = client.post("/api/chat", json={"message": "Hello?", **fields})
    assert (response.status_code, problem(response)["code"]) == (status, code)


@pytest.mark.parametrize(
    "path", ["/api/documents/{}", "/api/documents/{}/chunks", "/api/jobs/{}", "/api/jobs/{}/events"]
)
def test_unknown_ids_are_not_found(client: FlaskClient, path: str) -> None:
    for unknown in (uuid4(), "7", "not-an-id"):
        response = client.get(path.format(unknown))
        assert (response.status_code, problem(response)["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "status"),
    [("limit=-1", 422), ("limit=0", 422), ("limit=x", 422), ("limit=9999", 422), ("after=zzz", 422)],
)
def test_bad_paging_is_refused(client: FlaskClient, query: str, status: int) -> None:
    response = client.get(f"/api/documents?{query}")
    assert (response.status_code, problem(response)["code"]) == (status, "invalid_request")


def test_pages_of_a_listing_join_without_gap_or_double(client: FlaskClient) -> None:
    sent = [send(client, f"{i}.txt", f"{i} {uuid4()}".encode()).get_json()["job_id"] for i in range(5)]
    seen: list[str] = []
    after = ""
    while True:
        page = client.get(f"/api/documents?limit=2{after}").get_json()
        seen += [document["id"] for document in page["documents"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen[:5] == sent[::-1]
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("content_type", ["audio/wav", "text/plain"])
def test_what_is_no_sound_is_refused(client: FlaskClient, content_type: str) -> None:
    response = client.post(
        "/api/voice/transcribe", data={"file": (io.BytesIO(b"#EXTM3U\nfile:///etc/passwd"), "a.mp3", content_type)}
    )
    assert (response.status_code, problem(response)["code"]) == (422, "undecodable_audio")


@pytest.mark.parametrize(
    ("headers", "method"),
    [
        ({"Host": "evil.example"}, "GET"),
        ({"Host": "localhost.evil.example:8000"}, "GET"),
        ({"Origin": "https://evil.example"}, "POST"),
        ({"Origin": "null"}, "POST"),
        ({"Sec-Fetch-Site": "cross-site"}, "POST"),
    ],
)
def test_other_sites_can_not_use_a_server_without_tokens(
    client: FlaskClient, headers: dict[str, str], method: str
) -> None:
    response = client.open(
        "/api/chat" if method == "POST" else "/api/documents", method=method, headers=headers, json={}
    )
    assert (response.status_code, problem(response)["code"]) == (403, "forbidden")


def test_this_machines_own_pages_can(client: FlaskClient) -> None:
    headers = {"Host": "127.0.0.1:8000", "Origin": "http://localhost:5173", "Sec-Fetch-Site": "same-site"}
    assert client.get("/api/documents", headers=headers).status_code == 200
    assert client.post("/api/chat", headers=headers, json={}).status_code == 422


def test_unknown_paths_and_methods_are_problems_too(client: FlaskClient) -> None:
    assert problem(client.get("/nowhere"))["code"] == "not_found"
    response = client.put("/api/chat")
    assert problem(response)["code"] == "method_not_allowed"
    assert "POST" in response.headers["Allow"]


def test_the_openapi_document_names_every_route(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    assert document["openapi"].startswith("3.1")
    assert {"/api/chat", "/rag/chat", "/api/documents/upload", "/api/jobs/{id}", "/api/voice/transcribe"} <= set(
        document["paths"]
    )
    assert client.get("/docs", follow_redirects=True).status_code == 200


def test_aliases_answer_as_their_canonical_route(client: FlaskClient) -> None:
    assert client.get("/knowledge/list").get_json() == client.get("/api/documents").get_json()
    assert problem(client.post("/chat/", json={}))["code"] == "invalid_request"
