"""The whole fit, in order: folds, linear part, tree part, weight, offset, interval; the result is what serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from leadlight.model.blended import Model
from leadlight.model.encoder import Encoder
from leadlight.model.interval import Interval
from leadlight.model.linear import LinearPart
from leadlight.model.margins import FloatArray, IntArray
from leadlight.model.trees import TreePart
from leadlight.schema import Micros
from leadlight.settings import SiteError
from training.calibrate import shrunken_offset, venn_abers
from training.fit.blend import EVEN, choose_weight
from training.fit.encode import learn_encoder
from training.fit.folds import (
    Fold,
    FoldRows,
    Labels,
    Moments,
    Sample,
    encoded,
    last_fold,
    rarer,
    thin_negatives,
    time_folds,
)
from training.fit.linear import LinearChoice, choose_linear, constant_part, fit_linear
from training.fit.trees import TreeChoice, choose_trees, fit_trees, fold_part

FEWEST_ROWS = 10
FEWEST_FOR_LINEAR = 10
FEWEST_FOR_TREES = 30
FEWEST_FOR_WEIGHT = 150
MOST_FOR_PLAIN = 200
UNSURE = Interval(edges=np.empty(0), low=np.zeros(1), high=np.ones(1))


@dataclass(frozen=True, eq=False)
class LastFold:
    """The calibration rows, as a model scores them that never saw them: margins before and after the offset."""

    rows: IntArray
    before: FloatArray
    margins: FloatArray
    labels: Labels


@dataclass(frozen=True)
class FitLog:
    """What the fit chose and by how much; losses are pooled over the folds."""

    rows: int
    positives: int
    kept: int
    folds: tuple[tuple[int, int], ...]  # rows learned from and rows judged by, of each fold used
    linear: LinearChoice | None
    trees: tuple[tuple[str, int, float], ...]  # candidate, rounds and loss, best first
    weight: float
    offset: float


@dataclass(frozen=True, eq=False)
class Fitted:
    """The model that serves, the rows its promises come from, and how it was chosen."""

    model: Model
    last_fold: LastFold
    log: FitLog


@dataclass(frozen=True, eq=False)
class _Plan:
    """What the folds decided: without a linear choice the base rate, without tree choices the linear part alone."""

    linear: LinearChoice | None = None
    trees: tuple[TreeChoice, ...] = ()
    weight: float = 0.0


def fit(
    X: pd.DataFrame,
    y: Labels,
    as_of: Moments,
    *,
    horizon: Micros,
    groups: Mapping[str, str],
    seed: int,
    workers: int,
) -> Fitted:
    """Fit on train and calibration rows in time order; the same rows and seed give the same model, bit for bit.

    ``X`` has float64 number columns (NaN missing) and category columns of str or None, ``groups`` a reason group for
    each. With fewer than 10 rows of the rarer outcome the model is the base rate, with fewer than 30 linear alone, with
    fewer than 150 an even blend.
    """
    _check(X, y, as_of, groups)
    weights = thin_negatives(y, seed=seed)
    folds = time_folds(y, as_of, horizon=horizon)
    last = folds[-1] if folds else last_fold(len(y))
    # linear algebra on several threads adds up in an order of its own: the bytes would depend on the machine's cores
    with threadpool_limits(limits=1), ThreadPoolExecutor(workers) as pool:
        judged = list(pool.map(lambda fold: encoded(X, y, weights, fold), folds))
        plan = _choose(judged, rare=rarer(y), seed=seed, pool=pool)
        before = _last_model(encoded(X, y, weights, last), plan, groups).margin(X.iloc[last.judge])
        kept = np.flatnonzero(weights)
        encoder = learn_encoder(X.iloc[kept])
        rows = Sample(encoder.encode(X.iloc[kept]), y[kept], weights[kept])
        trees = fit_trees(rows, encoder, plan.trees, seed=seed, pool=pool)
        model = _model(rows, encoder, trees, plan, groups)
    offset = shrunken_offset(before, y[last.judge])
    return Fitted(
        model=replace(model, offset=offset, interval=venn_abers(before + offset, y[last.judge])),
        last_fold=LastFold(last.judge, before, before + offset, y[last.judge]),
        log=_log(y, rows, folds, plan, offset),
    )


def _check(X: pd.DataFrame, y: Labels, as_of: Moments, groups: Mapping[str, str]) -> None:
    faults = [
        f"column {name!r} has no reason group: give it one in the catalogue" for name in X.columns if name not in groups
    ]
    if not len(X) == len(y) == len(as_of):
        faults.append(f"{len(X)} rows came with {len(y)} labels and {len(as_of)} moments: one of each a row is needed")
    if len(X) < FEWEST_ROWS:
        faults.append(
            f"{len(X)} rows are too few to fit anything, {FEWEST_ROWS} are the least: widen the training period"
        )
    if np.any(np.diff(as_of) < 0):
        faults.append("the rows are not in the order of as_of: sort them")
    if faults:
        raise SiteError(faults)


def _choose(folds: Sequence[FoldRows], *, rare: int, seed: int, pool: Executor) -> _Plan:
    if not folds or rare < FEWEST_FOR_LINEAR:
        return _Plan()
    linear = choose_linear(folds, with_plain=rare <= MOST_FOR_PLAIN, pool=pool)
    if rare < FEWEST_FOR_TREES:
        return _Plan(linear)
    trees = choose_trees(folds, seed=seed, pool=pool)
    if rare < FEWEST_FOR_WEIGHT:
        return _Plan(linear, trees, EVEN)
    parts = list(pool.map(lambda fold: fit_linear(fold.train, fold.encoder, linear), folds))
    weight = choose_weight(
        folds,
        trees=[
            fold_part(trees, place, columns=len(fold.encoder.columns)).margin(
                fold.encoder.for_trees(fold.judge.matrix), threads=1
            )
            for place, fold in enumerate(folds)
        ],
        linear=[part.margin(part.contributions(fold.judge.matrix)) for part, fold in zip(parts, folds, strict=True)],
    )
    return _Plan(linear, trees, weight)


def _last_model(fold: FoldRows, plan: _Plan, groups: Mapping[str, str]) -> Model:
    """The model as the last fold's training rows make it."""
    trees = fold_part(plan.trees, -1, columns=len(fold.encoder.columns))
    return _model(fold.train, fold.encoder, trees, plan, groups)


def _model(rows: Sample, encoder: Encoder, trees: TreePart, plan: _Plan, groups: Mapping[str, str]) -> Model:
    """The planned model of these rows, before any calibration."""
    return Model(
        encoder=encoder,
        groups=tuple(groups[name] for name in encoder.columns),
        linear=_linear(rows, encoder, plan),
        trees=trees,
        weight=plan.weight,
        offset=0.0,
        interval=UNSURE,
    )


def _linear(rows: Sample, encoder: Encoder, plan: _Plan) -> LinearPart:
    return constant_part(rows, encoder) if plan.linear is None else fit_linear(rows, encoder, plan.linear)


def _log(y: Labels, rows: Sample, folds: Sequence[Fold], plan: _Plan, offset: float) -> FitLog:
    return FitLog(
        rows=len(y),
        positives=int(y.sum(dtype=np.int64)),
        kept=len(rows.labels),
        folds=tuple((len(fold.train), len(fold.judge)) for fold in folds),
        linear=plan.linear,
        trees=tuple((choice.candidate.name, choice.rounds, choice.loss) for choice in plan.trees),
        weight=plan.weight,
        offset=offset,
    )
