"""What a champion's calibration was on the rows that judged it: what later outcomes are held against.

A model fitted on finitely many rows has no slope of exactly 1, and its probabilities are not exactly true. What it was
on rows it never learned from, with the error of that, is what "nothing has changed" means.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from leadlight.model.margins import FloatArray, sigmoid
from training.calibrate import Labels, shift_of
from training.evaluate import recalibration

Names = npt.NDArray[np.object_]

KEY = "as_judged"
"""Where a certificate's findings have it."""
FEWEST_FOR_SLOPE = 20


@dataclass(frozen=True)
class Found:
    """An estimate with its standard error."""

    value: float
    error: float


TRUE = Found(0.0, 0.0)
"""The shift of probabilities that are right, surely."""


@dataclass(frozen=True)
class AsJudged:
    """By how many log-odds probabilities were too low, as a whole and by grade, and their slope; one row a lead.

    ``slope`` is ``None`` with fewer than 20 leads of either outcome; a grade that no lead had is not in ``grades``.
    """

    leads: int
    converted: int
    shift: Found
    slope: Found | None
    grades: Mapping[str, Found]

    @classmethod
    def of(cls, margins: FloatArray, labels: Labels, grades: Names) -> AsJudged:
        """What these leads say."""
        shifts = {grade: (margins[grades == grade], labels[grades == grade]) for grade in sorted(set(grades.tolist()))}
        return cls(
            leads=len(labels),
            converted=int(labels.sum(dtype=np.int64)),
            shift=Found(*shift_of(margins, labels)),
            slope=slope_of(margins, labels),
            grades={grade: Found(*shift_of(*of_grade)) for grade, of_grade in shifts.items()},
        )

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> AsJudged:
        """From what ``to_json`` gave."""
        slope = found["slope"]
        return cls(
            leads=found["leads"],
            converted=found["converted"],
            shift=Found(**found["shift"]),
            slope=None if slope is None else Found(**slope),
            grades={grade: Found(**of) for grade, of in found["grades"].items()},
        )

    def to_json(self) -> dict[str, Any]:
        """As certificate and verdict have it."""
        return asdict(self)

    def followed(self, error: float) -> AsJudged:
        """The same of a model whose offset has followed outcomes since, with that standard ``error``.

        The level is held to be right, as far as the move could know it; a move does not change the slope, nor by how
        much a grade is off the whole. Var(grade - whole) = Var(grade) - Var(whole), for the grade is a part of it.
        """
        grades = {
            grade: Found(of.value - self.shift.value, math.sqrt(max(of.error**2 - self.shift.error**2, 0.0) + error**2))
            for grade, of in self.grades.items()
        }
        return replace(self, shift=Found(0.0, error), grades=grades)


def slope_of(margins: FloatArray, labels: Labels) -> Found | None:
    """Cox's calibration slope: under 1 where margins are too bold; ``None`` if so few outcomes cannot tell."""
    converted = int(labels.sum(dtype=np.int64))
    if min(converted, len(labels) - converted) < FEWEST_FOR_SLOPE:
        return None
    level, slope = recalibration(labels, sigmoid(margins), with_slope=True)
    if not math.isfinite(slope):
        return None
    _, known = score(level + slope * margins, margins, labels)
    return Found(slope, known**-0.5)


def score(fitted: FloatArray, margins: FloatArray, labels: Labels) -> tuple[float, float]:
    """The score of the slope of ``margins`` at ``fitted`` ones, the level being fitted too, and its information."""
    said = sigmoid(fitted)
    weight = said * (1.0 - said)
    centred = margins - np.average(margins, weights=weight)
    return float(np.sum((labels - said) * centred)), float(np.sum(weight * centred**2))
