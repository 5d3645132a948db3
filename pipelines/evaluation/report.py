"""The figures of an evaluation: one row for each configuration, a comparison of two, and the table in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.evaluation import metrics
from pipelines.evaluation.metrics import mean

RECALL_AT = (1, 3, 5, 10)
MAX_POINTS = 200
COLUMNS = {
    "recall_at_1": "R@1",
    "recall_at_5": "R@5",
    "recall_at_10": "R@10",
    "mrr": "MRR",
    "ndcg_at_10": "nDCG@10",
    "gold_inside": "gold inside",
    "exact_match": "EM",
    "f1": "F1",
    "refused_rightly": "refused rightly",
    "refused_wrongly": "refused wrongly",
    "ece": "ECE",
    "latency_p50_ms": "p50 ms",
    "latency_p95_ms": "p95 ms",
    "cost_usd": "cost $",
}


def figures(outcomes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the measures over the outcomes of one configuration; those that could not be asked are only counted."""
    asked = [one for one in outcomes if not one["error"]]
    answerable = [one for one in asked if not one["should_refuse"]]
    unanswerable = [one for one in asked if one["should_refuse"]]
    ranked = [one["ranks"] for one in answerable if one["ranks"]]
    first = [ranks[0] for ranks in ranked]
    confidences = [one["confidence"] for one in asked]
    # Confidence says that the answer is there and found: of a question without one it should be low.
    found = [one["right"] and not one["should_refuse"] for one in asked]
    curve = metrics.risk_coverage(confidences, found)
    latencies = [one["latency_ms"] for one in asked]
    found_figures = {
        "questions": len(outcomes),
        "errors": len(outcomes) - len(asked),
        "answerable": len(answerable),
        **{f"recall_at_{k}": metrics.recall_at(first, k) for k in RECALL_AT},
        "mrr": metrics.mrr(first),
        "ndcg_at_10": mean([metrics.ndcg(ranks, len(ranks)) for ranks in ranked]),
        "exact_match": mean([one["exact"] for one in answerable]),
        "f1": mean([one["f1"] for one in answerable]),
        "gold_inside": mean([one["right"] for one in answerable]),
        "refused_rightly": mean([one["refused"] for one in unanswerable]),
        "refused_wrongly": mean([one["refused"] for one in answerable]),
        "ece": metrics.expected_calibration_error(confidences, found),
        "risk_coverage_area": metrics.area_under(curve),
        "latency_p50_ms": metrics.percentile(latencies, 50),
        "latency_p95_ms": metrics.percentile(latencies, 95),
        "cost_usd": sum(one["cost_usd"] for one in asked),
        "models": sorted({one["model"] for one in asked if one["model"]}),
    }
    rounded = {name: round(value, 6) if isinstance(value, float) else value for name, value in found_figures.items()}
    return {**rounded, "risk_coverage": [[round(c, 4), round(r, 4)] for c, r in _thinned(curve)]}


def markdown(name: str, results: Sequence[Mapping[str, Any]]) -> str:
    """Return the comparison table."""
    head = ["configuration", *COLUMNS.values()]
    lines = [f"# {_cell(name)}", "", _line(head), _line(["---", *["---:"] * len(COLUMNS)])]
    lines += [_line([_cell(one["name"]), *(_shown(column, one.get(column)) for column in COLUMNS)]) for one in results]
    asked = results[0] if results else {}
    lines += ["", f"{asked.get('questions', 0)} questions, {asked.get('answerable', 0)} of them with an answer."]
    return "\n".join(lines) + "\n"


def compared(
    questions: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]],
) -> dict[str, list[str]]:
    """Return which questions got better and which worse from the first outcome to the second.

    Right before wrong; among equals of both, a source that is found further up or down.
    """
    found: dict[str, list[str]] = {"better": [], "worse": [], "same": []}
    for question, (before, after) in questions.items():
        first, second = _merit(before), _merit(after)
        found["better" if second > first else "worse" if second < first else "same"].append(question)
    return found


def _merit(outcome: Mapping[str, Any]) -> tuple[bool, float]:
    rank = outcome["ranks"][0] if outcome["ranks"] else None
    return bool(outcome["right"]) and not outcome["error"], 1 / rank if rank else 0.0


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    if len(points) <= MAX_POINTS:
        return points
    step = (len(points) - 1) / (MAX_POINTS - 1)
    return [points[round(i * step)] for i in range(MAX_POINTS)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[")


def _shown(column: str, value: Any) -> str:
    if value is None:
        return "–"
    if column.endswith("_ms"):
        return f"{value:.0f}"
    return f"{value:.4f}" if column == "cost_usd" else f"{value:.3f}"
