"""Fit the calibration of an embedding model on questions and paragraphs in SQuAD's JSON format.

    python -m bench.calibrate path/to/squad.json [--limit 500]

It gives the model's row in pipelines/providers/calibration.py; what confidence makes of it is fitted by
`bench.calibrate_answers`. Positives are questions with their own paragraph; negatives the same questions with
the best paragraph of all others, which is what retrieval would offer if the answer were not in the documents. A
logistic curve is fitted through both; then it is shifted so that the cosine at which the two are equally likely
gets the similarity 0.7.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines import providers
from pipelines.ingest.embed import embed
from pipelines.ports.models import Calibration
from schemas.settings import get_settings

THRESHOLD = 0.7
BANDS = (0.6, 0.7, 0.8)
ITERATIONS = 25
RIDGE = 1e-6


@dataclass(frozen=True)
class Questions:
    """Distinct paragraphs, questions, and the paragraph each question was asked about."""

    paragraphs: list[str]
    questions: list[str]
    owner: list[int]


def main() -> None:
    """Print the calibration of the embedder that is set, and how well it separates."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("squad", type=Path)
    parser.add_argument("--limit", type=int, default=0, help="questions used, spread evenly; 0 is all")
    arguments = parser.parse_args()
    read = load(arguments.squad, arguments.limit)
    embedder = providers.embedder(get_settings())
    cosines = embed(read.questions, embedder) @ embed(read.paragraphs, embedder).T
    rows = np.arange(len(read.questions))
    positive = cosines[rows, read.owner]
    others = cosines.copy()
    others[rows, read.owner] = -1
    negative = others.max(axis=1)
    fitted = fit(positive, negative)
    report(embedder.model, fitted, positive, negative, float((positive > negative).mean()))


def load(path: Path, limit: int) -> Questions:
    """Return the questions of a SQuAD file, at most `limit` unless it is 0."""
    found = Questions([], [], [])
    for article in json.loads(path.read_text())["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                found.questions.append(question["question"])
                found.owner.append(len(found.paragraphs))
            found.paragraphs.append(paragraph["context"])
    step = max(1, len(found.questions) // limit) if limit else 1
    return Questions(found.paragraphs, found.questions[::step], found.owner[::step])


def fit(positive: NDArray[np.float32], negative: NDArray[np.float32]) -> Calibration:
    """Return the logistic curve through both groups by Newton's method, shifted to THRESHOLD."""
    x = np.concatenate([positive, negative]).astype(np.float64)
    y = np.concatenate([np.ones(len(positive)), np.zeros(len(negative))])
    design = np.stack([np.ones_like(x), x], axis=1)
    weights = np.zeros(2)
    for _ in range(ITERATIONS):
        p = 1 / (1 + np.exp(-design @ weights))
        hessian = design.T @ (design * (p * (1 - p))[:, None]) + RIDGE * np.eye(2)
        weights += np.linalg.solve(hessian, design.T @ (y - p))
    intercept, slope = weights
    even = -intercept / slope
    return Calibration(float(even - math.log(THRESHOLD / (1 - THRESHOLD)) / slope), float(slope))


def report(
    model: str, fitted: Calibration, positive: NDArray[np.float32], negative: NDArray[np.float32], first: float
) -> None:
    """Print the curve and, for each band, how many of both groups reach it."""
    print(f"{model}: midpoint {fitted.midpoint:.3f}, slope {fitted.slope:.1f}  (right paragraph first: {first:.1%})")
    for name, group in (("own paragraph", positive), ("best other", negative)):
        marks = "  ".join(f"p{q} {value:.2f}" for q, value in zip((5, 25, 50, 75, 95), _quantiles(group), strict=True))
        print(f"  cosine, {name:13}: {marks}")
    for band in BANDS:
        reach = [float((fitted.similarity(group) >= band).mean()) for group in (positive, negative)]
        print(
            f"  similarity ≥ {band} (cosine {fitted.cosine(band):.3f}): own {reach[0]:.1%}, best other {reach[1]:.1%}"
        )


def _quantiles(group: NDArray[np.float32]) -> Sequence[float]:
    return [float(value) for value in np.quantile(group, (0.05, 0.25, 0.5, 0.75, 0.95))]


if __name__ == "__main__":
    main()
