"""A tenant with ten thousand documents does not make one with a single document wait."""

import json
import os
import statistics
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
import redis

from celeryconfig import QUEUES
from deploy.ephemeral import Stack, ephemeral_stack
from tests.faults import inside, texts
from tests.faults.provider import Provider

BULK = int(os.environ.get("AURA_FAULT_BULK", "10000"))
LOCAL_BULK = 300
TIMES = 5
AT_MOST = 3.0
LONGEST_QUEUE = 600
PASSWORD = "a horse that reads 7 books"
MANY_TENANTS = {"AURA_SINGLE_TENANT": "0", "AURA_BASE_DOMAIN": "aura.test"}


@pytest.fixture(scope="module", params=["faked", "local"])
def shared(request: pytest.FixtureRequest, provider: Provider) -> Iterator[tuple[Stack, int]]:
    """Yield a stack of many tenants and the size of the big one's bulk, with a provider and with the model here."""
    provider.be("well")
    faked = request.param == "faked"
    with ephemeral_stack({**MANY_TENANTS, **(provider.settings() if faked else {})}) as stack:
        yield stack, BULK if faked else LOCAL_BULK


class Tenant:
    """An organisation of its own, and its admin."""

    def __init__(self, stack: Stack) -> None:
        name = uuid4().hex[:8]
        body = {"organization_name": f"Org {name}", "email": f"{name}@example.org", "password": PASSWORD}
        answer = stack.client.post("/api/signup", json=body)
        assert answer.status_code == 201, answer.text
        self.tenant_id = str(answer.json()["tenant_id"])
        self._stack, self._headers = stack, {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def time_of_one(self) -> float:
        """Upload a document and return the seconds until it is searchable."""
        name = uuid4().hex[:8]
        answer = self._stack.client.post(
            "/api/documents/upload",
            files={"file": (f"{name}.md", texts.prose(name, 60))},
            headers={**self._headers, "Prefer": "wait=120"},
        )
        assert answer.status_code == 200, answer.text
        return answer.elapsed.total_seconds()

    def done_of_newest(self) -> int:
        """Return how many of its newest hundred documents, which come last, are processed."""
        page = self._stack.client.get("/api/documents", params={"limit": 100}, headers=self._headers).json()
        return [document["status"] for document in page["documents"]].count("processed")


@contextmanager
def watched_queues(stack: Stack) -> Iterator[dict[str, int]]:
    """Yield the greatest length that each queue has had until the block ends."""
    longest = dict.fromkeys(QUEUES, 0)
    over = threading.Event()
    broker = redis.Redis.from_url(stack.runtime()["AURA_REDIS_URL"])

    def look() -> None:
        while not over.wait(0.02):
            for queue in QUEUES:
                longest[queue] = max(longest[queue], int(broker.llen(queue)))  # type: ignore[arg-type]

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield longest
    finally:
        over.set()
        thread.join()


@pytest.mark.timeout(600)
def test_one_document_beside_very_many(shared: tuple[Stack, int], say: Callable[[str], None]) -> None:
    stack, bulk = shared
    big, small = Tenant(stack), Tenant(stack)
    small.time_of_one()  # The first connections of every process.
    idle = [small.time_of_one() for _ in range(TIMES)]
    with watched_queues(stack) as longest:
        accepting = inside.begin(stack, "accept", big.tenant_id, str(bulk), **MANY_TENANTS)
        seconds = json.loads(accepting.communicate(timeout=200)[0])
        busy = [small.time_of_one() for _ in range(TIMES)]
        done = big.done_of_newest()
    ratio = statistics.median(busy) / statistics.median(idle)
    say(
        f"{bulk} of another tenant, accepted in {seconds:.1f} s: {statistics.median(idle):.2f} s idle, "
        f"{statistics.median(busy):.2f} s beside them, {ratio:.1f} times; longest queues "
        f"{ {name: length for name, length in longest.items() if length > 1} }; idle {idle}, busy {busy}"
    )
    assert done < 100, "the big tenant was done before the small one was measured"
    assert max(longest.values()) <= LONGEST_QUEUE
    assert ratio <= AT_MOST
