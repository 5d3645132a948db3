"""Curves through outcomes: a logistic fit, what it is worth, and what refusing costs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ITERATIONS = 40
RIDGE = 1.0
"""How strongly a coefficient of a standardised feature is held near 0."""

BINS = 10

Values = NDArray[np.float64]


def logistic(features: Values, outcomes: Values, weights: Values, ridge: float = RIDGE) -> tuple[float, Values]:
    """Return intercept and coefficients of the logistic curve through weighted `outcomes` (0 or 1).

    `features` has shape (outcomes, features). Newton's method on standardised features.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread[spread == 0] = 1.0
    design = np.column_stack([np.ones(len(features)), (features - mean) / spread])
    held = np.eye(design.shape[1]) * ridge
    held[0, 0] = 1e-6
    fitted = np.zeros(design.shape[1])
    for _ in range(ITERATIONS):
        p = 1 / (1 + np.exp(-design @ fitted))
        hessian = design.T @ (design * (weights * p * (1 - p))[:, None]) + held
        fitted += np.linalg.solve(hessian, design.T @ (weights * (outcomes - p)) - held @ fitted)
    coefficients = fitted[1:] / spread
    return float(fitted[0] - coefficients @ mean), coefficients


def calibration_error(confidences: Values, outcomes: Values) -> float:
    """Return the expected calibration error in ten bins of equal width: 0 is perfect."""
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    return float(
        sum(
            (bins == number).mean() * abs(confidences[bins == number].mean() - outcomes[bins == number].mean())
            for number in np.unique(bins)
        )
    )


def separation(wanted: Values, unwanted: Values) -> float:
    """Return how often one of `wanted` is above one of `unwanted`: the area under the ROC curve."""
    above = (wanted[:, None] > unwanted[None, :]).mean()
    return float(above + (wanted[:, None] == unwanted[None, :]).mean() / 2)


def risk_area(confidences: Values, outcomes: Values) -> float:
    """Return the area under the risk–coverage curve: the mean share of wrong answers over all coverages."""
    right = outcomes[np.argsort(-confidences, kind="stable")]
    answered = np.arange(1, len(right) + 1)
    return float(((answered - np.cumsum(right)) / answered).mean())


def refusals(cuts: Sequence[float], confidences: Values) -> list[float]:
    """Return the share below each cut."""
    return [float((confidences < cut).mean()) for cut in cuts]
