"""A logistic regression some of whose numbers may only raise, or only lower, the score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import fmin_l_bfgs_b

from leadlight.model.margins import FloatArray, logit

Directions = Mapping[str, int]
"""1 for a column that may only raise the score, -1 for one that may only lower it; others are not named."""

MOST_STEPS = 2000
CLOSE = 1e-8  # the slope of the mean loss at which the search ends


@dataclass(frozen=True)
class Slopes:
    """One number's coefficients by their place: its own, then those of its hinges, from the lowest knot up."""

    places: tuple[int, ...]
    direction: int


def fit_directed(
    columns: FloatArray,
    labels: npt.NDArray[np.int8],
    weights: FloatArray,
    strengths: Iterable[float],
    slopes: Sequence[Slopes],
) -> Iterator[tuple[FloatArray, float]]:
    """Coefficients and intercept for each strength: as scikit-learn's logistic regression, but for the directions.

    Between two knots the slope is the number's coefficient plus those of the hinges below: these sums, not the
    coefficients, are what is searched, each with its direction's sign. The penalty stays on the coefficients.
    """
    turn = _from_sums(columns.shape[1], slopes)
    seen, penalty = columns @ turn, turn.T @ turn
    signs = {place: each.direction for each in slopes for place in each.places}
    bounds = [_bounds(signs.get(place, 0)) for place in range(columns.shape[1])] + [(None, None)]
    total = float(weights.sum())
    found = np.zeros(columns.shape[1] + 1)
    found[-1] = logit((float(weights @ labels) + 0.5) / (total + 1.0))
    for strength in strengths:

        def loss(at: FloatArray, strength: float = strength) -> tuple[float, FloatArray]:
            margins = seen @ at[:-1] + at[-1]
            pulled = penalty @ at[:-1]
            missed = float(weights @ (np.logaddexp(0.0, margins) - labels * margins))
            held = float(at[:-1] @ pulled) / (2 * strength)
            miss = weights * (1.0 / (1.0 + np.exp(-np.clip(margins, -500, 500))) - labels)
            return (missed + held) / total, np.append(seen.T @ miss + pulled / strength, miss.sum()) / total

        found = fmin_l_bfgs_b(loss, found, bounds=bounds, m=20, factr=10.0, pgtol=CLOSE, maxiter=MOST_STEPS)[0]
        yield turn @ found[:-1], float(found[-1])


def _from_sums(width: int, slopes: Sequence[Slopes]) -> FloatArray:
    """The matrix that turns sums of slopes into coefficients: each is its sum less the one before."""
    turn = np.eye(width)
    for each in slopes:
        for before, place in zip(each.places, each.places[1:], strict=False):
            turn[place, before] = -1.0
    return turn


def _bounds(direction: int) -> tuple[float | None, float | None]:
    return (0.0 if direction > 0 else None, 0.0 if direction < 0 else None)
