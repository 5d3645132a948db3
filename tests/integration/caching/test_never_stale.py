"""Uploads race against questions: after `document.processed` no answer is older than the document.

AURA_RACE_ROUNDS says how many uploads; `make race` takes 500.
"""

import os
import re
import threading
from uuid import UUID

from pipelines.stores import events
from pipelines.stores.redis import get_redis
from schemas.events import EventName, Subject
from tests.integration.caching.conftest import Visitor, hit, learn
from workers import announce

ROUNDS = int(os.environ.get("AURA_RACE_ROUNDS", "50"))
ASKERS = 3
QUESTIONS = (
    "With which code does the safe in the office open?",
    "Please tell me, with which code does the safe in the office open?",
)


class Race:
    """What has been processed for certain, and what was answered meanwhile."""

    def __init__(self, tenant_id: UUID) -> None:
        self.tenant_id = tenant_id
        self.processed = 0
        self.over = threading.Event()
        self.hits = [0]
        self.asked = 0
        self.stale: list[tuple[int, int]] = []
        self.errors: list[BaseException] = []
        self._lock = threading.Condition()

    def ask(self, number: int) -> None:
        visitor = Visitor(self.tenant_id)
        try:
            while not self.over.is_set():
                before = self.processed
                answered = visitor.ask(QUESTIONS[number % len(QUESTIONS)])
                found = re.search(r"code (\d+)", answered.answer or "")
                assert found, answered.answer
                with self._lock:
                    self.asked += 1
                    self.hits[-1] += hit(answered) is not None
                    self._lock.notify_all()
                if int(found[1]) < before:
                    self.stale.append((int(found[1]), before))
        except BaseException as error:  # noqa: BLE001 (the thread's own end is the test's)
            self.errors.append(error)
            with self._lock:
                self._lock.notify_all()

    def upload(self, doc_id: UUID) -> None:
        for number in range(1000, 1000 + ROUNDS):
            text = f"The safe in the office opens with the code {number}."
            doc_id = learn(self.tenant_id, text, instead_of=doc_id)
            announce.document(EventName.DOCUMENT_PROCESSED, self.tenant_id, doc_id)
            self.processed = number
            with self._lock:
                # The next one comes while this one is being answered from the cache.
                self._lock.wait_for(lambda: self.hits[-1] > 0 or self.errors, 90)
                self.hits.append(0)
            if self.errors:
                return


def test_no_answer_is_older_than_what_was_processed(tenant: UUID) -> None:
    race = Race(tenant)
    first = learn(tenant, "The safe in the office opens with the code 999.")
    askers = [threading.Thread(target=race.ask, args=(number,)) for number in range(ASKERS)]
    for asker in askers:
        asker.start()
    try:
        race.upload(first)
    finally:
        race.over.set()
        for asker in askers:
            asker.join(120)
    assert race.errors == []
    assert race.stale == []
    assert sum(count > 0 for count in race.hits) >= 0.9 * ROUNDS, "hardly anything came from the cache"
    told = events.replay(get_redis(), Subject.tenant(tenant))
    assert [event.name for event in told].count(EventName.DOCUMENT_PROCESSED) == min(ROUNDS, len(told))
