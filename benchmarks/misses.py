"""Why Leadlight lost to a plain model on some rows: which part of the model did, and whether new orders say the same.

The latest rows of a table without dates are one sample of many. The same rows in other orders, fitted and judged anew,
tell a weakness of the model from the luck of that sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.types import is_numeric_dtype

from benchmarks.problems import Problem
from benchmarks.report import table
from leadlight.model.margins import FloatArray, sigmoid
from leadlight.schema import AS_OF, LABEL, LEAD_ID
from leadlight.settings import load_site
from training.calibrate import shift_of
from training.dataset import TEST
from training.evaluate import log_losses, log_odds
from training.fit import fit
from training.fit.folds import Labels, Moments
from training.pipeline import SEED
from training.plain import PlainName, fit_plain

PARTS = ("whole", "linear part alone", "trees alone", "without the offset", "levels put right")
COLUMNS = ("problem", "rows", "against", f"{PARTS[0]} model", "standard error", *PARTS[1:], "lower in")


@dataclass(frozen=True, eq=False)
class Miss:
    """A problem, its rows as the backtest wrote them, and the plain model that was better, by how surely."""

    problem: Problem
    rows: pa.Table
    plain: str
    error: float


@dataclass(frozen=True, eq=False)
class Split:
    """Rows in time order; the first ``learned`` of them are to learn from."""

    X: pd.DataFrame
    y: Labels
    as_of: Moments
    learned: int
    horizon: int

    def shuffled(self, seed: int) -> Split:
        """The same rows in another order, at the same moments."""
        order = np.random.default_rng([SEED, seed]).permutation(len(self.y))
        return Split(self.X.iloc[order].reset_index(drop=True), self.y[order], self.as_of, self.learned, self.horizon)


def explained(misses: Sequence[Miss], *, orders: int) -> str:
    """A section about these misses; empty if there is none."""
    if not misses:
        return ""
    rows = [row for miss in misses for row in _rows_of(miss, orders=orders)]
    return f"""
## The misses

Where Leadlight's log loss is above the best plain model's. Differences are Leadlight's (or its part's) log loss less
that model's on the same later rows: below zero is better. *Levels put right* is the whole model's difference once all
margins of either model are moved so that its mean probability is the later rows' share of positives: what is gone then
was a shift of the base rate, which `leadlight recalibrate` follows when labels mature. The second line of a problem is
a mean over {orders} random orders of the same rows, each fitted and judged anew with the same numbers of rows; its
standard error allows for the orders sharing rows (Nadeau and Bengio 2003). What other orders do not repeat belongs to
the split, not to the model.

{table(COLUMNS, rows)}
"""


def _rows_of(miss: Miss, *, orders: int) -> Iterator[list[str]]:
    split = split_of(miss.problem, miss.rows)
    gaps = differences(split, miss.plain)
    means = {name: float(gap.mean()) for name, gap in gaps.items()}
    yield _row((miss.problem.name, "as they came", miss.plain), means, miss.error, "")
    if miss.problem.flat:
        drawn = pd.DataFrame(
            [
                {name: float(gap.mean()) for name, gap in differences(split.shuffled(seed), miss.plain).items()}
                for seed in range(orders)
            ]
        )
        spread, tested = float(drawn[PARTS[0]].std()), (len(split.y) - split.learned) / split.learned
        lower = f"{int((drawn[PARTS[0]] < 0).sum())} of {orders}"
        error = spread * (1 / orders + tested) ** 0.5
        yield _row(
            ("", f"{orders} orders", miss.plain), {name: float(drawn[name].mean()) for name in PARTS}, error, lower
        )


def _row(names: tuple[str, str, str], means: dict[str, float], error: float, lower: str) -> list[str]:
    whole, *others = (f"{means[name]:+.4f}" for name in PARTS)
    return [*names, whole, f"{error:.4f}", *others, lower]


def split_of(problem: Problem, rows: pa.Table) -> Split:
    """The backtest's rows, those to learn from first."""
    frame = rows.to_pandas()
    X = frame.drop(columns=[LEAD_ID, AS_OF, LABEL, "split"])
    X = X.astype({name: np.float64 if is_numeric_dtype(X[name]) else object for name in X})
    as_of = rows[AS_OF].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
    _, target = load_site(problem.site).target(problem.target)
    # the split is by time, so the rows to learn from come first already
    learned = int((frame["split"] != TEST).sum())
    return Split(X, frame[LABEL].to_numpy(), as_of, learned, target.horizon + target.outcome_delay)


def differences(split: Split, plain: str) -> dict[str, FloatArray]:
    """For each later row, the log loss of the whole model and of its parts, less the plain model's."""
    learned, later = split.X[: split.learned], split.X[split.learned :].reset_index(drop=True)
    y, judged = split.y[: split.learned], split.y[split.learned :]
    groups = dict.fromkeys(map(str, learned.columns), "all")
    model = fit(
        learned, y, split.as_of[: split.learned], horizon=split.horizon, groups=groups, seed=SEED, workers=1
    ).model
    matrix = model.encoder.encode(later)
    linear = model.linear.margin(model.linear.contributions(matrix))
    trees = model.trees.margin(model.encoder.for_trees(matrix), threads=1) if model.trees.boosters else linear
    whole = model.margin(later)
    margins = (whole, linear, trees, whole - model.offset, _levelled(whole, judged))
    rival = log_odds(fit_plain(cast("PlainName", plain), learned, y, seed=SEED)(later))
    theirs = (rival, rival, rival, rival, _levelled(rival, judged))
    return {
        name: log_losses(judged, sigmoid(own)) - log_losses(judged, sigmoid(other))
        for name, own, other in zip(PARTS, margins, theirs, strict=True)
    }


def _levelled(margins: FloatArray, labels: Labels) -> FloatArray:
    return margins + shift_of(margins, labels)[0]
