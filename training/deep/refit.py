"""What the deep looks share: how rows are learned from, and how another model's rows are compared with ours."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from leadlight.model.margins import FloatArray, IntArray
from training.dataset import Dataset
from training.evaluate import Scored

Predict = Callable[[pd.DataFrame], FloatArray]
Refit = Callable[[Dataset, int], Predict]


def scored(test: Dataset, p: FloatArray, day: IntArray) -> Scored:
    """The test rows as some model sees them; nobody is flagged, for losses are compared."""
    return Scored.of(test.lead_id, test.y, p, threshold=2.0, day=day)
