"""What each candidate may spend of the 5 %: most for the first on a test window, the rest shared by all that follow."""

from __future__ import annotations

from training.gate.rule import ALPHA

FIRST = 0.03
"""The first candidate's share: high enough that 1,000 flagged leads prove five points, and low enough that a model two
points under the threshold passes one time in a hundred at most (from about 100 flagged leads on)."""


def alpha_of(place: int) -> float:
    """How often the bound that passes the ``place``-th candidate may be wrong.

    0.03, then 0.02 / (k (k - 1)) for the k-th: the sum over however many candidates stays below 0.05, so some false
    one among them is let through at most so often (the union bound needs no independence).
    """
    return FIRST if place == 1 else (ALPHA - FIRST) / (place * (place - 1))
