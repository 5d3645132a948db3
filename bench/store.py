"""How many chunks a second are stored and searchable, beside what the same rows cost by themselves.

    python -m bench.store [--chunks N] [--rounds N]

A Postgres of its own, as the embedded one is set up, fsync included. Three ways in turn: the step `store` as it is
(BINARY COPY, lexemes, the indexes, the frequencies that BM25 needs, commit); a bare BINARY COPY of the same rows
into a table without an index; and the making of the lexemes alone, from a table that holds the texts.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

import numpy as np
import psutil
from sqlalchemy import text

from bench.figures import load, table
from bench.words import texts
from deploy.services import services
from pipelines.ingest.elements import Chunk
from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.ingest import accepting
from pipelines.stores.ingest.accepting import Upload
from pipelines.stores.knowledge import chunks, documents
from pipelines.stores.knowledge.chunks import Incoming
from schemas.settings import Settings, get_settings
from schemas.tables.base import DEFAULT_TENANT_ID

TENANT = UUID(DEFAULT_TENANT_ID)
KINDS = {"short": 12, "paragraph": 60, "full": 330}
WIDTH = 384
WORDS_TOKENS = 1.4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aura-store-") as folder:
        data_dir = Path(folder)
        with services(data_dir, Settings(data_dir=data_dir, _env_file=None)) as (_, database_url, redis_url):
            os.environ |= {
                "AURA_DATA_DIR": folder,
                "AURA_DATABASE_URL": database_url,
                "AURA_REDIS_URL": redis_url,
                "AURA_SECRET_KEYS": "bench" * 8,
            }
            get_settings.cache_clear()
            measure(given.chunks, given.rounds)


def measure(count: int, rounds: int) -> None:
    """Print the table."""
    before, rows = load(), []
    for kind, words in KINDS.items():
        took: dict[str, list[float]] = {"store": [], "copy": [], "lexemes": []}
        cpu: dict[str, list[float]] = {"store": [], "copy": [], "lexemes": []}
        for number in range(rounds + 1):
            found = incoming(count, words, number)
            for name, work in (("store", stored), ("copy", copied), ("lexemes", lexemes)):
                seconds, cpu_s = work(found)
                if number:  # The first round fills caches.
                    took[name].append(seconds)
                    cpu[name].append(cpu_s)
        middle = {name: median(values) for name, values in took.items()}
        rows.append(
            [
                f"{kind}, {words} words",
                *(f"{count / middle[name]:,.0f}" for name in took),
                f"{middle['copy'] / middle['store']:.2f}",
                f"{middle['lexemes'] / middle['store']:.2f}",
                *(f"{1e6 * median(values) / count:.0f}" for values in cpu.values()),
            ]
        )
    head = ["chunks", "stored/s", "bare COPY/s", "lexemes alone/s", "of COPY", "of lexemes"]
    print(table([*head, *(f"{name}: CPU µs a chunk" for name in ("stored", "COPY", "lexemes"))], rows))
    print(f"\n{count} chunks a transaction, {WIDTH} wide, medians of {rounds} rounds. Load {before} → {load()}.")


def incoming(count: int, words: int, seed: int) -> Incoming:
    """Return the chunks of a document that waits to be stored."""
    with tenant_session(TENANT) as session:
        document, _ = accepting.accept(session, TENANT, Upload("bench", "notes.txt", "txt", 100, uuid4().hex))
    with operator_session() as session:
        [part] = documents.admit(session, 10**6, 10**6)
    tokens = int(words * WORDS_TOKENS)
    made = [
        Chunk(index, body, "general", tokens, 0, len(body), page_from=1, page_to=1)
        for index, body in enumerate(texts(count, words, seed))
    ]
    vectors = np.random.default_rng(seed).normal(size=(count, WIDTH)).astype(np.float16)
    return Incoming(part.ref, document, made, vectors, "fake-384")


def stored(found: Incoming) -> tuple[float, float]:
    """Store the chunks as the workers do; return the seconds by the clock, and by the processors of both sides."""
    with clock() as took, tenant_session(TENANT) as session:
        chunks.replace(session, TENANT, [found])
    return took[0], took[1]


def copied(found: Incoming) -> tuple[float, float]:
    """Copy the same rows into a table that nothing reads."""
    with clock() as took, tenant_session(TENANT) as session:
        chunks._copy(session, [found])
    return took[0], took[1]


def lexemes(found: Incoming) -> tuple[float, float]:
    """Have Postgres make the lexemes of the texts, once they are there."""
    with tenant_session(TENANT) as session:
        chunks._copy(session, [found])
        with clock() as took:
            session.execute(text("SELECT sum(length(to_tsvector('english', context))) FROM incoming_chunks"))
    return took[0], took[1]


@contextmanager
def clock() -> Iterator[list[float]]:
    """Yield a list that is filled at the end: seconds by the clock, and by the processors."""
    took: list[float] = []
    began, used_s = time.monotonic(), _used_s()
    yield took
    took += [time.monotonic() - began, _used_s() - used_s]


def _used_s() -> float:
    """Return the processor seconds of this process and of those that serve its connections."""
    with tenant_session(TENANT) as session:
        pids = session.scalars(text("SELECT pid FROM pg_stat_activity WHERE usename = current_user")).all()
    servers = [psutil.Process(pid).cpu_times() for pid in pids]
    return time.process_time() + float(sum(server.user + server.system for server in servers))


if __name__ == "__main__":
    main()
