"""Whether the right place is found: by vector, by BM25, by reciprocal rank of both, and by our fusion.

    python -m bench.retrieval [SET.json …] [--sets]
    python -m bench.retrieval SET.json --stack [--questions 200]

SET.json is in SQuAD's format; each paragraph becomes a document. `--sets` adds those of `bench/retrieving/`, which are
made here: near-identical quarterly reports, product sheets with codes, handbooks, questions of customers in other
words, without a word in common, and in other languages. A Postgres of its own, the local model, no cache. The weights
were chosen on the questions with even numbers after a shuffle (`tuned`); the others are reported beside them (`held`).

`--stack` asks over HTTP, through all workers, and reads the ranking from the answer's `sources`.
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.figures import load, row, table
from bench.retrieving import filings, follow_ups, handbooks, paraphrases, products, putting, squad
from bench.retrieving.kinds import Set
from bench.retrieving.measures import RANKINGS, Answered, asked, scored
from deploy.ephemeral import Stack, ephemeral_stack, wait_until
from deploy.services import services
from pipelines import providers
from pipelines.ports.models import Embedder
from schemas.settings import Settings, get_settings

HEAD = ["set", "ranking", "right first", "MRR", "recall@10", "document first", "place in five"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", type=Path, nargs="*")
    parser.add_argument("--sets", action="store_true", help="add the sets that are made here")
    parser.add_argument("--stack", action="store_true", help="ask over HTTP")
    parser.add_argument("--questions", type=int, default=200, help="with --stack, as many of them")
    given = parser.parse_args()
    if given.stack:
        over_http(given.paths[0], given.questions)
        return
    before = load()
    embedder = providers.embedder(get_settings())
    sets = [squad.read(path) for path in given.paths]
    if given.sets or not sets:
        sets += [filings.make(), products.make(), handbooks.make()]
        sets += [paraphrases.faq(), paraphrases.without_keywords(), paraphrases.other_languages()]
        sets += [follow_ups.as_asked(), follow_ups.made_whole()]
    with servers() as admin_url:
        for each in sets:
            measure(each, embedder, admin_url)
    print(f"load {before} → {load()}")


@contextmanager
def servers() -> Iterator[str]:
    """Yield the admin's URL of servers that this process's settings point at."""
    with tempfile.TemporaryDirectory(prefix="aura-retrieval-") as folder:
        data_dir = Path(folder)
        with services(data_dir, Settings(data_dir=data_dir, _env_file=None), durable=False) as urls:
            os.environ |= {
                "AURA_DATA_DIR": folder,
                "AURA_DATABASE_URL": urls[1],
                "AURA_REDIS_URL": urls[2],
                "AURA_SECRET_KEYS": "bench" * 8,
            }
            get_settings.cache_clear()
            yield urls[0]


def measure(of: Set, embedder: Embedder, admin_url: str) -> None:
    """Print the table of a set."""
    began = time.monotonic()
    tenant_id = putting.new_tenant(admin_url)
    chunks = putting.put(tenant_id, of.sources, embedder)
    found = asked(tenant_id, of, embedder)
    took_s = time.monotonic() - began
    random.Random(0).shuffle(found)
    rows = [_row(of.name, name, found) for name in RANKINGS]
    if len(found) > 400:
        rows += [_row(f"{of.name}, {half}", "ours", found[start::2]) for start, half in enumerate(("tuned", "held"))]
    print(f"\n{of.name}: {len(of.sources)} documents, {chunks} chunks, {len(found)} questions, {took_s:.0f} s\n")
    print(table(HEAD, rows), flush=True)


def _row(name: str, ranking: str, found: Sequence[Answered]) -> list[str]:
    scores = scored(found, RANKINGS[ranking])
    shares = (scores.recall_10, scores.document_first, scores.place_in_five)
    return [name, ranking, f"{scores.place_first:.1%}", f"{scores.reciprocal:.3f}", *(f"{s:.1%}" for s in shares)]


def over_http(path: Path, questions: int) -> None:
    """Print how often the right paragraph's document is the first, and the first five, of an answer's sources."""
    of = squad.read(path)
    wanted = list(of.questions)
    random.Random(0).shuffle(wanted)
    with ephemeral_stack() as stack:
        before = load()
        texts = {source.filename: source.extraction.elements for source in of.sources}
        ingest(stack, {name: "\n\n".join(element.text for element in parts) for name, parts in texts.items()})
        ranks, waits = [], []
        for one in wanted[:questions]:
            answer = stack.ask(one.question, use_memory=False)
            found = answer["sources"]
            ranks.append(found.index(one.filename) + 1 if one.filename in found else 99)
            waits.append(answer["processing_time"] * 1e3)
    first, five = (sum(rank <= k for rank in ranks) / len(ranks) for k in (1, 5))
    print(f"{len(texts)} paragraphs, {len(ranks)} questions: first {first:.1%}, top five {five:.1%}")
    print(table(["ms", "p50", "p95", "p99", "max"], [row("question → answer", waits)]))
    print(f"load {before} → {load()}")


def ingest(stack: Stack, texts: dict[str, str]) -> None:
    """Upload every text and return once all are searchable."""
    left = {stack.upload(name, text.encode()).json()["job_id"] for name, text in texts.items()}

    def done() -> bool:
        for job in list(left)[:20]:
            view = stack.document(job)
            if view["status"] == "failed":
                raise SystemExit(f"{view['filename']}: {view['detail']}")
            if view["status"] == "processed":
                left.discard(job)
        return not left

    wait_until(done, 600, "all paragraphs are searchable")


if __name__ == "__main__":
    main()
