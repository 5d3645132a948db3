"""Search in one database of many tenants: how long it takes, what it misses, and what the reference text's index does.

    python -m bench.search [--tenants N] [--chunks N] [--largest N] [--questions N]

A Postgres of its own, set up as the embedded one but without fsync, asked as the app's role under row level security.
Each question is put as retrieval puts it: the hundred nearest by vector and the hundred best by words. Half of the
questions go to tenants drawn alike, half to tenants as likely as they have chunks. Recall is of the ten nearest,
against all distances worked out by numpy; while documents are stored meanwhile, against an exact search in the same
snapshot. Beside it: one IVFFlat index with 100 lists over all tenants, filtered by tenant.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from sqlalchemy import text

from bench.figures import load, row, table
from bench.searching import corpus as corpora
from bench.searching.corpus import MODEL, WIDTH, Corpus, Question
from bench.searching.ingest import Ingest
from deploy.database import indexer_url
from deploy.services import services
from pipelines.ports.models import Calibration
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import promotion, search
from schemas.settings import Settings, get_settings

CALIBRATION = Calibration(0.5, 10)
CANDIDATES = 100
CLASSES = ((0, 100), (100, 1000), (1000, 5000), (5000, 1 << 40))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenants", type=int, default=1000)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--largest", type=int, default=20_000)
    parser.add_argument("--questions", type=int, default=200, help="of each kind")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aura-search-") as folder:
        data_dir = Path(folder)
        with services(data_dir, Settings(data_dir=data_dir, _env_file=None), durable=False) as (
            admin_url,
            app_url,
            redis_url,
        ):
            os.environ |= {
                "AURA_DATA_DIR": folder,
                "AURA_DATABASE_URL": app_url,
                "AURA_REDIS_URL": redis_url,
                "AURA_SECRET_KEYS": "bench" * 8,
            }
            get_settings.cache_clear()
            began = time.monotonic()
            corpus = corpora.make(given.tenants, given.chunks, given.largest)
            bench = Bench(corpus, admin_url.rpartition("/")[0] + "/aura", indexer_url(admin_url, app_url))
            print(f"Made and copied in {time.monotonic() - began:.0f} s. {bench.index()}", flush=True)
            bench.run(given.questions)


class Bench:
    """A loaded database, and the corpus that is in it."""

    def __init__(self, corpus: Corpus, admin_url: str, index_url: str) -> None:
        self.corpus, self.admin_url, self.index_url = corpus, admin_url, index_url
        corpora.load(admin_url, corpus)
        with psycopg.connect(admin_url) as admin:
            rows = admin.execute("SELECT tenant_id, chunk_index, chunk_id FROM document_chunks").fetchall()
        starts = dict(zip(corpus.tenants, corpus.starts.tolist(), strict=False))
        self.ids = np.zeros(len(corpus.vectors), np.int64)
        for tenant_id, chunk_index, chunk_id in rows:
            self.ids[starts[tenant_id] + chunk_index] = chunk_id

    def index(self) -> str:
        """Have upkeep index the large tenants and return a word on it."""
        began = time.monotonic()
        count, took_s = len(promotion.settle(self.index_url).made), time.monotonic() - began
        return f"{count} tenants of at least {promotion.PROMOTE_AT:,} chunks indexed in {took_s:.0f} s."

    def run(self, count: int) -> None:
        """Print all tables."""
        self.time(self.corpus.questions(30, True, seed=1), (self.by_words, self.by_vector))
        alike, by_size = self.corpus.questions(count, False, seed=2), self.corpus.questions(count, True, seed=3)
        for name, questions in (("tenants alike", alike), ("tenants by size", by_size)):
            self.report(f"{len(questions)} questions, {name}", questions)
        both = [*alike, *by_size]
        print(f"\nAll {len(both)} questions, half of each kind:\n{self.recalls(both, self.nearest)}")
        with self.reference() as asked:
            for probes in (1, 10):
                asked.execute(f"SET ivfflat.probes = {probes}")
                found = self.recalls(both, self.filtered(asked))
                print(f"\nIVFFlat lists=100 over all tenants, {probes} probes:\n{found}")
        with Ingest(self.corpus) as ingest:
            print(f"\nWhile documents are stored:\n{self.recalls(both[::4], self.nearest, exact=self.exactly)}")
            self.report("while documents are stored", both[::4])
        print(f"\n{ingest.stored} chunks were stored meanwhile, {ingest.stored / ingest.took_s:.0f} a second.")

    def report(self, name: str, questions: list[Question]) -> None:
        """Print how long the questions take: by vector, by words, and by both in one transaction."""
        before, rows = load(), []
        ways = {"vector": (self.by_vector,), "words": (self.by_words,), "both": (self.by_words, self.by_vector)}
        for way, asked in ways.items():
            used_s = self.used_s()
            took = self.time(questions, asked)
            rows.append([*row(way, took), f"{1000 * (self.used_s() - used_s) / len(questions):.1f}"])
        print(f"\n{name}, ms (load {before} → {load()}):")
        print(table(["", "p50", "p95", "p99", "max", "CPU, mean"], rows), flush=True)

    def time(self, questions: list[Question], ways: tuple[Callable, ...]) -> list[float]:
        """Return the milliseconds that each question takes, the transaction's own included."""
        found = []
        for question in questions:
            began = time.perf_counter()
            with tenant_session(self.corpus.tenants[question.tenant], durable=False) as session:
                for way in ways:
                    way(session, question, CANDIDATES)
            found.append(1000 * (time.perf_counter() - began))
        return found

    def used_s(self) -> float:
        """Return the processor seconds of this process and of the servers that serve its connections."""
        with psycopg.connect(self.admin_url) as admin:
            pids = admin.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'aura_app'").fetchall()
        servers = [psutil.Process(pid).cpu_times() for (pid,) in pids]
        return time.process_time() + float(sum(server.user + server.system for server in servers))

    def by_vector(self, session, question: Question, count: int) -> list[int]:
        tenant_id = self.corpus.tenants[question.tenant]
        found = search.nearest(session, tenant_id, question.vector, MODEL, CALIBRATION, count)
        return [passage.chunk_id for passage in found]

    def by_words(self, session, question: Question, count: int) -> list[int]:
        found = search.best_words(session, self.corpus.tenants[question.tenant], question.words, count)
        return [passage.chunk_id for passage in found]

    def recalls(self, questions: list[Question], ask: Callable, exact: Callable | None = None) -> str:
        """Return a table of recall@10 and time by the size of the tenant."""
        sizes, shares, took = [], [], []
        for question in questions:
            began = time.perf_counter()
            if exact:
                got, truth = exact(question)
            else:
                got, truth = ask(question), None
            took.append(1000 * (time.perf_counter() - began))
            truth = self.truth(question) if truth is None else truth
            sizes.append(self.corpus.sizes[question.tenant])
            shares.append(len(set(got) & set(truth)) / len(truth))
        size, share, ms = np.array(sizes), np.array(shares), np.array(took)
        rows = []
        for low, high in (*CLASSES, (0, 1 << 41)):
            chosen = (size >= low) & (size < high)
            if chosen.any():
                name = (
                    "all"
                    if high == 1 << 41
                    else f"{low:,} to {high - 1:,} chunks"
                    if high < 1 << 40
                    else f"{low:,} and more"
                )
                cells = [f"{chosen.sum()}", f"{share[chosen].mean():.4f}", f"{share[chosen].min():.1f}"]
                rows.append([name, *cells, *(f"{np.percentile(ms[chosen], p):.1f}" for p in (50, 99))])
        return table(["tenants of", "questions", "recall@10", "least", "ms p50", "ms p99"], rows)

    def nearest(self, question: Question) -> list[int]:
        with tenant_session(self.corpus.tenants[question.tenant], durable=False) as session:
            return self.by_vector(session, question, 10)

    def exactly(self, question: Question) -> tuple[list[int], list[int]]:
        """Return what search finds and what is there, as one snapshot sees it."""
        tenant_id = self.corpus.tenants[question.tenant]
        with tenant_session(tenant_id, durable=False) as session:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            facts = {"t": tenant_id, "m": MODEL, "q": HalfVector(question.vector).to_text()}
            return self.by_vector(session, question, 10), list(session.scalars(EXACT, facts))

    def truth(self, question: Question) -> list[int]:
        start, end = self.corpus.starts[question.tenant], self.corpus.starts[question.tenant + 1]
        vectors = self.corpus.vectors[start:end].astype(np.float32)
        asked = question.vector.astype(np.float16).astype(np.float32)
        cosines = vectors @ asked / np.linalg.norm(vectors, axis=1)
        return self.ids[start + np.argsort(-cosines)[:10]].tolist()

    def filtered(self, asked: psycopg.Connection) -> Callable[[Question], list[int]]:
        """Return a search by the one index over all tenants."""

        def ask(question: Question) -> list[int]:
            facts = (self.corpus.tenants[question.tenant], HalfVector(question.vector))
            return [found for (found,) in asked.execute(FILTERED, facts)]

        return ask

    def reference(self) -> psycopg.Connection:
        """Return a connection to a table of the same chunks with the reference text's index."""
        admin = psycopg.connect(self.admin_url, autocommit=True)
        register_vector(admin)
        admin.execute("SET maintenance_work_mem = '256MB'")
        admin.execute(f"CREATE TABLE reference_chunks (tenant_id uuid, chunk_id bigint, embedding halfvec({WIDTH}))")
        admin.execute("INSERT INTO reference_chunks SELECT tenant_id, chunk_id, embedding FROM document_chunks")
        admin.execute(
            "CREATE INDEX ON reference_chunks USING ivfflat (embedding halfvec_cosine_ops) WITH (lists = 100)"
        )
        admin.execute("VACUUM ANALYZE reference_chunks")
        admin.execute("SET enable_seqscan = off")
        return admin


EXACT = text(
    "SELECT chunk_id FROM document_chunks WHERE tenant_id = :t AND embedding_model = :m"
    " ORDER BY embedding <=> CAST(:q AS halfvec) LIMIT 10"
)
FILTERED = "SELECT chunk_id FROM reference_chunks WHERE tenant_id = %s ORDER BY embedding <=> %s LIMIT 10"

if __name__ == "__main__":
    main()
