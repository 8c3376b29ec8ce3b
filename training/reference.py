"""How the training rows were distributed: what later rows are compared with to see drift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from leadlight.model.encoder import Encoder
from leadlight.model.margins import FloatArray

DECILES = np.arange(11) / 10


def distributions(rows: pd.DataFrame, encoder: Encoder, probabilities: FloatArray) -> dict[str, Any]:
    """For each column its share of missing values and its deciles or level counts; and the deciles of probability.

    Beside deciles stand ``counts``: how many values are up to each distinct one of the inner nine, and above all.
    """
    columns = {name: _column(rows[name], encoder.levels) for name in encoder.columns}
    return {"columns": columns, "probability": _deciles(probabilities), "rows": len(rows)}


def _column(values: pd.Series[Any], levels: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    present = values.dropna()
    missing = 1.0 - len(present) / len(values)
    if values.name not in levels:
        return {**spread(present.to_numpy(dtype=np.float64)), "missing": missing}
    counts = present.value_counts()
    known = {level: int(counts.get(level, 0)) for level in levels[str(values.name)]}
    return {"levels": known, "missing": missing, "rare": len(present) - sum(known.values())}


def spread(values: FloatArray) -> dict[str, Any]:
    """Deciles of numbers, and how many lie up to each distinct inner one and above the last."""
    deciles = _deciles(values)
    return {"counts": binned(values, deciles), "deciles": deciles}


def binned(values: FloatArray, deciles: list[float]) -> list[int]:
    """How many values lie up to each distinct inner decile, beyond the one before it, and how many above the last."""
    edges = np.unique(deciles[1:-1])
    counts: list[int] = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1).tolist()
    return counts


def _deciles(values: FloatArray) -> list[float]:
    """Values at each tenth, from the least to the greatest; none where there is no value."""
    return np.quantile(values, DECILES, method="inverted_cdf").tolist() if len(values) else []
