"""Outcomes become figures, a table, a plot, and a comparison."""

from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest

from pipelines.evaluation import plot, report
from pipelines.evaluation.judging import Outcome, judged, ranks
from pipelines.ports.passages import Passage

DOC = UUID(int=7)


def passage(n: int, text: str, **fields: Any) -> Passage:
    return Passage("document_chunks", n, fields.pop("doc_id", DOC), fields.pop("filename", "a.pdf"), text, **fields)


FOUND = [
    passage(1, "Nothing here.", filename="b.pdf", doc_id=UUID(int=8)),
    passage(2, "The shop opens at nine.", page_from=2, page_to=2),
    passage(3, "A bicycle costs 900 euros.", page_from=3, page_to=4),
]


@pytest.mark.parametrize(
    ("source", "rank"),
    [
        ({"filename": "A.PDF"}, 2),
        ({"filename": "a.pdf", "page": 4}, 3),
        ({"filename": "a.pdf", "page": 9}, None),
        ({"document_id": str(UUID(int=8))}, 1),
        ({"text": "In our shop a bicycle costs 900 euros."}, 3),
        ({"filename": "c.pdf"}, None),
        ({}, 3),
    ],
)
def test_the_rank_is_that_of_the_first_passage_that_fits_all_of_the_source(
    source: dict[str, Any], rank: int | None
) -> None:
    assert ranks(FOUND, source, ["900 euros"]) == [rank]


def test_an_answer_is_judged() -> None:
    right = judged("It costs 900 euros [3].", [{"number": 3}], ["900 Euros"], {}, FOUND)
    assert (right.right, right.exact, right.refused, right.ranks) == (True, False, False, [3])
    assert right.f1 == pytest.approx(2 * 2 / (4 + 2))
    refused = judged("I don't know from these documents.", [], ["900 euros"], {}, FOUND)
    assert (refused.right, refused.refused, refused.f1) == (False, True, 0.0)
    rightly = judged("I do not know that.", [], [], {}, FOUND)
    assert (rightly.right, rightly.refused, rightly.should_refuse, rightly.ranks) == (True, True, True, [])
    invented = judged("It costs 3 euros [1].", [{"number": 1}], [], {}, FOUND)
    assert (invented.right, invented.refused) == (False, False)


OUTCOMES = [
    Outcome("x", right=True, exact=True, f1=1.0, ranks=[1], confidence=0.9, latency_ms=10, cost_usd=0.5, model="m"),
    Outcome("y", ranks=[2], confidence=0.7, latency_ms=30, cost_usd=0.25, model="m"),
    Outcome("", refused=True, ranks=[None], confidence=0.2, latency_ms=20),
    Outcome("", refused=True, right=True, should_refuse=True, confidence=0.1, latency_ms=20),
    Outcome("z", should_refuse=True, confidence=0.3, latency_ms=20),
    Outcome(error="too_many_attempts"),
]


def test_figures_over_all_outcomes() -> None:
    found = report.figures([one.as_json() for one in OUTCOMES])
    assert (found["questions"], found["errors"], found["answerable"]) == (6, 1, 3)
    assert found["recall_at_1"] == pytest.approx(1 / 3, abs=1e-6)
    assert found["recall_at_3"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["mrr"] == 0.5
    assert found["ndcg_at_10"] == pytest.approx((1 + 0.63093) / 3, abs=1e-5)
    assert (found["exact_match"], found["f1"], found["gold_inside"]) == pytest.approx((1 / 3,) * 3, abs=1e-6)
    assert (found["refused_rightly"], found["refused_wrongly"]) == pytest.approx((0.5, 1 / 3), abs=1e-6)
    assert (found["latency_p50_ms"], found["cost_usd"], found["models"]) == (20, 0.75, ["m"])
    # Confidences .9 right, .7 .3 .2 .1 wrong, each alone in its bin.
    assert found["ece"] == pytest.approx((0.1 + 0.7 + 0.3 + 0.2 + 0.1) / 5)
    assert found["risk_coverage"][0] == [0.2, 0.0]


def test_no_outcomes_make_no_figures() -> None:
    assert report.figures([])["recall_at_1"] is None
    assert "– |" in report.markdown("none", [{"name": "a", **report.figures([])}])


def test_the_table_and_the_plot_hold_names_as_text() -> None:
    name = 'a|b <script>alert(1)</script> & "c"'
    results = [{"name": name, **report.figures([one.as_json() for one in OUTCOMES])}]
    table = report.markdown(name, results)
    assert "<script>" not in table
    assert "a\\|b" in table
    drawn = plot.svg(name, results)
    assert "<script>" not in drawn
    root = ElementTree.fromstring(drawn)
    assert len(root.findall(".//{*}path[@stroke-width='2']")) == 2


def test_a_comparison_says_what_got_better_and_worse() -> None:
    right, further, wrong = (one.as_json() for one in OUTCOMES[:3])
    pairs = {"up": (wrong, right), "down": (right, wrong), "same": (right, right), "nearer": (wrong, further)}
    assert report.compared(pairs) == {"better": ["up", "nearer"], "worse": ["down"], "same": ["same"]}
