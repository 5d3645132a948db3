"""A question set about a company's documents: files read and cut as the product does, in SQuAD's JSON format.

    python -m bench.company bench/company/questions.tsv bench/company company.json

A line of the questions names the file, the question and the spellings of its answer with | between them, none
where the documents do not say. Its paragraph is the file's first chunk that has the answer.
"""

import argparse
import csv
import json
from pathlib import Path
from typing import Any

from pipelines.ingest.chunk import chunk
from pipelines.ingest.extract import extract


def main() -> None:
    """Write the set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", type=Path)
    parser.add_argument("folder", type=Path, help="where the files are")
    parser.add_argument("set", type=Path, help="what is written")
    args = parser.parse_args()
    asked: dict[str, list[tuple[str, list[str]]]] = {}
    with args.questions.open(encoding="utf-8", newline="") as lines:
        for file, question, answers in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            asked.setdefault(file, []).append((question, [answer for answer in answers.split("|") if answer]))
    data = [article(args.folder / file, rows) for file, rows in asked.items()]
    args.set.write_text(json.dumps({"data": data}, ensure_ascii=False, indent=1), encoding="utf-8")


def article(path: Path, rows: list[tuple[str, list[str]]]) -> dict[str, Any]:
    """Return a file's chunks as paragraphs with the questions about them."""
    chunks = chunk(extract(path.read_bytes(), path.suffix[1:], path.name))
    paragraphs: list[dict[str, Any]] = [
        {"context": found.text, "headings": list(found.heading_path), "qas": []} for found in chunks
    ]
    for question, answers in rows:
        at = next((n for n, found in enumerate(chunks) if any(answer in found.text for answer in answers)), 0)
        if answers and not any(answer in chunks[at].text for answer in answers):
            print(f"{path.name}: no chunk has the answer to “{question}”")
        paragraphs[at]["qas"].append(
            {"question": question, "answers": [{"text": answer} for answer in answers], "is_impossible": not answers}
        )
    return {"title": path.stem, "document": path.name, "paragraphs": paragraphs}


if __name__ == "__main__":
    main()
