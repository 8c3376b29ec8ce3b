"""The rules of a card, from what a model says of its training rows: no outcome is looked at."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from leadlight.model.blended import Model
from leadlight.model.margins import FloatArray
from leadlight.settings import SiteError
from leadlight.settings.points import Condition, PointsRule, PointsTable

MOST_ROWS = 20_000
EXPLAINED = 2_000
STRONGEST = 12
MOST_RULES = 20
MOST_POINTS = 10
DECILES = np.arange(1, 10) / 10
FEWEST_SHARE = 0.02
THOUSAND = 1000
LEAST_GAIN = 0.002
"""A rule must explain so much more of the variance of what the model says to be worth a line."""


def learn_table(model: Model, rows: pd.DataFrame) -> PointsTable:
    """Up to 20 rules on the model's strongest columns whose points, -10 to 10, come closest to its log-odds.

    Rules are taken one by one, each the one that explains most of what is left, all weighed anew each time.
    """
    rows = _spread(rows, MOST_ROWS)
    margins = model.margin(rows)
    conditions = [each for name in _strongest(model, rows) for each in _conditions(rows[name], name)]
    held = np.array([_holds(rows[each.column], each) for each in conditions]).reshape(len(conditions), len(rows))
    chosen, weights = _pursue(held.astype(np.float64), margins)
    largest = float(np.abs(weights).max(initial=0.0))
    points = np.round(weights / largest * MOST_POINTS) if largest > 0 else weights
    given = [(conditions[place], float(each)) for place, each in zip(chosen, points, strict=True) if each]
    if not given:
        raise SiteError(["this model says the same of every lead, so no rule can follow it: train on more conversions"])
    order = list(dict.fromkeys(condition.column for condition, _ in given))
    given.sort(key=lambda each: order.index(each[0].column))
    return PointsTable(
        rule=tuple(PointsRule.model_construct(when=(when,), points=each, scale="") for when, each in given)
    )


def _spread(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most so many rows, evenly spread over time."""
    if len(rows) <= most:
        return rows
    return rows.iloc[np.linspace(0, len(rows) - 1, most).astype(np.intp)]


def _strongest(model: Model, rows: pd.DataFrame) -> list[str]:
    """The columns with the greatest mean contribution, strongest first."""
    scores = model.score(_spread(rows, EXPLAINED))
    strength = np.abs(scores.contributions - scores.contributions.mean(axis=0)).mean(axis=0)
    places = np.argsort(-strength, kind="stable")[:STRONGEST]
    return [scores.columns[place] for place in places if strength[place] > 0]


def _conditions(values: pd.Series, name: str) -> Iterator[Condition]:
    """What a rule on this column may ask, each of at least 2 % of the rows and not of nearly all."""
    if FEWEST_SHARE <= values.isna().mean() <= 1 - FEWEST_SHARE:
        yield Condition(name, "is missing")
    present = values.dropna()
    if values.dtype == object:
        counts = present.value_counts()
        frequent = sorted(str(level) for level, rows in counts.items() if rows >= FEWEST_SHARE * len(values))
        yield from (Condition(name, "==", level) for level in frequent if "'" not in level)
    elif len(present):
        numbers = present.to_numpy(dtype=np.float64)
        above = numbers[numbers > numbers.min()]
        cuts = [float(above.min())] if len(above) else []
        cuts += np.quantile(numbers, DECILES, method="nearest").tolist()
        for cut in sorted({_readable(each) for each in cuts}):
            if FEWEST_SHARE * len(values) <= (numbers >= cut).sum() < len(numbers):
                yield Condition(name, ">=", cut)


def _readable(number: float) -> float:
    """A number of three digits: what stands in the file is what was weighed."""
    return float(f"{number:.3g}") if abs(number) < THOUSAND else float(round(number))


def _holds(values: pd.Series, condition: Condition) -> np.ndarray:
    if condition.op == "is missing":
        return values.isna().to_numpy()
    if condition.op == "==":
        return (values == condition.value).to_numpy(dtype=np.bool_)
    return (values >= condition.value).to_numpy(dtype=np.bool_)


def _pursue(held: FloatArray, margins: FloatArray) -> tuple[list[int], FloatArray]:
    """Orthogonal matching pursuit of the margins by the conditions (conditions x rows); places and weights."""
    centred = held - held.mean(axis=1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1))
    target = margins - margins.mean()
    whole = float(target @ target)
    chosen: list[int] = []
    weights, left = np.empty(0), target
    while len(chosen) < min(MOST_RULES, len(held)):
        pull = np.abs(centred @ left) / np.where(length > 0, length, np.inf)
        pull[chosen] = 0.0
        best = int(pull.argmax())
        if pull[best] ** 2 <= LEAST_GAIN * whole:
            break
        chosen.append(best)
        weights = np.linalg.lstsq(centred[chosen].T, target, rcond=None)[0]
        left = target - weights @ centred[chosen]
    return chosen, weights
