"""Whether what was promised came true, on leads whose outcome is known: as a whole, in slope, and by grade.

Held against what the champion was when it was judged: see ``AsJudged``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest, norm

from leadlight.model.margins import FloatArray, sigmoid
from training.as_judged import AsJudged, Found, score, slope_of
from training.calibrate import shift_of
from training.evaluate import log_odds, mass_bins, noise_floor, recalibration
from training.monitor.counts import count_p
from training.monitor.findings import Check

Labels = npt.NDArray[np.int8]
Names = npt.NDArray[np.object_]

FEWEST = 50
FEWEST_POSITIVES = 5
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


def calibration(
    margins: FloatArray, labels: Labels, *, judged: AsJudged, seed: int
) -> tuple[Calibration | None, list[Check]]:
    """How margins compare with outcomes, one row a lead; ``None`` with fewer than 50 leads or 5 of either outcome.

    The checks ask what has changed since the champion was ``judged``.
    """
    converted = int(labels.sum(dtype=np.int64))
    if len(labels) < FEWEST or min(converted, len(labels) - converted) < FEWEST_POSITIVES:
        return None, []
    promised = sigmoid(margins)
    shift, error = shift_of(margins, labels)
    slope = slope_of(margins, labels)
    found = Calibration(
        leads=len(labels),
        converted=converted,
        promised=float(promised.sum()),
        shift=shift,
        shift_error=error,
        slope=None if slope is None else slope.value,
        error=float(np.abs((promised - labels) @ mass_bins(promised)).sum() / len(labels)),
        noise_floor=noise_floor(promised, seed=seed),
    )
    checks = [_level_check(found, margins, judged.shift)]
    if slope is not None and judged.slope is not None:
        checks.append(_slope_check(slope, margins, labels, judged.slope))
    return found, checks


def promises(
    promised: FloatArray, grades: Names, labels: Labels, *, judged: AsJudged
) -> tuple[list[Promise], list[Check]]:
    """What each grade promised and what came of it, one row a lead.

    Checks of grades with 50 leads or more that had a lead when the champion was ``judged``.
    """
    found, checks = [], []
    for grade in sorted(set(grades.tolist())):
        of_grade = grades == grade
        hits, leads = int(labels[of_grade].sum(dtype=np.int64)), int(of_grade.sum())
        mean = float(promised[of_grade].mean())
        interval = binomtest(hits, leads).proportion_ci(0.95)
        promise = Promise(grade, leads, hits, mean, hits / leads, float(interval.low), float(interval.high))
        found.append(promise)
        if leads >= FEWEST and grade in judged.grades:
            checks.append(_promise_check(promise, log_odds(promised[of_grade]), judged.grades[grade]))
    return found, checks


def _promise_check(promise: Promise, margins: FloatArray, judged: Found) -> Check:
    as_then = float(sigmoid(margins + judged.value).mean())
    matters = abs(promise.observed - as_then) >= MATERIAL_SHIFT * as_then
    words = (
        f"grade {promise.grade}: {promise.observed:.1%} of {promise.leads} leads converted, {promise.promised:.1%} were"
        f" promised, {as_then:.1%} would be as when it was judged"
    )
    p = count_p(margins, promise.converted, known=judged)
    effect = promise.observed - as_then
    return Check("promise", f"grade {promise.grade}", p, effect, matters, words, "recalibrate")


def _level_check(found: Calibration, margins: FloatArray, judged: Found) -> Check:
    as_then = float(sigmoid(margins + judged.value).sum())
    words = (
        f"{found.converted} of {found.leads} leads converted, {found.promised:.1f} were promised,"
        f" {as_then:.1f} would be as when it was judged"
    )
    p = count_p(margins, found.converted, known=judged)
    effect = found.shift - judged.value
    return Check("calibration", "base rate", p, effect, abs(effect) >= MATERIAL_SHIFT, words, "recalibrate")


def _slope_check(slope: Found, margins: FloatArray, labels: Labels, judged: Found) -> Check:
    effect = slope.value - judged.value
    words = (
        f"probabilities have become too {'bold' if effect < 0 else 'timid'}: slope {slope.value:.2f},"
        f" {judged.value:.2f} when it was judged"
    )
    p = _slope_p(slope, margins, labels, judged)
    return Check("calibration", "slope", p, effect, abs(effect) >= MATERIAL_SLOPE, words, "retrain")


def _slope_p(slope: Found, margins: FloatArray, labels: Labels, judged: Found) -> float:
    """The score test of the slope that is likeliest after both, and how far that is from the judged one.

    The level is fitted, and one that is surely known stays: then it is the score test of that slope alone.
    """
    share = judged.error**2 / (judged.error**2 + slope.error**2)
    between = judged.value + share * (slope.value - judged.value)
    level, _ = recalibration(labels, sigmoid(between * margins), with_slope=False)
    raised, known = score(level + between * margins, margins, labels)
    moved = (between - judged.value) / judged.error if judged.error > 0.0 else 0.0
    return float(2.0 * norm.sf(np.hypot(raised / np.sqrt(known), moved)))
