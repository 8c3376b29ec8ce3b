"""What outcomes say beside calibration: how late they come, and which of two models was right."""

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
