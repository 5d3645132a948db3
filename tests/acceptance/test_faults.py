"""Accepted work is done exactly once in effect, whatever dies."""

import random
import signal
import threading
from uuid import uuid4

import psutil
import redis

from deploy.ephemeral import Stack, queue_of, wait_until

DOCUMENTS = 30
BETWEEN_KILLS = threading.Event()
"""Never set: the seconds between two kills are part of what is tested."""

PARAGRAPHS = 4


def prose(name: str) -> bytes:
    """Return some pages of text that no other document has."""
    rng = random.Random(name)
    words = [
        "river",
        "harbour",
        "bicycle",
        "battery",
        "lantern",
        "market",
        "window",
        "garden",
        "engine",
        "letter",
        "copper",
        "winter",
    ]
    paragraphs = []
    for number in range(PARAGRAPHS):
        sentences = [" ".join(rng.choices(words, k=12)).capitalize() + f" {name}." for _ in range(10)]
        paragraphs.append(f"# Part {number}\n\n" + " ".join(sentences))
    return "\n\n".join(paragraphs).encode()


def kill_one(stack: Stack, rng: random.Random) -> str:
    """Kill a random worker process the hard way and return its queue; empty where it had just ended."""
    victim = rng.choice(stack.workers())
    try:
        command = victim.cmdline()
        victim.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return ""
    return queue_of(command) if "-Q" in command else ""


def test_thirty_documents_survive_killed_workers_and_an_emptied_redis(stack: Stack) -> None:
    run = uuid4().hex[:8]
    accepted = [stack.upload(f"{run}-{i}.md", prose(f"{run}-{i}")).json()["job_id"] for i in range(DOCUMENTS)]
    rng = random.Random(run)
    broker = redis.Redis.from_url(stack.runtime()["AURA_REDIS_URL"])
    killed: list[str] = []

    def open_documents() -> int:
        views = [stack.document(doc_id) for doc_id in accepted]
        assert [(view["code"], view["detail"]) for view in views if view["status"] == "failed"] == []
        return sum(view["status"] != "processed" for view in views)

    for round_number in range(6):
        killed.append(kill_one(stack, rng))
        if round_number == 2:
            broker.flushall()
        BETWEEN_KILLS.wait(2)
        if not open_documents():
            break
    wait_until(lambda: not open_documents(), 150, "processing of all documents")
    assert len([queue for queue in killed if queue]) >= 3

    with stack.database() as connection:
        rows = connection.execute(
            "SELECT d.chunks_count, count(c.chunk_id), count(DISTINCT c.chunk_index), max(c.chunk_index) + 1"
            " FROM documents d JOIN document_chunks c USING (tenant_id, doc_id) WHERE d.doc_id = ANY (%s::uuid[])"
            " GROUP BY d.doc_id, d.chunks_count",
            (accepted,),
        ).fetchall()
        assert len(rows) == DOCUMENTS
        assert [row for row in rows if len(set(row)) != 1 or row[0] < PARAGRAPHS] == []
        wrong = connection.execute(
            "SELECT f.lexeme, f.chunks, n.chunks FROM term_frequencies f FULL JOIN"
            " (SELECT l.lexeme, count(*) AS chunks FROM document_chunks c, unnest(c.lexemes) l GROUP BY 1) n"
            " ON n.lexeme = f.lexeme WHERE coalesce(f.chunks, 0) <> coalesce(n.chunks, 0)"
        ).fetchall()
        assert wrong == []
    wait_until(stack.is_ready, 60, "the return of every worker")
