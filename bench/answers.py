"""Whether answers without a model are right, and refused where the documents do not hold them.

    python -m bench.answers SET.json [--half held] [--answerable 300] [--unanswerable 200] [--cache DIR]

SET is in SQuAD's JSON format; retrieval, confidence and answer are the product's own, over the set's paragraphs.
Unanswerable are the questions that the set says have no answer, and others whose own paragraph is left out.
`--half` keeps to every other article: what was fitted on `tune` is reported on `held`.
"""

import argparse
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.corpus import Corpus, load
from bench.figures import row, table
from bench.fitting import BINS, Values, calibration_error, risk_area, separation
from pipelines import providers
from pipelines.ports.passages import Passage
from pipelines.text import sentences
from pipelines.turn.checking.citations import MARKER
from pipelines.turn.composing.compose import compose, is_refusal
from pipelines.turn.composing.confidence import HIGH, LOW, confidence
from pipelines.turn.composing.ranking import forget
from pipelines.turn.prompting import prompt
from schemas.settings import Settings, get_settings

SEED = 0
HALVES = {"all": (0, 1), "tune": (0,), "held": (1,)}
SHOWN_COVERAGES = (0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SHOWN_CUTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Outcome:
    """What was answered to a question.

    `mentions` says that a spelling of the answer stands in the text, `holds` that this is no refusal besides.
    """

    question: str
    text: str
    confidence: float
    is_answerable: bool
    holds: bool
    mentions: bool
    sentences: int
    cpu_ms: float
    is_first: bool


def main() -> None:
    """Print what the answers to a set are worth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--half", choices=HALVES, default="held")
    parser.add_argument("--answerable", type=int, default=300)
    parser.add_argument("--unanswerable", type=int, default=200)
    parser.add_argument("--cache", type=Path, help="a folder that keeps the vectors")
    parser.add_argument("--show", choices=("wrong", "answered", "all"), help="print these answers")
    args = parser.parse_args()
    settings = get_settings()
    corpus = load(args.set, providers.embedder(settings), args.cache)
    inside, outside = chosen(corpus, args.half, args.answerable, args.unanswerable)
    found = [outcome(corpus, question, settings, without) for question, without in (*inside, *outside)]
    report(found, args.half)
    for one in found:
        is_wrong = one.is_answerable and not one.holds
        if (
            args.show == "all"
            or (args.show == "wrong" and is_wrong)
            or (args.show == "answered" and not one.is_answerable and not is_refusal(one.text))
        ):
            print(f"{one.confidence:.2f} {one.question}\n     {one.text}")


Asked = tuple[int, tuple[int, ...]]
"""A question's number, and those of the paragraphs that are left out."""


def chosen(corpus: Corpus, half: str, answerable: int, unanswerable: int) -> tuple[list[Asked], list[Asked]]:
    """Return the questions that have an answer, and those that have none; where they are few, both of some."""
    ours = [n for n, question in enumerate(corpus.questions) if question.article % 2 in HALVES[half]]
    random.Random(SEED).shuffle(ours)
    answered = [n for n in ours if corpus.questions[n].answers]
    impossible: list[Asked] = [(n, ()) for n in ours if not corpus.questions[n].answers]
    # The last ones first: where there are enough, none is asked with and without its paragraph.
    removed: list[Asked] = [(n, corpus.questions[n].holders) for n in reversed(answered)]
    return [(n, ()) for n in answered[:answerable]], [*impossible, *removed][:unanswerable]


def outcome(corpus: Corpus, question: int, settings: Settings, without: tuple[int, ...]) -> Outcome:
    """Return what the product answers to a question."""
    asked = corpus.questions[question]
    passages = corpus.passages(question, settings.match_count, without=without)
    forget()  # As if retrieval and answer were in different processes.
    before = time.process_time()
    sure, text = answer(passages, asked.text, settings)
    cpu_ms = (time.process_time() - before) * 1e3
    said = plain(text)
    mentions = not without and any(plain(spelt) in said for spelt in asked.answers)
    return Outcome(
        question=asked.text,
        text=text,
        confidence=sure,
        is_answerable=bool(asked.answers) and not without,
        holds=mentions and not is_refusal(text),
        mentions=mentions,
        sentences=len(sentences(text)),
        cpu_ms=cpu_ms,
        is_first=bool(passages) and passages[0].chunk_id == asked.paragraph,
    )


def answer(passages: Sequence[Passage], question: str, settings: Settings) -> tuple[float, str]:
    """Return the confidence and the answer."""
    sure = confidence(passages, question)
    asked = prompt.build(
        question=question,
        passages=passages,
        agent_name="AURA",
        confidence=sure,
        threshold=settings.match_threshold,
    )
    return sure, compose(asked)


def plain(text: str) -> str:
    """Return the words and figures of a text, which is how SQuAD's answers are compared."""
    return " ".join(re.findall(r"[^\W_]+|[$€£%]", MARKER.sub(" ", text).lower()))


def report(found: Sequence[Outcome], half: str) -> None:
    """Print shares, curve, calibration and times."""
    wanted = [one for one in found if one.is_answerable]
    unwanted = [one for one in found if not one.is_answerable]
    refused = [np.mean([is_refusal(one.text) for one in group]) for group in (wanted, unwanted)]
    print(f"half: {half}; {len(wanted)} answerable questions, {len(unwanted)} unanswerable")
    print(f"right paragraph first: {np.mean([one.is_first for one in wanted]):.1%}")
    print(f"the answer holds the gold span: {np.mean([one.holds for one in wanted]):.1%}")
    counts = [one.sentences for one in wanted if not is_refusal(one.text)]
    print(f"sentences of an answer: mean {np.mean(counts):.2f}, at most three {np.mean(np.array(counts) <= 3):.1%}")
    print(f"refused: answerable {refused[0]:.1%}, unanswerable {refused[1]:.1%}")
    sure = np.array([one.confidence for one in found])
    holds = np.array([one.holds for one in found], float)
    is_wanted = np.array([one.is_answerable for one in found])
    print(f"answerable above unanswerable (ROC area): {separation(sure[is_wanted], sure[~is_wanted]):.3f}")
    print("\n".join(refusal_curve(sure, is_wanted)))
    print("\n".join(risk_curve(sure, holds)))
    print("\n".join(bands(sure, holds, is_wanted)))
    print(table(["CPU, ms", "p50", "p95", "p99", "max"], [row("confidence + answer", [one.cpu_ms for one in found])]))


def refusal_curve(sure: Values, is_wanted: Values) -> Iterator[str]:
    """Yield how many of both groups lie below each cut, and below the one that costs a tenth of the answerable."""
    tenth = float(np.quantile(sure[is_wanted], 0.1))
    yield f"cut that refuses 10 % of the answerable: {tenth:.2f}; it refuses {np.mean(sure[~is_wanted] < tenth):.1%}"
    rows = [
        [f"{cut:.1f}", f"{np.mean(sure[is_wanted] < cut):.1%}", f"{np.mean(sure[~is_wanted] < cut):.1%}"]
        for cut in SHOWN_CUTS
    ]
    yield table(["confidence below", "answerable", "unanswerable"], rows)


def risk_curve(sure: Values, holds: Values) -> Iterator[str]:
    """Yield the share of wrong answers among the most confident ones, and the area under that curve."""
    right = holds[np.argsort(-sure, kind="stable")]
    sizes = [max(1, round(coverage * len(right))) for coverage in SHOWN_COVERAGES]
    rows = [["risk", *(f"{1 - right[:size].mean():.1%}" for size in sizes)]]
    yield table(["coverage", *(f"{coverage:.0%}" for coverage in SHOWN_COVERAGES)], rows)
    best = risk_area(holds, holds)
    yield f"area under the risk–coverage curve: {risk_area(sure, holds):.3f} (a perfect order has {best:.3f})"


def bands(sure: Values, holds: Values, is_wanted: Values) -> Iterator[str]:
    """Yield the calibration errors and what the three bands were worth."""
    errors = [calibration_error(sure, holds), calibration_error(sure[is_wanted], holds[is_wanted])]
    yield f"expected calibration error ({BINS} bins): all {errors[0]:.3f}, answerable only {errors[1]:.3f}"
    rows = []
    for name, low, high in (("high", HIGH, 1.01), ("medium", LOW, HIGH), ("low", -0.01, LOW)):
        inside = (sure > low) & (sure <= high) if name == "high" else (sure >= low) & (sure < high + 1e-9)
        rows.append(
            [name, str(inside.sum()), f"{sure[inside].mean():.2f}", f"{holds[inside].mean():.1%}"]
            if inside.any()
            else [name, "0", "–", "–"]
        )
    yield table(["band", "questions", "mean confidence", "answer holds the gold span"], rows)


if __name__ == "__main__":
    main()
