"""Paragraphs and questions in SQuAD's JSON format, one document each; and the same as long documents."""

import json
from pathlib import Path

from bench.retrieving.kinds import Set, Wanted, plain


def read(path: Path) -> Set:
    """Return the set of a file: each paragraph is a document, and each question wants its own."""
    articles = json.loads(path.read_text())["data"]
    paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
    questions = [
        Wanted(qa["question"], f"p{number:04}.txt")
        for number, paragraph in enumerate(paragraphs)
        for qa in paragraph["qas"]
    ]
    return Set(path.stem, [plain(f"p{i:04}.txt", one["context"]) for i, one in enumerate(paragraphs)], questions)
