"""Many files in one request are one job: none is lost, none is there twice, and a bad one harms no other."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from flask import Flask

from schemas.settings import get_settings
from tests.integration.people import Person, code
from tests.integration.ways_in.conftest import Sender, words

EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + bytes(200)


@pytest.mark.parametrize("field", ["file", "files"])
def test_many_files_are_one_batch(sender: Sender, field: str) -> None:
    response = sender.send(words(3), field)
    answer = response.get_json()
    assert response.status_code == 202, answer
    assert response.headers["Location"] == answer["job"] == f"/api/jobs/{answer['job_id']}"
    assert answer["batch"]["total"] == 3
    assert [document["status"] for document in answer["documents"]] == ["queued"] * 3
    assert sender.totals(answer["job_id"]) == {"total": 3, "queued": 3}


def test_a_refused_file_is_an_item_with_its_code_and_no_hindrance(sender: Sender) -> None:
    good, other = words(2)
    answer = sender.send([good, ("tool.pdf", EXE), ("empty.txt", b""), other]).get_json()
    refused = {one["filename"]: one["code"] for one in answer["refused"]}
    assert refused == {"tool.pdf": "type_mismatch", "empty.txt": "empty_file"}
    found = [(item["filename"], item["status"], item["code"]) for item in sender.items(answer["job_id"])]
    assert found == [
        (good[0], "queued", None),
        ("tool.pdf", "refused", "type_mismatch"),
        ("empty.txt", "refused", "empty_file"),
        (other[0], "queued", None),
    ]
    assert all(item["remedy"] for item in sender.items(answer["job_id"], "status=refused"))


def test_a_batch_of_which_all_is_refused_is_done(sender: Sender) -> None:
    answer = sender.send([("a.pdf", EXE), ("b.pdf", EXE)]).get_json()
    assert sender.job(answer["job_id"])["status"] == "completed"


def test_the_same_bytes_are_one_document_within_a_batch_and_over_batches(sender: Sender) -> None:
    (name, content), other = words(2)
    first = sender.send([(name, content), ("copy.txt", content), other]).get_json()
    second = sender.send([("again.txt", content), *words(1)]).get_json()
    ids = {item["filename"]: item["document_id"] for item in sender.items(first["job_id"])}
    assert ids[name] == ids["copy.txt"] != ids[other[0]]
    assert sender.items(second["job_id"])[0]["document_id"] == ids[name]
    assert len(sender.get("/api/documents")["documents"]) == 3
    objects = sender.rows("SELECT count(*) FROM documents WHERE tenant_id = %s", sender.tenant_id)
    assert objects == [(3,)]


def test_the_same_files_from_many_at_once_are_one_document_each(app: Flask, ada: Person, sender: Sender) -> None:
    files = words(40)

    def send(turn: int) -> int:
        with app.test_client() as client:
            ordered = files[::-1] if turn % 2 else files
            data = {"files": [(io.BytesIO(content), name) for name, content in ordered]}
            return client.post("/api/documents/upload", data=data, headers=ada.headers).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(8))) == {202}
    counted = sender.rows(
        "SELECT count(*), count(DISTINCT content_sha256) FROM documents WHERE tenant_id = %s", sender.tenant_id
    )
    assert counted == [(40, 40)]
    stored = {
        path.parent.name for path in (get_settings().data_dir / "objects").glob(f"{sender.tenant_id}/**/original")
    }
    assert stored == {
        str(row[0]) for row in sender.rows("SELECT doc_id FROM documents WHERE tenant_id = %s", sender.tenant_id)
    }


def test_what_failed_is_queued_again_with_the_batch_that_brings_it_anew(sender: Sender) -> None:
    files = words(2)
    first = sender.send(files).get_json()
    sender.set_documents("filename = %s", files[0][0], processing_status="failed", error_code="damaged")
    sender.set_documents("filename = %s", files[1][0], processing_status="processed", version=1)
    second = sender.send(files).get_json()
    assert sender.totals(second["job_id"]) == {"total": 2, "queued": 1, "processed": 1}
    [again] = sender.items(second["job_id"], "status=queued")
    view = sender.get(f"/api/documents/{again['document_id']}")
    assert (view["batch_id"], view["code"]) == (second["job_id"], None)
    assert sender.totals(first["job_id"]) == {"total": 2, "queued": 1, "processed": 1}


def test_a_batch_goes_by_its_lane_and_priority_and_weighs_by_size(sender: Sender) -> None:
    large = ("large.txt", b"All of it. " * 8000 + uuid4().bytes.hex().encode())
    answer = sender.send([*words(1), large], priority="7", folder="a/b").get_json()
    rows = sender.rows(
        "SELECT units, priority, lane::text, batch_id::text, folder FROM documents WHERE tenant_id = %s ORDER BY 1",
        sender.tenant_id,
    )
    assert rows == [(units, 7, answer["job_id"], answer["job_id"], "a/b") for units in (1, 16)]


@pytest.mark.parametrize("priority", ["11", "-11", "x"])
def test_a_priority_out_of_range_is_refused(sender: Sender, priority: str) -> None:
    assert code(sender.send(words(1), priority=priority)) == (422, "invalid_request")


def test_a_file_keeps_the_folder_in_its_name_and_nothing_that_leads_out_of_it(sender: Sender) -> None:
    [(_, content), (_, other)] = words(2)
    answer = sender.send([("guides/2026/a.txt", content), ("../../etc/b.txt", other)]).get_json()
    assert [item["folder"] for item in sender.items(answer["job_id"])] == ["guides/2026", "etc"]


def test_a_password_is_sealed_for_its_document_alone(sender: Sender) -> None:
    sender.send(words(1), password="open sesame")
    [(sealed, row)] = sender.rows(
        "SELECT password_sealed, d::text FROM documents d WHERE tenant_id = %s", sender.tenant_id
    )
    assert sealed.startswith("v1.")
    assert "sesame" not in row


def test_an_open_batch_takes_files_until_it_is_closed(sender: Sender) -> None:
    batch = sender.post("/api/batches", 201, name="Manuals", priority=3)
    assert (batch["state"], batch["is_open"], batch["remaining_unknown"]) == (
        "running",
        True,
        "it is open for more files",
    )
    for _ in range(2):
        answer = sender.send(words(2), batch_id=batch["id"]).get_json()
        assert answer["job_id"] == batch["id"]
    one = sender.send(words(1), batch_id=batch["id"]).get_json()
    assert (one["job_id"], one["batch"]["total"]) == (batch["id"], 1)
    assert [item["item"] for item in sender.items(batch["id"])] == [0, 1, 2, 3, 4]
    assert sender.rows("SELECT DISTINCT priority FROM documents WHERE batch_id = %s", batch["id"]) == [(3,)]
    sender.set_documents("true", processing_status="processed", version=1)
    assert sender.job(batch["id"])["status"] == "running"
    assert sender.post(f"/api/batches/{batch['id']}/close")["state"] == "completed"
    assert code(sender.send(words(1), batch_id=batch["id"])) == (409, "batch_closed")


def test_a_batch_of_another_tenant_is_as_unknown_as_none(new_sender: Callable[[], Sender]) -> None:
    owner, other = new_sender(), new_sender()
    batch = owner.post("/api/batches", 201)
    for unknown in (batch["id"], str(uuid4())):
        assert code(other.send(words(1), batch_id=unknown)) == (404, "not_found")
    assert other.get("/api/documents")["documents"] == []


def test_more_files_than_a_batch_holds_are_refused_whole(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    small = get_settings().model_copy(update={"max_batch_files": 3})
    monkeypatch.setattr("api.documents.arrivals.get_settings", lambda: small)
    assert code(sender.send(words(4))) == (422, "too_many_files")
    assert sender.get("/api/documents")["documents"] == []
    batch = sender.post("/api/batches", 201)
    assert sender.send(words(2), batch_id=batch["id"]).status_code == 202
    assert code(sender.send(words(2), batch_id=batch["id"])) == (422, "too_many_files")
    assert sender.totals(batch["id"]) == {"total": 2, "queued": 2}


def test_what_the_quota_has_no_room_for_is_refused_whole_and_leaves_nothing(sender: Sender) -> None:
    sender.rows("UPDATE tenants SET max_storage_gb = 0 WHERE tenant_id = %s RETURNING 1", sender.tenant_id)
    assert code(sender.send(words(3))) == (429, "quota_exceeded")
    assert list((get_settings().data_dir / "objects").glob(f"{sender.tenant_id}/**/original")) == []
    assert sender.get("/api/batches")["batches"] == []


def test_users_fill_and_cancel_their_own_batches_only(sender: Sender, joined: Callable[..., Person]) -> None:
    batch = sender.post("/api/batches", 201)
    bob = joined(sender.person)
    data = {"files": [(io.BytesIO(b"Words."), "a.txt")], "batch_id": batch["id"]}
    assert code(bob.post("/api/documents/upload", data=data)) == (403, "forbidden")
    assert code(bob.request("DELETE", f"/api/jobs/{batch['id']}")) == (403, "forbidden")
    assert code(bob.post(f"/api/jobs/{batch['id']}/pause")) == (403, "forbidden")
    assert code(bob.post("/api/documents/dead-letters/replay", json={})) == (403, "forbidden")
