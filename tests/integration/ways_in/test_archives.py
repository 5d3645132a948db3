"""A zip becomes a batch: unpacked by a worker, which may die at any moment without an item lost or there twice."""

import io
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from deploy.ephemeral import wait_until
from deploy.places import REPO
from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.ingest import intakes
from schemas.settings import get_settings
from tests.integration.people import code
from tests.integration.ways_in.conftest import Sender, words
from workers import intake
from workers.documents import reception


def zipped(files: list[tuple[str, bytes]]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return made.getvalue()


def send_zip(sender: Sender, files: list[tuple[str, bytes]], **fields: str) -> str:
    response = sender.send([("all.zip", zipped(files))], "file", **fields)
    assert response.status_code == 202, response.get_json()
    return str(response.get_json()["job_id"])


def take_in(sender: Sender, job: str) -> None:
    intake.take_in(str(sender.tenant_id), job)


def archives(sender: Sender) -> list[str]:
    return [str(path) for path in (get_settings().data_dir / "objects").glob(f"{sender.tenant_id}/batches/**/*")
            if path.is_file()]  # fmt: skip


def test_a_zip_is_unpacked_after_the_answer_with_its_folders(sender: Sender) -> None:
    (_, first), (_, second) = words(2)
    job = send_zip(sender, [("top.txt", first), ("deep/er/b.txt", second), ("tool.exe", b"MZ" + bytes(50))])
    view = sender.job(job)["result"]
    assert (view["source"], view["taking_in"], view["totals"]["total"]) == ("zip", True, 0)
    assert view["remaining_unknown"] == "its files are still being taken in"
    assert len(archives(sender)) == 1
    take_in(sender, job)
    found = [(item["folder"], item["filename"], item["status"], item["code"]) for item in sender.items(job)]
    assert found == [
        ("", "top.txt", "queued", None),
        ("deep/er", "b.txt", "queued", None),
        ("", "tool.exe", "refused", "unsupported_type"),
    ]
    assert archives(sender) == []
    assert sender.job(job)["result"]["taking_in"] is False


def test_plain_files_and_several_zips_are_one_batch(sender: Sender) -> None:
    one, two, three = words(3)
    files = [one, ("a.zip", zipped([two])), ("b.zip", zipped([three, two]))]
    job = sender.send(files).get_json()["job_id"]
    take_in(sender, job)
    names = [item["filename"] for item in sender.items(job)]
    assert names == [one[0], two[0], three[0], two[0]]
    assert len(sender.get("/api/documents")["documents"]) == 3


@pytest.mark.parametrize(("content", "wanted"), [(b"PK\x03\x04" + bytes(60), "damaged"), (zipped([]), None)])
def test_a_broken_or_empty_zip_ends_its_batch(sender: Sender, content: bytes, wanted: str | None) -> None:
    job = sender.send([("all.zip", content)], "file").get_json()["job_id"]
    take_in(sender, job)
    found = sender.job(job)
    assert (found["status"], found["result"]["code"]) == ("completed", wanted)
    assert archives(sender) == []


def test_a_zip_over_the_limit_of_a_batch_is_refused_with_a_code(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = get_settings().model_copy(update={"max_batch_files": 3})
    monkeypatch.setattr(intake, "get_settings", lambda: small)
    job = send_zip(sender, words(4))
    take_in(sender, job)
    assert sender.job(job)["result"]["code"] == "too_many_documents"


def test_documents_of_a_zip_that_have_no_room_are_refused_one_by_one(sender: Sender) -> None:
    job = send_zip(sender, words(2))
    sender.rows("UPDATE tenants SET max_storage_gb = 0 WHERE tenant_id = %s RETURNING 1", sender.tenant_id)
    take_in(sender, job)
    assert [item["code"] for item in sender.items(job)] == ["quota_exceeded"] * 2
    assert sender.job(job)["status"] == "completed"


def test_a_paused_batch_takes_nothing_in_until_it_is_resumed(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "GROUP_FILES", 2)
    job = send_zip(sender, words(6))
    receive = reception.receive

    def pause_meanwhile(*args: object) -> object:
        monkeypatch.setattr(reception, "receive", receive)
        sender.post(f"/api/jobs/{job}/pause")
        return receive(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(reception, "receive", pause_meanwhile)
    take_in(sender, job)
    take_in(sender, job)
    assert sender.totals(job) == {"total": 2, "queued": 2}
    sender.post(f"/api/jobs/{job}/resume")
    take_in(sender, job)
    assert sender.totals(job) == {"total": 6, "queued": 6}


def test_a_batch_that_is_cancelled_meanwhile_takes_nothing_more_in(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "GROUP_FILES", 2)
    job = send_zip(sender, words(6))
    receive, calls = reception.receive, []

    def cancel_at_the_second(*args: object) -> object:
        calls.append(args)
        if len(calls) == 2:
            assert sender.person.request("DELETE", f"/api/jobs/{job}").status_code == 200
        return receive(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(reception, "receive", cancel_at_the_second)
    take_in(sender, job)
    assert sender.totals(job) == {"total": 2, "cancelled": 2}
    originals = list((get_settings().data_dir / "objects").glob(f"{sender.tenant_id}/**/original"))
    assert len(originals) == 2
    assert archives(sender) == []


def test_a_worker_that_dies_three_times_is_not_followed_by_a_fourth(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = send_zip(sender, words(2))
    for _ in range(intakes.MAX_ATTEMPTS):
        with tenant_session(sender.tenant_id) as session:
            assert intakes.claim(session, UUID(job), 0)
    take_in(sender, job)
    found = sender.job(job)
    assert (found["status"], found["result"]["code"]) == ("completed", "too_many_attempts")
    assert archives(sender) == []


def test_what_nobody_takes_in_is_found_by_the_sweep(sender: Sender) -> None:
    job = send_zip(sender, words(1))
    due = (sender.tenant_id, UUID(job))
    with operator_session() as session:
        assert due not in intakes.take_due(session)
    sender.rows("UPDATE batches SET enqueued_at = now() - interval '11 s' WHERE batch_id = %s RETURNING 1", job)
    with operator_session() as session:
        assert due in intakes.take_due(session)
    with operator_session() as session:
        assert due not in intakes.take_due(session)


PROGRAM = """
import sys, time
from workers import intake
from workers.documents import reception

receive, pause_s = reception.receive, float(sys.argv.pop())
reception.receive = lambda *given: (time.sleep(pause_s), receive(*given))[1]
intake.GROUP_FILES = 10
intake.take_in(*sys.argv[1:])
"""
"""Who is to be killed pauses between the groups: else a quick one may be done before."""


def test_killed_again_and_again_it_still_takes_each_file_in_once(sender: Sender) -> None:
    files = words(400)
    job = send_zip(sender, files)
    kills = 0

    def taken() -> int:
        [(count,)] = sender.rows("SELECT count(*) FROM batch_items WHERE batch_id = %s", job)
        return int(count)

    for _ in range(8):
        if taken() == len(files):
            break
        sender.rows("UPDATE batches SET lease_until = NULL WHERE batch_id = %s RETURNING 1", job)
        before = taken()
        pause_s = "0.5" if kills < 4 else "0"
        worker = subprocess.Popen([sys.executable, "-c", PROGRAM, str(sender.tenant_id), job, pause_s], cwd=REPO)
        wait_until(lambda: taken() > before or worker.poll() is not None, 200, "something is taken in")  # noqa: B023
        if worker.poll() is None and kills < 4:
            os.kill(worker.pid, signal.SIGKILL)
            kills += 1
        worker.wait(200)
    assert kills >= 2
    items = sender.rows("SELECT item, filename, doc_id FROM batch_items WHERE batch_id = %s ORDER BY item", job)
    assert [row[1] for row in items] == [name for name, _ in files]
    assert len({row[2] for row in items}) == len(files)
    documents = sender.rows("SELECT count(*) FROM documents WHERE batch_id = %s", job)
    assert documents == [(len(files),)]
    originals = list((get_settings().data_dir / "objects").glob(f"{sender.tenant_id}/**/original"))
    assert len(originals) == len(files)


def test_an_archive_and_its_batch_are_nobodys_else(new_sender: Callable[[], Sender]) -> None:
    owner, other = new_sender(), new_sender()
    job = send_zip(owner, words(1))
    take_in(other, job)
    assert owner.job(job)["result"]["taking_in"] is True
    assert code(other.person.get(f"/api/jobs/{job}")) == code(other.person.get(f"/api/jobs/{uuid4()}"))
