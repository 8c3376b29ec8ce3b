"""A probability's interval: the pair of an inductive Venn-Abers predictor, kept as a small step table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from leadlight.model.margins import FloatArray


@dataclass(frozen=True, eq=False)
class Interval:
    """Steps over the margin: step i holds margins up to ``edges[i]``, the last step all above.

    ``low`` and ``high`` are the calibrated probabilities a lead of that step would have, were it known not to convert
    and to convert (Vovk, Petej and Fedorova, Large-scale probabilistic predictors with and without guarantees of
    validity, NeurIPS 2015).
    """

    edges: FloatArray
    low: FloatArray
    high: FloatArray

    def around(self, probabilities: FloatArray, margins: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The hull of each row's pair and its probability."""
        steps = np.searchsorted(self.edges, margins)
        return np.minimum(self.low[steps], probabilities), np.maximum(self.high[steps], probabilities)

    def to_json(self) -> dict[str, Any]:
        """A document that ``from_json`` reads back to the same bits."""
        return {"edges": self.edges.tolist(), "high": self.high.tolist(), "low": self.low.tolist()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        return cls(**{name: np.array(document[name], dtype=np.float64) for name in ("edges", "low", "high")})
