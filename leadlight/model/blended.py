"""The whole model: an offset plus a weighted sum of parts in log-odds, explained exactly column by column."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from leadlight.model.encoder import Columns, Encoder
from leadlight.model.interval import Interval
from leadlight.model.linear import LinearPart
from leadlight.model.margins import FloatArray, sigmoid
from leadlight.model.points import PointsPart
from leadlight.model.trees import TreePart

Rung = Literal["base_rate", "scorecard", "logistic", "blend", "trees"]
RUNGS: dict[Rung, str] = {
    "base_rate": "the base rate: too few outcomes to learn from, and no points table",
    "scorecard": "the site's points table: too few outcomes to learn from",
    "logistic": "a shrunken logistic regression",
    "blend": "a blend of LightGBM and a shrunken logistic regression",
    "trees": "LightGBM",
}


@dataclass(frozen=True, eq=False)
class Scores:
    """What a model says of some rows: ``base`` + the sum of a row's contributions = its raw margin (to 1e-9)."""

    columns: tuple[str, ...]
    groups: tuple[str, ...]
    base: float
    raw: FloatArray
    probability: FloatArray
    low: FloatArray
    high: FloatArray
    contributions: FloatArray


@dataclass(frozen=True, eq=False)
class Model:
    """offset + weight x trees + (1 - weight) x linear; ``groups`` names each column's reason group.

    Where there were too few outcomes to learn from, a site's points table stands in the linear part's place.
    """

    encoder: Encoder
    groups: tuple[str, ...]
    linear: LinearPart | PointsPart
    trees: TreePart
    weight: float
    offset: float
    interval: Interval

    @cached_property
    def rung(self) -> Rung:
        """How far up the ladder the evidence carried this model; ``trees`` is a blend that the folds left to them."""
        if self.trees.boosters and self.weight > 0:
            return "trees" if self.weight == 1 else "blend"
        if isinstance(self.linear, PointsPart):
            return "scorecard"
        return "logistic" if self.linear.slopes.any() or self.linear.effects.any() else "base_rate"

    @property
    def base(self) -> float:
        """The margin before any column has its say."""
        return self.offset + self.weight * self.trees.base + (1.0 - self.weight) * self.linear.base

    def margin(self, rows: Columns, *, threads: int = 1) -> FloatArray:
        """The raw margin of each row: what ``score`` gives, without the cost of explaining it."""
        matrix = self.encoder.encode(rows)
        return self._margin(self.encoder.for_trees(matrix), self.linear.contributions(matrix), threads=threads)

    def score(self, rows: Columns, *, threads: int = 1) -> Scores:
        """Probability, interval and contributions of each row; the same bits for one row as for many."""
        matrix = self.encoder.encode(rows)
        seen = self.encoder.for_trees(matrix)
        linear = self.linear.contributions(matrix)
        raw = self._margin(seen, linear, threads=threads)
        probability = sigmoid(raw)
        low, high = self.interval.around(probability, raw)
        return Scores(
            columns=self.encoder.columns,
            groups=self.groups,
            base=self.base,
            raw=raw,
            probability=probability,
            low=low,
            high=high,
            contributions=self.weight * self.trees.contributions(seen, threads=threads) + (1.0 - self.weight) * linear,
        )

    def _margin(self, seen: FloatArray, linear: FloatArray, *, threads: int) -> FloatArray:
        trees = self.trees.margin(seen, threads=threads)
        return self.offset + self.weight * trees + (1.0 - self.weight) * self.linear.margin(linear)
