"""Partial transcripts: when it is asked, what is told, and what never is."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from api.door.auth import Caller
from api.voice import partials
from api.voice.partials import Partials
from schemas.errors.providers import ProviderUnavailable

SECOND = np.zeros(16_000, np.float32)


class Worker(ThreadPoolExecutor):
    """Hears when it is told to: each question waits for its answer."""

    def __init__(self) -> None:
        super().__init__(4)
        self.asked: list[float] = []
        self.marked: list[bool] = []
        self.told: list[dict[str, Any]] = []
        self._waiting: Queue[tuple[Queue[Any], Future[None]]] = Queue()
        self.partials = Partials(Caller(uuid4(), "jo", "user"), uuid4(), None, self._tell, self._ask)
        self._answers = threading.local()

    def submit(self, act: Any, /, *given: Any, **_: Any) -> Future[Any]:
        answers: Queue[Any] = Queue()

        def run() -> None:
            self._answers.mine = answers
            act(*given)

        future = super().submit(run)
        self._waiting.put((answers, future))
        return future

    def answer(self, text: str | Exception, segments: list[list[Any]] | None = None, **more: Any) -> None:
        """Answer the oldest question, and wait until that is taken in."""
        answers, future = self._waiting.get(timeout=60)
        found = {"text": text, "language": "en", "segments": segments or [], **more}
        answers.put(text if isinstance(text, Exception) else found)
        future.result(timeout=60)

    def _ask(self, sound: NDArray[np.float32], language: str | None, timestamps: bool) -> dict[str, Any]:
        self.asked.append(len(sound) / 16_000)
        self.marked.append(timestamps)
        found = self._answers.mine.get(timeout=60)
        if isinstance(found, Exception):
            raise found
        answered: dict[str, Any] = found
        return answered

    def _tell(self, message: dict[str, Any]) -> None:
        self.told.append(message)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    worker = Worker()
    monkeypatch.setattr(partials, "EVERY_S", 0.0)
    monkeypatch.setattr(partials, "_askers", lambda: worker)
    return worker


def test_the_settled_part_is_told_and_grows(worker: Worker) -> None:
    worker.partials.started()
    for text in ("Where do I leave", "Where do I leave the bike", "Where do I leave the bike?"):
        worker.partials.hear(SECOND)
        worker.answer(text)
    assert [(one["text"], one["stable"]) for one in worker.told] == [
        ("Where do I leave", ""),
        ("Where do I leave the bike", "Where do I leave"),
        ("Where do I leave the bike?", "Where do I leave the bike"),
    ]
    assert {one["type"] for one in worker.told} == {"turn.transcript.partial"}
    assert worker.told[-1]["language"] == "en" and worker.partials.text == "Where do I leave the bike?"


def test_it_is_not_asked_again_before_the_answer_and_never_about_silence(worker: Worker) -> None:
    worker.partials.hear(SECOND)
    worker.partials.started()
    for _ in range(5):
        worker.partials.hear(SECOND)
    worker.answer("One")
    worker.partials.hear(SECOND)
    worker.answer("One two")
    assert worker.asked == [2.0, 7.0]


def test_a_second_question_waits_for_its_time(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partials, "EVERY_S", 3600.0)
    worker.partials.started()
    worker.partials.hear(SECOND)
    worker.answer("One")
    worker.partials.hear(SECOND)
    assert worker.asked == [1.0]


def test_a_second_of_sound_before_the_voice_was_noticed_belongs_to_it(worker: Worker) -> None:
    for _ in range(100):
        worker.partials.hear(SECOND[:1600])
    worker.partials.started()
    worker.partials.hear(SECOND)
    worker.answer("One")
    assert 2.0 <= worker.asked[0] <= 2.2


def test_nothing_is_told_of_an_utterance_that_has_ended(worker: Worker) -> None:
    worker.partials.started()
    worker.partials.hear(SECOND)
    worker.partials.stopped()
    worker.answer("Too late")
    worker.partials.started()
    worker.partials.hear(SECOND)
    worker.answer("Anew")
    assert [one["text"] for one in worker.told] == ["Anew"]


def test_a_worker_that_is_busy_away_or_broken_is_asked_again_later(worker: Worker) -> None:
    worker.partials.started()
    for answer in (
        lambda: worker.answer("", busy=True),
        lambda: worker.answer(ProviderUnavailable()),
        lambda: worker.answer("", error="provider_unavailable"),
        lambda: worker.answer("Here"),
    ):
        worker.partials.hear(SECOND)
        answer()
    assert [one["text"] for one in worker.told] == ["Here"]


def test_the_sound_of_settled_sentences_is_dropped(worker: Worker) -> None:
    worker.partials.started()
    worker.partials.hear(np.tile(SECOND, 12))
    worker.answer("I am late. Where")
    worker.partials.hear(SECOND)
    worker.answer("I am late. Where is", [[0.0, 8.0, "I am late."], [8.0, 13.0, "Where is"]])
    worker.partials.hear(SECOND)
    worker.answer("Where is the key")
    assert worker.asked == [12.0, 13.0, 6.0] and worker.marked == [True, True, False]
    assert worker.told[-1]["text"] == "I am late. Where is the key"
    assert worker.told[-1]["stable"] == "I am late. Where is"


def test_sound_that_cannot_be_dropped_ends_the_partial_transcripts_not_the_memory(worker: Worker) -> None:
    worker.partials.started()
    worker.partials.hear(np.tile(SECOND, 29))
    for _ in range(9):
        worker.partials.hear(SECOND)
    utterance = worker.partials._utterance
    assert worker.asked == [] and utterance is not None and utterance.length == 29 * 16_000
