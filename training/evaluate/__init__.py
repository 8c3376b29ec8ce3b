"""What a model is worth on rows it has not seen: metrics with intervals that know which rows belong together.

``rows``         rows with outcome and probability
``clusters``     errors over leads and days at once, and how leads or days are drawn
``calibration``  by how much probabilities are off, and the error that true ones show
``measure``      every metric under many weightings
``evaluation``   metrics with intervals, whole and by slice
``differences``  two models on the same rows

Knows no model and no gate.
"""

from training.evaluate.calibration import noise_floor, recalibration
from training.evaluate.differences import Difference, loss_difference
from training.evaluate.evaluation import Evaluation, Metric, by_slice, evaluate
from training.evaluate.rows import Flags, Labels, Names, Scored, log_losses, log_odds, mass_bins

__all__ = [
    "Difference",
    "Evaluation",
    "Flags",
    "Labels",
    "Metric",
    "Names",
    "Scored",
    "by_slice",
    "evaluate",
    "log_losses",
    "log_odds",
    "loss_difference",
    "mass_bins",
    "noise_floor",
    "recalibration",
]
