"""How many of some rows there are among others, with bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadlight.model.margins import IntArray
from training.audit.ranking import Flags
from training.gate import clopper_pearson


@dataclass(frozen=True)
class Share:
    """A share of rows, with exact one-sided bounds on counts that are worth less where leads are seen twice."""

    rate: float
    lower: float
    upper: float
    words: str

    @classmethod
    def of(cls, hits: Flags, among: Flags, lead: IntArray, alpha: float) -> Share:
        """How many of the rows ``among`` are ``hits``; of no row, anything between nothing and all."""
        trials = np.bincount(lead[among])
        found = np.bincount(lead[among & hits], minlength=len(trials))
        rows, number = int(trials.sum()), int(found.sum())
        if rows == 0:
            return cls(0.0, 0.0, 1.0, "none")
        share = number / rows
        if number in {0, rows}:  # the variance says nothing: rows of one lead count as one
            effect = float(np.sum(trials**2)) / rows
        else:
            effect = max(1.0, float(np.sum((found - share * trials) ** 2)) / (rows * share * (1 - share)))
        lower, upper = clopper_pearson(number / effect, rows / effect, alpha=alpha)
        return cls(share, lower, upper, f"{number:,} of {rows:,}")
