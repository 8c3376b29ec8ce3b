"""What outcomes say beside calibration: how late they come, who was right, and what the choice of leads hid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from leadlight.model.margins import FloatArray, IntArray
from leadlight.schema import Micros
from training.evaluate import log_losses
from training.evaluate.clusters import mean_error
from training.monitor.findings import Check

Labels = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]

FEWEST = 50
LATE = 0.01
"""The share of outcomes that may come later than the site declares before labels are not to be trusted."""


@dataclass(frozen=True)
class Delays:
    """How long after it happened an outcome arrived (µs), and the share that came later than the site declares."""

    outcomes: int
    median: Micros
    most: Micros  # 95 of 100 had come by then
    late: float


@dataclass(frozen=True)
class Challenge:
    """Champion and challenger on the same leads: ``difference`` is the challenger's log loss less the champion's."""

    version: str
    leads: int
    converted: int
    difference: float
    lower: float
    upper: float
    champion_auc: float | None
    challenger_auc: float | None


@dataclass(frozen=True)
class Corrected:
    """What holds for all leads, had sales called them all, from those called: flagged ones and ones drawn to explore.

    ``promised`` and ``observed`` are mean probability and rate over all leads; ``recall`` is of the conversions that
    calls to everybody would have found; errors are standard ones.
    """

    flagged: int
    explored: int
    promised: float
    observed: float
    observed_error: float
    recall: float | None
    recall_error: float | None


def label_delays(delays: npt.NDArray[np.int64], *, declared: Micros) -> tuple[Delays | None, list[Check]]:
    """How late outcomes arrived, and whether more than one in a hundred came after the ``declared`` delay."""
    if len(delays) == 0:
        return None, []
    late = int((delays > declared).sum())
    median, most = np.quantile(delays, [0.5, 0.95], method="inverted_cdf")
    found = Delays(len(delays), int(median), int(most), late / len(delays))
    p = float(binomtest(late, len(delays), LATE, alternative="greater").pvalue)
    words = (
        f"{late} of {len(delays)} outcomes arrived later than outcome_delay: labels were taken before they were ripe"
    )
    advice = "look at source of the outcomes, or raise outcome_delay and retrain"
    return found, [Check("delay", "outcomes", p, found.late, found.late > LATE, words, advice)]


def challenge(
    version: str, champion: FloatArray, challenger: FloatArray, labels: Labels, *, day: IntArray
) -> Challenge | None:
    """The paired difference with its 95 % interval, one row a lead; ``None`` with fewer than 50 leads.

    Leads of one local ``day`` share what it brought, so errors are clustered by days too.
    """
    if len(labels) < FEWEST:
        return None
    gaps = log_losses(labels, challenger) - log_losses(labels, champion)
    error = mean_error(gaps, np.arange(len(gaps)), day)
    both = 0 < labels.sum() < len(labels)
    return Challenge(
        version=version,
        leads=len(labels),
        converted=int(labels.sum(dtype=np.int64)),
        difference=float(gaps.mean()),
        lower=float(gaps.mean()) - 1.96 * error,
        upper=float(gaps.mean()) + 1.96 * error,
        champion_auc=float(roc_auc_score(labels, champion)) if both else None,
        challenger_auc=float(roc_auc_score(labels, challenger)) if both else None,
    )


def corrected(
    promised: FloatArray, labels: Labels, *, flagged: Flags, explored: Flags, chance: FloatArray
) -> Corrected | None:
    """Inverse probability weights: a flagged lead stands for itself, an explored one for 1 / its ``chance``.

    Leads that were neither say nothing of what a call would have done. ``None`` without an explored lead. Errors are
    those of Hajek's ratio estimator, the weights being known.
    """
    drawn = explored & ~flagged & (chance > 0)
    if not drawn.any():
        return None
    weight = np.where(flagged, 1.0, np.where(drawn, 1.0 / np.where(drawn, chance, 1.0), 0.0))
    hit = weight * labels.astype(np.float64)
    observed, error = _ratio(hit, weight)
    recall, recall_error = _ratio(hit * flagged, hit) if hit.sum() > 0 else (None, None)
    return Corrected(
        flagged=int(flagged.sum()),
        explored=int(drawn.sum()),
        promised=float(promised.mean()),
        observed=observed,
        observed_error=error,
        recall=recall,
        recall_error=recall_error,
    )


def _ratio(above: FloatArray, below: FloatArray) -> tuple[float, float]:
    """A ratio of weighted sums over leads, with its linearised standard error."""
    total = float(below.sum())
    value = float(above.sum()) / total
    return value, float(np.sqrt(np.sum((above - value * below) ** 2))) / total
