"""Margins (log-odds) and the probabilities they stand for."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


def sigmoid(margins: FloatArray) -> FloatArray:
    """The probability of each margin; a row's answer never depends on the rows beside it."""
    # numpy's own exp picks its code by processor and position; the C library's is one function for every row
    shrunk = np.array([math.exp(-abs(margin)) for margin in margins.tolist()], dtype=np.float64)
    return np.where(margins >= 0, 1.0 / (1.0 + shrunk), shrunk / (1.0 + shrunk))


def logit(probability: float) -> float:
    """The margin of a probability strictly between 0 and 1."""
    return math.log(probability) - math.log1p(-probability)


def running_sum(start: float, terms: FloatArray) -> FloatArray:
    """``start`` plus each row's terms, added strictly from left to right, so one row and a million agree to the bit."""
    if terms.shape[1] == 0:
        return np.full(len(terms), start)
    return start + np.cumsum(terms, axis=1)[:, -1]
