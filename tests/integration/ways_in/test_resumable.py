"""An upload that is cut goes on where it stopped: tried with a client of the tus project, over real sockets."""

import base64
import hashlib
import io
import os
import socket
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from tusclient.client import TusClient
from werkzeug.test import TestResponse

from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.ingest import uploads
from schemas.errors.uploads import WrongOffset
from schemas.settings import get_settings
from tests.integration.people import Person, code
from tests.integration.ways_in.conftest import Sender, words
from workers import intake, upkeep

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}
MIB = 1 << 20


def text_of(size: int) -> bytes:
    return (uuid4().hex.encode() + b" is a number.\n") * (size // 46 + 1)


def metadata(**about: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in about.items())


def begin(sender: Sender, size: int, **about: str) -> str:
    """Begin an upload and return its address."""
    headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata(**{"filename": "a.txt", **about})}
    response = sender.person.post("/api/uploads", headers=headers)
    assert response.status_code == 201, response.get_data(as_text=True)
    assert response.headers["Upload-Offset"] == "0"
    assert "GMT" in response.headers["Upload-Expires"]
    return response.headers["Location"]


def patch(person: Person, where: str, offset: int, data: bytes, **headers: str) -> TestResponse:
    return person.request("PATCH", where, data=data, headers={**PIECE, "Upload-Offset": str(offset), **headers})


def offset_of(person: Person, where: str) -> int:
    response = person.request("HEAD", where, headers=TUS)
    assert response.status_code == 200, response.headers
    assert response.headers["Cache-Control"] == "no-store"
    return int(response.headers["Upload-Offset"])


def pieces(sender: Sender) -> list[str]:
    return [str(path) for path in (get_settings().data_dir / "objects").glob(f"{sender.tenant_id}/uploads/**/*")
            if path.is_file()]  # fmt: skip


def stored(sender: Sender, doc_id: str) -> bytes:
    return (get_settings().data_dir / "objects" / f"{sender.tenant_id}/documents/{doc_id}/original").read_bytes()


def test_the_reference_client_uploads_in_pieces(sender: Sender, address: str) -> None:
    content = text_of(3 * MIB)
    client = TusClient(f"{address}/api/uploads", headers=sender.person.headers)
    uploader = client.uploader(
        file_stream=io.BytesIO(content), chunk_size=MIB, metadata={"filename": "große datei.txt"},
        metadata_encoding="utf-8", upload_checksum=True,
    )  # fmt: skip
    uploader.upload(stop_at=2 * MIB)
    assert offset_of(sender.person, uploader.url.removeprefix(address)) == 2 * MIB
    again = client.uploader(file_stream=io.BytesIO(content), chunk_size=MIB, url=uploader.url)
    again.upload()
    view = sender.get(uploader.url.removeprefix(address))
    assert (view["complete"], view["received"], view["filename"]) == (True, len(content), "große datei.txt")
    document = sender.get(f"/api/documents/{view['job_id']}")
    assert (document["status"], document["filename"], document["file_size"]) == (
        "queued",
        "große datei.txt",
        len(content),
    )
    assert stored(sender, view["job_id"]) == content
    assert pieces(sender) == []


def test_what_came_before_the_line_was_cut_is_kept(sender: Sender, address: str) -> None:
    content = text_of(3 * MIB)
    where = begin(sender, len(content))
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as line:
        headers = {**PIECE, **sender.person.headers, "Upload-Offset": "0", "Content-Length": str(len(content))}
        head = f"PATCH {where} HTTP/1.1\r\nHost: localhost\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        line.sendall(head.encode() + b"\r\n" + content[: 2 * MIB])
        line.shutdown(socket.SHUT_WR)
        line.recv(1000)
    here = offset_of(sender.person, where)
    assert 0 < here <= 2 * MIB
    last = patch(sender.person, where, here, content[here:])
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, str(len(content)))
    assert last.headers["Job-Location"] == f"/api/jobs/{last.headers['Job-Id']}"
    assert stored(sender, last.headers["Job-Id"]) == content


def test_the_first_piece_may_come_with_the_creation(sender: Sender) -> None:
    content = text_of(1000)
    headers = {**PIECE, "Upload-Length": str(len(content)), "Upload-Metadata": metadata(filename="a.md")}
    response = sender.person.post("/api/uploads", headers=headers, data=content)
    assert (response.status_code, response.headers["Upload-Offset"]) == (201, str(len(content)))
    assert sender.get(f"/api/documents/{response.headers['Job-Id']}")["file_type"] == "md"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_piece_with_a_wrong_checksum_is_not_kept(sender: Sender, algorithm: str) -> None:
    content = text_of(5000)
    where = begin(sender, len(content))
    digest = base64.b64encode(hashlib.new(algorithm, content).digest()).decode()
    spoiled = content[:-2] + b"xx"
    refused = patch(sender.person, where, 0, spoiled, **{"Upload-Checksum": f"{algorithm} {digest}"})
    assert (refused.status_code, refused.json["code"]) == (460, "wrong_checksum")  # type: ignore[index]
    assert (offset_of(sender.person, where), pieces(sender)) == (0, [])
    assert patch(sender.person, where, 0, content, **{"Upload-Checksum": f"{algorithm} {digest}"}).status_code == 204


@pytest.mark.parametrize("header", ["md5 AAAA", "sha1 no-base64!", "sha1"])
def test_a_checksum_that_cannot_be_checked_is_refused(sender: Sender, header: str) -> None:
    where = begin(sender, 10)
    response = patch(sender.person, where, 0, b"0123456789", **{"Upload-Checksum": header})
    assert response.status_code in (400, 460)
    assert offset_of(sender.person, where) == 0


@pytest.mark.parametrize("offset", [0, 4, 6, 11])
def test_a_piece_that_begins_elsewhere_is_refused(sender: Sender, offset: int) -> None:
    where = begin(sender, 10)
    assert patch(sender.person, where, 0, b"01234").status_code == 204
    assert code(patch(sender.person, where, offset, b"5")) == (409, "wrong_offset")
    assert offset_of(sender.person, where) == 5


def test_more_than_was_announced_is_refused(sender: Sender) -> None:
    where = begin(sender, 10)
    assert code(patch(sender.person, where, 0, b"0123456789 and more")) == (413, "file_too_large")
    assert offset_of(sender.person, where) == 0


def test_of_two_at_once_one_is_refused_and_the_file_is_whole(sender: Sender) -> None:
    content = text_of(2 * MIB)
    where = begin(sender, len(content))

    def send(_: int) -> int:
        with sender.person.client.application.test_client() as client:
            headers = {**PIECE, **sender.person.headers, "Upload-Offset": "0"}
            return client.patch(where, data=content, headers=headers).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(send, range(6)))
    assert statuses[0] == 204
    assert set(statuses) <= {204, 409, 423}
    view = sender.get(where)
    assert view["complete"] and stored(sender, view["job_id"]) == content
    assert len(sender.get("/api/documents")["documents"]) == 1


def test_more_uploads_than_connections_can_be_finished_at_once(sender: Sender) -> None:
    """Each needs a second connection while it holds one: the pool has 20, so 40 that came together stood still."""
    places = [begin(sender, 32) for _ in range(40)]

    def send(where: str) -> int:
        with sender.person.client.application.test_client() as client:
            headers = {**PIECE, **sender.person.headers, "Upload-Offset": "0"}
            return client.patch(where, data=uuid4().hex.encode(), headers=headers).status_code

    with ThreadPoolExecutor(len(places)) as pool:
        assert set(pool.map(send, places)) == {204}


def test_a_piece_is_added_only_where_the_upload_stands(tenant: UUID) -> None:
    with tenant_session(tenant) as session:
        upload = uploads.begin(session, tenant, "u", "a.txt", 10, None, {})
        assert uploads.advance(session, upload.upload_id, 0, "one", 4).received == 4
        with pytest.raises(WrongOffset):
            uploads.advance(session, upload.upload_id, 0, "other", 4)
        found = uploads.advance(session, upload.upload_id, 4, "two", 6)
        assert (found.received, found.parts, found.metadata_["pieces"]) == (10, 2, ["one", "two"])


def test_whoever_finishes_a_complete_upload_anew_finds_the_same_job(sender: Sender) -> None:
    """As after a process that died behind the last piece, or an answer that was lost."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in words(2):
            archive.writestr(name, content)
    data = made.getvalue()
    where = begin(sender, len(data), filename="all.zip")
    first = patch(sender.person, where, 0, data)
    again = patch(sender.person, where, len(data), b"")
    assert first.headers["Job-Id"] == again.headers["Job-Id"]
    sender.rows("UPDATE uploads SET job_id = NULL WHERE tenant_id = %s RETURNING 1", sender.tenant_id)
    after_death = patch(sender.person, where, len(data), b"")
    assert after_death.headers["Job-Id"] == first.headers["Job-Id"]
    intake.take_in(str(sender.tenant_id), first.headers["Job-Id"])
    assert sender.totals(first.headers["Job-Id"]) == {"total": 2, "queued": 2}
    assert len(sender.get("/api/batches")["batches"]) == 1


def test_a_file_that_is_refused_takes_its_upload_with_it(sender: Sender) -> None:
    data = b"MZ\x90" + bytes(500)
    where = begin(sender, len(data), filename="report.pdf")
    assert code(patch(sender.person, where, 0, data)) == (415, "type_mismatch")
    assert sender.person.request("HEAD", where, headers=TUS).status_code == 404
    assert (pieces(sender), sender.get("/api/documents")["documents"]) == ([], [])


def test_an_upload_joins_the_batch_it_names(sender: Sender) -> None:
    batch = sender.post("/api/batches", 201)["id"]
    data = text_of(100)
    where = begin(sender, len(data), batch_id=batch, folder="a/b", priority="4", password="open sesame")
    assert patch(sender.person, where, 0, data).headers["Job-Id"] == batch
    [item] = sender.items(batch)
    assert (item["status"], item["folder"]) == ("queued", "a/b")
    rows = sender.rows("SELECT priority, password_sealed IS NOT NULL FROM documents WHERE batch_id = %s", batch)
    assert rows == [(4, True)]
    [(kept, row)] = sender.rows("SELECT password_sealed, u::text FROM uploads u WHERE tenant_id = %s", sender.tenant_id)
    assert kept is None and "sesame" not in row


@pytest.mark.parametrize(
    ("headers", "status", "wanted"),
    [
        ({"Tus-Resumable": "0.2.2", "Upload-Length": "5"}, 412, "unknown_tus_version"),
        ({"Upload-Length": "5"}, 412, "unknown_tus_version"),
        (TUS, 400, "invalid_upload"),
        ({**TUS, "Upload-Length": "-5"}, 400, "invalid_upload"),
        ({**TUS, "Upload-Length": "9" * 30}, 400, "invalid_upload"),
        ({**TUS, "Upload-Length": "0"}, 422, "empty_file"),
        (
            {**TUS, "Upload-Length": str(200 * MIB), "Upload-Metadata": metadata(filename="a.txt")},
            413,
            "file_too_large",
        ),
        (
            {**TUS, "Upload-Length": str(2000 * MIB), "Upload-Metadata": metadata(filename="a.zip")},
            413,
            "file_too_large",
        ),
        ({**TUS, "Upload-Length": "5", "Upload-Metadata": "filename !!!"}, 400, "invalid_upload"),
        ({**TUS, "Upload-Length": "5", "Upload-Metadata": "filename /w=="}, 400, "invalid_upload"),
        ({**TUS, "Upload-Length": "5", "Upload-Metadata": metadata(assistant_key="nobody")}, 404, "unknown_assistant"),
        ({**TUS, "Upload-Length": "5", "Upload-Metadata": metadata(batch_id=str(uuid4()))}, 404, "not_found"),
        ({**TUS, "Upload-Length": "5", "Upload-Metadata": metadata(tenant_id=str(uuid4()))}, 403, "wrong_tenant"),
        ({**TUS, "Upload-Length": "5", "Upload-Metadata": metadata(priority="99")}, 422, "invalid_request"),
    ],
)
def test_a_beginning_that_cannot_be_is_refused(
    sender: Sender, headers: dict[str, str], status: int, wanted: str
) -> None:
    response = sender.person.post("/api/uploads", headers=headers)
    assert code(response) == (status, wanted)
    assert response.headers["Tus-Resumable"] == "1.0.0"


def test_what_the_quota_has_no_room_for_is_refused_at_once(sender: Sender) -> None:
    sender.rows("UPDATE tenants SET max_storage_gb = 0 WHERE tenant_id = %s RETURNING 1", sender.tenant_id)
    response = sender.person.post("/api/uploads", headers={**TUS, "Upload-Length": "5"})
    assert code(response) == (429, "quota_exceeded")


def test_the_upload_of_another_is_as_unknown_as_none(
    new_sender: Callable[[], Sender], joined: Callable[..., Person]
) -> None:
    owner, other = new_sender(), new_sender()
    where = begin(owner, 10)
    colleague = joined(owner.person)
    for who in (other.person, colleague):
        for unknown in (where, f"/api/uploads/{uuid4()}"):
            assert who.request("HEAD", unknown, headers=TUS).status_code == 404
            assert code(who.get(unknown)) == (404, "not_found")
            assert code(patch(who, unknown, 0, b"0123")) == (404, "not_found")
            assert code(who.request("DELETE", unknown, headers=TUS)) == (404, "not_found")
    assert offset_of(owner.person, where) == 0


def test_an_upload_can_be_given_up(sender: Sender) -> None:
    where = begin(sender, 10)
    patch(sender.person, where, 0, b"01234")
    assert len(pieces(sender)) == 1
    assert sender.person.request("DELETE", where, headers=TUS).status_code == 204
    assert pieces(sender) == []
    assert sender.person.request("HEAD", where, headers=TUS).status_code == 404


def test_an_expired_upload_is_gone_and_then_deleted(sender: Sender) -> None:
    where = begin(sender, 10)
    patch(sender.person, where, 0, b"01234")
    sender.rows(
        "UPDATE uploads SET expires_at = now() - interval '1 s' WHERE tenant_id = %s RETURNING 1", sender.tenant_id
    )
    assert code(patch(sender.person, where, 5, b"56789")) == (410, "upload_expired")
    upkeep.forget()
    assert pieces(sender) == []
    assert sender.rows("SELECT 1 FROM uploads WHERE tenant_id = %s", sender.tenant_id) == []
    with operator_session() as session:
        assert sender.tenant_id not in [tenant_id for tenant_id, _ in uploads.expired(session)]


def test_a_client_learns_what_the_server_can(sender: Sender) -> None:
    response: Any = sender.person.client.options("/api/uploads")
    assert (response.status_code, response.headers["Tus-Version"]) == (204, "1.0.0")
    assert "checksum" in response.headers["Tus-Extension"]
    assert int(response.headers["Tus-Max-Size"]) == get_settings().max_batch_mb * MIB


def test_pieces_do_not_lie_in_memory(sender: Sender) -> None:
    """A body is kept in pieces as it comes, so that a server that dies loses at most the last one."""
    content = os.urandom(20 * MIB)
    where = begin(sender, len(content) + 1)
    assert patch(sender.person, where, 0, content).status_code == 204
    assert [Path(path).stat().st_size // MIB for path in sorted(pieces(sender))] == [8, 8, 4]
