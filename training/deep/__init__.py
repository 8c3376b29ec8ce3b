"""What only refits can tell: what each group of features earns, how stable a fit is, and how a model ages.

``report``     all three, as one answer
``ablation``   the loss without each group of features
``stability``  the same rows, other seeds
``ageing``     the same test, models that stopped learning earlier

A refit is a function from training rows and a seed to a function from rows to probabilities.
"""

from training.deep.ablation import Earning, ablation
from training.deep.ageing import Age, Ageing, ageing
from training.deep.refit import Predict, Refit
from training.deep.report import Deep, deep
from training.deep.stability import Stability, stability

__all__ = [
    "Age",
    "Ageing",
    "Deep",
    "Earning",
    "Predict",
    "Refit",
    "Stability",
    "ablation",
    "ageing",
    "deep",
    "stability",
]
