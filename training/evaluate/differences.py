"""Two opinions on the same rows, compared row by row: what they share of luck and of hard leads drops out."""

from __future__ import annotations

from dataclasses import dataclass

from leadlight.model.margins import FloatArray
from training.evaluate.clusters import mean_error
from training.evaluate.rows import Scored, log_losses


@dataclass(frozen=True)
class Difference:
    """Mean log loss of a model less another's on the same rows: below zero is better; errors clustered two ways."""

    mean: float
    error: float
    other: float


def loss_difference(rows: Scored, other: FloatArray) -> Difference:
    """How much lower or higher the log loss of ``rows`` is than that of the probabilities ``other``."""
    theirs = log_losses(rows.y, other)
    gaps = log_losses(rows.y, rows.p) - theirs
    return Difference(float(gaps.mean()), mean_error(gaps, rows.lead, rows.day), float(theirs.mean()))
