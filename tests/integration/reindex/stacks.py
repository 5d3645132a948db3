"""Processes of a deployment whose embedder is a fake server with several models, and what is sent to it."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import redis

from deploy.ephemeral import wait_until
from tests import forked
from tests.forked import Program
from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange, FarEnd

ROOT = Path(__file__).parents[3]
TURN = "retrieve,generate"
SPOKEN_TURN = f"transcribe,{TURN},synthesize"
"""Where somebody speaks: elsewhere these pools would each load a model first."""
INGEST = "express,extract,listen,chunk,embed,store,notify,intake,upkeep"
QUEUES = f"{TURN},{INGEST}"
WIDTHS = {"model-a": 64, "model-b": 96}


def vector_of(text: str, model: str) -> Sequence[float]:
    """Return a vector in which the number N of a word `gadgetN`, or of its other name `widgetN`, has its direction.

    A question that says `widgetN` shares no word with a text that says `gadgetN`: only the vectors find it.
    """
    found = [0.05] * WIDTHS[model]
    for word in text.lower().replace("?", " ").replace(".", " ").split():
        if word[:6] in ("gadget", "widget") and word[6:].isdigit():
            found[int(word[6:]) % WIDTHS[model]] += 5.0
    return found


class Embedders(FarEnd):
    """The far end; it has every model of WIDTHS, and remembers which texts each was asked for."""

    def requests(self) -> list[dict[str, Any]]:
        """Return the embedding requests for texts of documents: questions and warm-ups are left out."""
        asked = [asked.json for asked in list(self.asked) if asked.path.endswith("/embeddings")]
        return [body for body in asked if any("\n" in text for text in body["input"])]

    def texts(self) -> Counter[str]:
        return Counter(text for body in self.requests() for text in body["input"])


def embeds(exchange: Exchange) -> None:
    """Answer as the model that is asked."""
    if exchange.asked.json["model"] not in WIDTHS:
        # Of chunks that other tests left with the same tenant.
        fakes.failure(404)(exchange)
        return
    fakes.embeddings(lambda text: vector_of(text, exchange.asked.json["model"]))(exchange)


class Stack:
    """Processes over the servers of the tests; requests are those of the default tenant's admin."""

    def __init__(self, client: httpx.Client, folder: Path, environ: dict[str, str], redis_url: str) -> None:
        self.client, self._folder, self.environ, self._redis_url = client, folder, environ, redis_url
        self.running: list[Program] = []

    def start_workers(self, queues: str = QUEUES, **variables: str) -> Program:
        """Start a process that works on these queues, and return it once it does."""
        name = f"worker{len(self.running)}@here"
        pool = ["-P", "threads", "-c", "8", "--without-gossip", "--without-mingle"]
        process = self.start(["-m", "workers", "-Q", queues, "-n", name, *pool], **variables)
        with redis.Redis.from_url(self._redis_url) as store:
            there = queues.count(",") + 1
            wait_until(lambda: len(list(store.scan_iter(f"aura:worker:*:{name}"))) == there, 180, f"{name} works")
        return process

    def start(self, program: Sequence[str], **variables: str) -> Program:
        with (self._folder / "log").open("ab") as out:
            process = forked.start(program, {**self.environ, **variables}, out)
        self.running.append(process)
        return process

    def upload(self, files: Sequence[tuple[str, bytes]]) -> list[str]:
        """Upload files as one batch, wait until they are processed, and return the documents' ids in order."""
        data = [("files", (name, content)) for name, content in files]
        accepted = self.client.post("/api/documents/upload", files=data)
        assert accepted.status_code == 202, accepted.text
        body = accepted.json()
        if len(files) == 1:
            self.finished(body["document"]["id"])
            return [body["document"]["id"]]
        self.finished(body["job_id"])
        items = self.client.get(f"/api/batches/{body['job_id']}/documents", params={"limit": 200}).json()["documents"]
        assert [item["status"] for item in items] == ["processed"] * len(files), items
        return [item["document_id"] for item in items]

    def finished(self, job_id: str, within_s: float = 300) -> dict[str, Any]:
        """Return a job's result once it has ended."""
        job: dict[str, Any] = {}

        def ended() -> bool:
            nonlocal job
            job = self.client.get(f"/api/jobs/{job_id}").json()
            return bool(job["finished"])

        wait_until(ended, within_s, f"job {job_id} has ended: {job}")
        result: dict[str, Any] = job["result"]
        return result

    def document(self, doc_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/api/documents/{doc_id}").json()
        return found

    def chunks(self, doc_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get(f"/api/documents/{doc_id}/chunks").json()["chunks"]
        return found

    def versions(self, doc_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get(f"/api/documents/{doc_id}/versions").json()["versions"]
        return found

    def sources(self, question: str) -> list[str]:
        """Return the names of the documents in which an answer was sought."""
        answer = self.client.post("/api/chat", json={"message": question})
        assert answer.status_code == 200, answer.text
        found: list[str] = answer.json()["sources"]
        return found


def gadget(number: int, words: str = "") -> tuple[str, bytes]:
    """Return a file about a gadget that no other test has sent."""
    return f"doc-{number}.txt", f"The gadget{number} lies on shelf {uuid4().hex}. {words}".encode()


def widget(number: int) -> str:
    """Return a question that no word leads to the gadget's file."""
    return f"widget{number}?"


def original(doc_id: str) -> Path:
    """Return where an uploaded file is kept."""
    return next((Path(os.environ["AURA_DATA_DIR"]) / "objects").rglob(f"documents/{doc_id}/original"))
