"""What each group of features earns: how much higher the log loss is once the model is fitted anew without it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from leadlight.model.margins import FloatArray, IntArray
from training.dataset import Dataset
from training.deep.refit import Refit, scored
from training.evaluate import loss_difference
from training.rivals import base_rate

SURE = 1.96


@dataclass(frozen=True)
class Earning:
    """The group's columns, the log loss that it saves a row, its clustered error, and that as a share of the loss."""

    group: str
    columns: int
    earned: float
    error: float
    share: float

    @property
    def sure(self) -> bool:
        """Whether it earns, or costs, more than noise."""
        return abs(self.earned) > SURE * self.error


def ablation(
    learned: Dataset, test: Dataset, whole: FloatArray, day: IntArray, *, refit: Refit, seed: int
) -> tuple[Earning, ...]:
    """Every reason group, those that earn most first; ``whole`` is what the model with all groups says of the test.

    Groups that tell the same story stand in for one another: each then earns little, and both together much.
    """
    groups: dict[str, set[str]] = {}
    for column in learned.columns:
        groups.setdefault(column.group, set()).add(column.name)
    earnings = []
    for group, names in groups.items():
        rest = _without(learned, names)
        p = refit(rest, seed)(_without(test, names).X) if rest.columns else base_rate(learned, len(test.y))
        gap = loss_difference(scored(test, np.asarray(p), day), whole)
        earnings.append(Earning(group, len(names), gap.mean, gap.error, gap.mean / gap.other if gap.other else 0.0))
    return tuple(sorted(earnings, key=lambda earning: (-earning.earned, earning.group)))


def _without(rows: Dataset, names: set[str]) -> Dataset:
    columns = tuple(column for column in rows.columns if column.name not in names)
    return replace(rows, columns=columns, X=rows.X[[column.name for column in columns]])
