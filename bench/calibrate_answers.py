"""Fit the coefficients of pipelines/turn/composing/confidence.py on question sets in SQuAD's JSON format.

    python -m bench.calibrate_answers SET.json [SET.json …] [--half tune] [--cache DIR]

Each question is asked with its paragraph and without it, among all paragraphs and among those of its article
alone, because a tenant may have a single document. What is fitted is whether the paragraphs hold the answer.
A set weighs as the square root of its examples; within it, the answerable ones weigh `ANSWERABLE`.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.answers import HALVES
from bench.corpus import Corpus, load
from bench.fitting import Values, logistic
from pipelines import providers
from pipelines.turn.composing.confidence import facts
from schemas.settings import get_settings

ANSWERABLE = 0.8
"""Share of questions whose answer the documents hold, as far as an organisation knows what it is asked."""

MEANING = ("similarity",)


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--half", choices=HALVES, default="tune")
    parser.add_argument("--cache", type=Path, help="a folder that keeps the vectors")
    args = parser.parse_args()
    settings = get_settings()
    embedder = providers.embedder(settings)
    found = []
    for path in args.sets:
        rows = list(examples(load(path, embedder, args.cache), args.half, settings.match_count))
        found += [(*example, float(weight)) for example, weight in zip(rows, weights(rows), strict=True)]
    names = list(dict.fromkeys(name for known, _, _ in found for name in known))
    for title, used in (
        ("WORDED", names),
        ("BY_MEANING", list(MEANING)),
        ("BY_WORDS", [name for name in names if name not in MEANING]),
    ):
        features = np.array([[known[name] for name in used] for known, _, _ in found])
        hold = np.array([is_answerable for _, is_answerable, _ in found], float)
        even, coefficients = logistic(features, hold, np.array([weight for _, _, weight in found]))
        print(f"{title} = {{")
        print(f'    "even": {even:.2f},')
        for name, value, spread in zip(used, coefficients, features.std(axis=0), strict=True):
            print(f'    "{name}": {value:.2f},  # × spread: {value * spread:+.2f}')
        print("}")


Example = tuple[dict[str, float], bool]
"""Facts, and whether the paragraphs hold the answer."""


def examples(corpus: Corpus, half: str, count: int) -> Iterator[Example]:
    """Yield what is known of each question of a half in each of its four cases."""
    for number, asked in enumerate(corpus.questions):
        if asked.article % 2 not in HALVES[half]:
            continue
        for without in ((), asked.holders) if asked.answers else ((),):
            for alone in (False, True):
                passages = corpus.passages(number, count, without=without, alone=alone)
                known = facts(passages, asked.text) if passages else {}
                if len(known) > len(MEANING):
                    yield known, bool(asked.answers) and not without


def weights(rows: Sequence[Example]) -> Values:
    """Return what each example weighs."""
    answerable = np.array([is_answerable for _, is_answerable in rows])
    found: Values = np.where(answerable, ANSWERABLE / answerable.sum(), (1 - ANSWERABLE) / (~answerable).sum())
    return found * len(rows) ** 0.5 * 20


if __name__ == "__main__":
    main()
