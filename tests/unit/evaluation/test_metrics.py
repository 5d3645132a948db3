"""Measures against values that were computed by hand."""

import math

import pytest

from pipelines.evaluation import metrics


def test_recall_and_mrr_of_ranks() -> None:
    ranks = [1, 3, None, 2]
    assert metrics.recall_at(ranks, 1) == 0.25
    assert metrics.recall_at(ranks, 2) == 0.5
    assert metrics.recall_at(ranks, 3) == 0.75
    assert metrics.mrr(ranks) == pytest.approx((1 + 1 / 3 + 0 + 1 / 2) / 4)
    assert metrics.recall_at([], 1) is None
    assert metrics.mrr([]) is None


def test_ndcg_discounts_by_the_logarithm_of_the_rank() -> None:
    assert metrics.ndcg([1]) == 1
    assert metrics.ndcg([2]) == pytest.approx(1 / math.log2(3))  # 0.6309
    assert metrics.ndcg([10]) == pytest.approx(1 / math.log2(11))
    assert metrics.ndcg([11]) == 0
    assert metrics.ndcg([None]) == 0
    ideal = 1 + 1 / math.log2(3)
    assert metrics.ndcg([1, 4], 2) == pytest.approx((1 + 1 / math.log2(5)) / ideal)


def test_answers_are_compared_as_squad_does() -> None:
    assert metrics.normalised("The  Great-Wall, of: “China”!") == "great wall of china"
    assert metrics.exact_match("the Eiffel Tower.", ["Big Ben", "Eiffel tower"])
    assert not metrics.exact_match("Eiffel Tower in Paris", ["Eiffel Tower"])
    # Two of three words said are right, two of two right ones said: precision 2/3, recall 1.
    assert metrics.f1("tall Eiffel Tower", ["Eiffel Tower"]) == pytest.approx(0.8)
    assert metrics.f1("one one two", ["one two two"]) == pytest.approx(2 / 3)
    assert metrics.f1("nothing", ["Eiffel Tower"]) == 0
    assert metrics.f1("", ["x"]) == 0


def test_a_right_answer_stands_inside_as_whole_words() -> None:
    assert metrics.holds("It costs 900 euros a year.", ["900 Euros"])
    assert not metrics.holds("It costs 1900 euros.", ["900 euros"])
    assert not metrics.holds("anything", [""])
    assert metrics.holds("In Größe XL, ÜBERALL", ["überall"])


def test_calibration_error_weighs_each_bin() -> None:
    # Bin 0.9–1.0: two of confidence 0.95, one right: |0.95 - 0.5| = 0.45. Bin 0.2: one of 0.2, none right: 0.2.
    error = metrics.expected_calibration_error([0.95, 0.95, 0.2], [True, False, False])
    assert error == pytest.approx((2 * 0.45 + 1 * 0.2) / 3)
    assert metrics.expected_calibration_error([1.0], [True]) == 0
    assert metrics.expected_calibration_error([], []) is None


def test_risk_over_coverage() -> None:
    points = metrics.risk_coverage([0.9, 0.8, 0.8, 0.1], [True, False, True, False])
    assert points == [(0.25, 0.0), (0.75, 1 / 3), (1.0, 0.5)]
    assert metrics.area_under(points) == pytest.approx(0.5 / 3 + 0.25 * 0.5)
    assert metrics.area_under([]) is None


def test_percentiles_are_interpolated() -> None:
    assert metrics.percentile([4, 1, 2, 3], 50) == 2.5
    assert metrics.percentile([1, 2, 3, 4, 5], 95) == pytest.approx(4.8)
    assert metrics.percentile([7], 95) == 7
    assert metrics.percentile([], 50) is None
