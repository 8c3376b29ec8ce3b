"""Whether what was promised came true, on leads whose outcome is known: as a whole, in slope, and by grade."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest, norm, poisson_binom
from sklearn.linear_model import LogisticRegression

from leadlight.model.margins import FloatArray, sigmoid
from training.calibrate import shift_of
from training.evaluate import mass_bins, noise_floor
from training.monitor.findings import Check

Labels = npt.NDArray[np.int8]
Names = npt.NDArray[np.object_]

FEWEST = 50
FEWEST_POSITIVES = 5
FEWEST_FOR_SLOPE = 20
MATERIAL_SHIFT = 0.1
"""Log-odds: from 10 % to 11 %."""
MATERIAL_SLOPE = 0.2


@dataclass(frozen=True)
class Calibration:
    """Leads of known outcome: how many converted, how many should have, and what would make the two agree.

    ``shift`` is the log-odds that the promises are too low by, with its standard error; ``slope`` is under 1 where
    they are too bold (``None``: too few outcomes to tell). ``error`` is the calibration error, ``noise_floor`` what a
    perfect model would show on so few leads.
    """

    leads: int
    converted: int
    promised: float
    shift: float
    shift_error: float
    slope: float | None
    error: float
    noise_floor: float

    def to_json(self) -> dict[str, float | None]:
        return asdict(self)


@dataclass(frozen=True)
class Promise:
    """The leads of one grade: the mean probability they were given, and the share that converted (95 % interval)."""

    grade: str
    leads: int
    converted: int
    promised: float
    observed: float
    lower: float
    upper: float


def calibration(margins: FloatArray, labels: Labels, *, seed: int) -> tuple[Calibration | None, list[Check]]:
    """How margins compare with outcomes, one row a lead; ``None`` with fewer than 50 leads or 5 of either outcome."""
    converted = int(labels.sum(dtype=np.int64))
    if len(labels) < FEWEST or min(converted, len(labels) - converted) < FEWEST_POSITIVES:
        return None, []
    promised = sigmoid(margins)
    shift, error = shift_of(margins, labels)
    slope = _slope(margins, labels) if min(converted, len(labels) - converted) >= FEWEST_FOR_SLOPE else None
    found = Calibration(
        leads=len(labels),
        converted=converted,
        promised=float(promised.sum()),
        shift=shift,
        shift_error=error,
        slope=slope,
        error=float(np.abs((promised - labels) @ mass_bins(promised)).sum() / len(labels)),
        noise_floor=noise_floor(promised, seed=seed),
    )
    return found, list(_checks(found, margins, labels))


def promises(promised: FloatArray, grades: Names, labels: Labels) -> tuple[list[Promise], list[Check]]:
    """What each grade promised and what came of it, one row a lead; checks of grades with 50 leads or more."""
    found, checks = [], []
    for grade in sorted(set(grades.tolist())):
        of_grade = grades == grade
        hits, leads = int(labels[of_grade].sum(dtype=np.int64)), int(of_grade.sum())
        mean = float(promised[of_grade].mean())
        interval = binomtest(hits, leads).proportion_ci(0.95)
        found.append(Promise(grade, leads, hits, mean, hits / leads, float(interval.low), float(interval.high)))
        if leads >= FEWEST:
            matters = abs(hits / leads - mean) >= MATERIAL_SHIFT * mean
            words = f"grade {grade}: {hits / leads:.1%} of {leads} leads converted, {mean:.1%} were promised"
            p = exact_p(promised[of_grade], hits)
            checks.append(Check("promise", f"grade {grade}", p, hits / leads - mean, matters, words, "recalibrate"))
    return found, checks


def exact_p(probabilities: FloatArray, hits: int) -> float:
    """How often leads of these probabilities, all true, give a count as far out as ``hits``: twice the smaller tail."""
    counts = poisson_binom(np.clip(probabilities, 0.0, 1.0))
    return float(min(1.0, 2.0 * min(counts.cdf(hits), counts.sf(hits - 1))))


def _checks(found: Calibration, margins: FloatArray, labels: Labels) -> Iterator[Check]:
    words = f"{found.converted} of {found.leads} leads converted, {found.promised:.1f} were promised"
    p = exact_p(sigmoid(margins), found.converted)
    matters = abs(found.shift) >= MATERIAL_SHIFT
    yield Check("calibration", "base rate", p, found.shift, matters, words, "recalibrate")
    if found.slope is not None:
        matters = abs(found.slope - 1.0) >= MATERIAL_SLOPE
        words = f"probabilities are {'too bold' if found.slope < 1 else 'too timid'}: slope {found.slope:.2f}"
        p = _slope_p(margins + found.shift, labels)
        yield Check("calibration", "slope", p, found.slope - 1.0, matters, words, "retrain")


def _slope(margins: FloatArray, labels: Labels) -> float:
    """Cox's calibration slope."""
    fitted = LogisticRegression(C=np.inf, solver="newton-cholesky").fit(margins[:, None], labels)
    return float(fitted.coef_[0, 0])


def _slope_p(margins: FloatArray, labels: Labels) -> float:
    """The score test of a slope of 1, the level being fitted."""
    said = sigmoid(margins)
    weight = said * (1.0 - said)
    centred = margins - np.average(margins, weights=weight)
    spread = float(np.sum(weight * centred**2))
    if spread <= 0.0:
        return 1.0
    return float(2.0 * norm.sf(abs(float(np.sum((labels - said) * centred))) / np.sqrt(spread)))
