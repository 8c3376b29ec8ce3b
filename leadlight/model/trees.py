"""The tree part: the mean of a few LightGBM boosters. The door through which LightGBM is used to predict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import lightgbm as lgb
import numpy as np

from leadlight.model.margins import FloatArray


@dataclass(frozen=True, eq=False)
class TreePart:
    """``base`` plus one contribution a column, each the mean over the boosters; no boosters add nothing.

    ``texts`` are the boosters as LightGBM writes them: what a bundle holds and what is evaluated are the same.
    """

    texts: tuple[str, ...]
    boosters: tuple[lgb.Booster, ...]
    base: float

    @classmethod
    def of(cls, texts: tuple[str, ...], *, columns: int) -> Self:
        """The part that these texts describe, over vectors of so many columns."""
        boosters = tuple(lgb.Booster(model_str=text) for text in texts)
        blank = np.zeros((1, columns))
        base = _mean([_explain(booster, blank, threads=1)[:, -1] for booster in boosters], shape=(1,))
        return cls(texts=texts, boosters=boosters, base=float(base[0]))

    def margin(self, matrix: FloatArray, *, threads: int) -> FloatArray:
        """The mean margin of each row."""
        margins = [_predict(booster, matrix, threads=threads) for booster in self.boosters]
        return _mean(margins, shape=(len(matrix),))

    def contributions(self, matrix: FloatArray, *, threads: int) -> FloatArray:
        """What each column adds to the base (rows x columns): path-dependent TreeSHAP, as LightGBM computes it."""
        parts = [_explain(booster, matrix, threads=threads)[:, :-1] for booster in self.boosters]
        return _mean(parts, shape=matrix.shape)


def _predict(booster: lgb.Booster, matrix: FloatArray, *, threads: int) -> FloatArray:
    if len(matrix) == 0:
        return np.empty(0)
    return np.asarray(booster.predict(matrix, raw_score=True, num_threads=threads), dtype=np.float64)


def _explain(booster: lgb.Booster, matrix: FloatArray, *, threads: int) -> FloatArray:
    if len(matrix) == 0:
        return np.empty((0, matrix.shape[1] + 1))
    return np.asarray(booster.predict(matrix, pred_contrib=True, num_threads=threads), dtype=np.float64)


def _mean(parts: list[FloatArray], *, shape: tuple[int, ...]) -> FloatArray:
    total = np.zeros(shape)
    for part in parts:
        total += part
    return total / max(len(parts), 1)
