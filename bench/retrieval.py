"""Whether the right paragraph is found: SQuAD-format paragraphs, one document each, through the whole stack.

    python -m bench.retrieval PATH/xquad.en.json [--questions 200]

Asks over HTTP and reads the ranking from the answer's `sources`.
"""

import argparse
import json
import random
from pathlib import Path

from bench.figures import load, row, table
from deploy.ephemeral import Stack, ephemeral_stack, wait_until


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--questions", type=int, default=200)
    args = parser.parse_args()
    articles = json.loads(args.path.read_text())["data"]
    paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
    asked = [(qa["question"], number) for number, p in enumerate(paragraphs) for qa in p["qas"]]
    random.Random(0).shuffle(asked)
    with ephemeral_stack() as stack:
        before = load()
        ingest(stack, [paragraph["context"] for paragraph in paragraphs])
        ranks, waits = [], []
        for question, number in asked[: args.questions]:
            answer = stack.ask(question, use_memory=False)
            name = f"p{number:04}.txt"
            ranks.append(answer["sources"].index(name) + 1 if name in answer["sources"] else 99)
            waits.append(answer["processing_time"] * 1e3)
    first, five = (sum(rank <= k for rank in ranks) / len(ranks) for k in (1, 5))
    print(f"{len(paragraphs)} paragraphs, {len(ranks)} questions: first {first:.1%}, top five {five:.1%}")
    print(table(["ms", "p50", "p95", "p99", "max"], [row("question → answer", waits)]))
    print(f"load {before} → {load()}")


def ingest(stack: Stack, texts: list[str]) -> None:
    """Upload every text and return once all are searchable."""
    jobs = [stack.upload(f"p{i:04}.txt", text.encode()).json()["job_id"] for i, text in enumerate(texts)]
    left = set(jobs)

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
