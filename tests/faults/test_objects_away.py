"""A store of objects that refuses, is full or is away: uploads are refused clearly, work waits for it."""

from collections import Counter
from collections.abc import Iterator

import pytest

from deploy.ephemeral import Stack, ephemeral_stack, wait_until
from tests.faults import bucket as buckets
from tests.faults import chaos, texts
from tests.faults.bucket import Bucket
from tests.faults.conftest import LEASE_S
from tests.faults.disk import Disk
from tests.faults.provider import Provider
from tests.faults.uploads import all_processed, upload


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with buckets.bucket() as found:
        yield found


@pytest.fixture(scope="module")
def remote(provider: Provider, bucket: Bucket) -> Iterator[Stack]:
    """Yield a stack that keeps its objects in the bucket."""
    provider.be("well")
    with ephemeral_stack({**provider.settings(), **bucket.settings(), "AURA_STAGE_LEASE_S": str(LEASE_S)}) as stack:
        yield stack


def files_of(run: str, count: int = 6) -> list[tuple[str, tuple[str, bytes]]]:
    return [("files", file) for file in texts.many(run, count).items()]


def uploaded(stack: Stack, run: str, count: int = 6) -> list[str]:
    return list(upload(stack, texts.many(run, count)).values())


def put_off(stack: Stack, doc_ids: list[str], at_least: int = 1) -> None:
    """Wait until documents say that they wait for the store of objects."""

    def waiting() -> int:
        views = [stack.document(doc_id) for doc_id in doc_ids]
        assert not [view for view in views if view["status"] == "failed"], views
        return sum(view["code"] == "store_unavailable" and "again" in (view["waiting_for"] or "") for view in views)

    wait_until(lambda: waiting() >= at_least, 40, "documents that say what they wait for")


def refused_clearly(stack: Stack, run: str) -> None:
    """Upload one file and several, and see both refused with nothing left of them."""
    for sent in (files_of(run, 1), files_of(run, 3)):
        answer = stack.client.post("/api/documents/upload", files=sent)
        assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable"), answer.text
        assert answer.elapsed.total_seconds() < 15
    with stack.database() as connection:
        left = connection.execute("SELECT count(*) FROM documents WHERE filename LIKE %s", (f"{run}%",)).fetchone()
        assert left == (0,)
        assert connection.execute(
            "SELECT count(*) FROM batch_items WHERE filename LIKE %s", (f"{run}%",)
        ).fetchone() == (0,)


@pytest.mark.parametrize("hanging_up", [False, True], ids=["answers 503", "hangs up"])
def test_a_bucket_that_refuses_an_upload(remote: Stack, bucket: Bucket, run: str, hanging_up: bool) -> None:
    with bucket.refusing(hanging_up=hanging_up):
        refused_clearly(remote, run)
        written = Counter(key for method, key in bucket.refused if method == "PUT")
        assert 1 <= max(written.values()) <= 3, "it is asked again for a moment only"
    all_processed(remote, uploaded(remote, run))


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_bucket_that_refuses_the_workers(remote: Stack, bucket: Bucket, run: str, method: str) -> None:
    within = "original" if method == "GET" else "/v1/"
    with bucket.refusing(method, within=within):
        doc_ids = uploaded(remote, run)
        put_off(remote, doc_ids, 3)
        assert bucket.refused
    all_processed(remote, doc_ids)
    assert "/v1/chunks" not in bucket.listing(), "what lies between the steps was left"
    assert "/v1/vectors" not in bucket.listing()


def test_a_folder_that_is_away(stack: Stack, disk: Disk, run: str) -> None:
    all_processed(stack, uploaded(stack, f"{run}before"))
    with chaos.frozen(stack, "extract", "express"):
        doc_ids = uploaded(stack, run)
        away = disk.away()
        away.__enter__()
    try:
        put_off(stack, doc_ids, len(doc_ids))
        refused_clearly(stack, f"{run}more")
        assert not disk.objects.exists()
    finally:
        away.__exit__(None, None, None)
    all_processed(stack, doc_ids)


def test_a_full_disk(stack: Stack, disk: Disk, run: str) -> None:
    if disk.why_not:
        pytest.skip(f"needs a small disk of its own: {disk.why_not}")
    with chaos.frozen(stack, "extract", "express"):
        doc_ids = uploaded(stack, run, 8)
        full = disk.full()
        full.__enter__()
    try:
        put_off(stack, doc_ids, 4)
        answer = stack.client.post("/api/documents/upload", files=[("file", (f"{run}x.md", texts.prose(run, 40_000)))])
        assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable"), answer.text
    finally:
        full.__exit__(None, None, None)
    all_processed(stack, doc_ids)
    assert not list(disk.objects.glob("**/*#*")), "halves of files were left"
