"""How a model ages: the same later rows, scored by models that learned equally long and stopped ever earlier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from leadlight.model.margins import FloatArray, IntArray
from leadlight.schema import DAY
from training.audit import rank_auc
from training.dataset import Dataset
from training.deep.refit import Refit, scored
from training.evaluate import Flags, Labels, loss_difference

STEPS = 4
"""How many older models there are, spread evenly over half of the training period; each learns from the other half."""
FEWEST_ROWS = 50
FEWEST_WORSE = 2
ALPHA = 0.05


@dataclass(frozen=True)
class Age:
    """A model that stopped learning ``days`` before it could have, and its log loss above the freshest one's."""

    days: float
    rows: int
    positives: int
    log_loss: float
    auc: float | None
    loss_above_freshest: float
    error: float


@dataclass(frozen=True)
class Ageing:
    """The curve, freshest first, and the age from which on a model is worse than the freshest by more than noise."""

    ages: tuple[Age, ...]
    retrain_after_days: float | None


def ageing(learned: Dataset, test: Dataset, day: IntArray, *, refit: Refit, seed: int) -> Ageing:
    """Five models of half the training period each, so that age alone differs and not how much was learned from."""
    first, last = int(learned.as_of[0]), int(learned.as_of[-1])
    length = (last - first) // 2
    parts = [_between(learned, last - age - length, last - age) for age in _ages(length)]
    kept = [(age, part) for age, part in zip(_ages(length), parts, strict=True) if part.sum() >= FEWEST_ROWS]
    if not kept or kept[0][0] != 0:
        return Ageing((), None)
    said = [refit(learned.where(part), seed)(test.X) for _, part in kept]
    ages = tuple(
        _age(age / DAY, learned.y[part], test, p=p, freshest=said[0], day=day)
        for (age, part), p in zip(kept, said, strict=True)
    )
    return Ageing(ages, _worse_from(ages))


def _ages(length: int) -> list[int]:
    return [length * step // STEPS for step in range(STEPS + 1)]


def _between(rows: Dataset, after: int, until: int) -> Flags:
    return np.asarray((rows.as_of >= after) & (rows.as_of <= until))


def _age(days: float, labels: Labels, test: Dataset, *, p: FloatArray, freshest: FloatArray, day: IntArray) -> Age:
    gap = loss_difference(scored(test, p, day), freshest)
    both = 0 < test.y.sum() < len(test.y)
    return Age(
        days=round(days, 1),
        rows=len(labels),
        positives=int(labels.sum()),
        log_loss=gap.other + gap.mean,
        auc=rank_auc(p, test.y == 1) if both else None,
        loss_above_freshest=gap.mean,
        error=gap.error,
    )


def _worse_from(ages: tuple[Age, ...]) -> float | None:
    """The youngest age from which on every model is worse by more than noise, of at least two.

    Each is held to 5 % over their number. One alone may have learned from worse rows: that luck is not in its error.
    """
    beyond = float(norm.isf(ALPHA / STEPS))
    worse: list[float] = []
    for age in reversed(ages[1:]):
        if age.loss_above_freshest <= beyond * age.error:
            break
        worse.append(age.days)
    return worse[-1] if len(worse) >= FEWEST_WORSE else None
