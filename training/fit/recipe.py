"""The whole fit, in order: folds, linear part, tree part, weight, offset, interval; the result is what serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from leadlight.model.blended import Model
from leadlight.model.encoder import Encoder
from leadlight.model.interval import Interval
from leadlight.model.linear import LinearPart
from leadlight.model.margins import FloatArray, IntArray
from leadlight.model.points import PointsPart
from leadlight.model.trees import TreePart
from leadlight.schema import Micros
from leadlight.settings import SiteError
from leadlight.settings.points import PointsTable
from training.calibrate import shrunken_offset, venn_abers
from training.fit.card import fit_card, named_levels
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
from training.fit.linear import LinearChoice, constant_part, fit_linear
from training.fit.monotone import Directions
from training.fit.plan import Bench, Plan
from training.fit.trees import fit_trees, fold_part

FEWEST_ROWS = 10
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


@dataclass(frozen=True)
class Tried:
    """One trial of a search: what it tried, and its loss over the folds (over the first of them, if cut short)."""

    number: int
    pruned: bool
    loss: float
    parameters: Mapping[str, float | str]


@dataclass(frozen=True)
class Found:
    """How a search went: its trials, its best plan's loss less the recipe's, and whether that plan was taken.

    ``gain`` is a mean over the folds' judging rows with its standard error: below zero the found plan was better.
    """

    tried: tuple[Tried, ...]
    gain: float
    error: float
    taken: bool


Explore = Callable[[Bench, Plan], tuple[Plan, Found]]
"""A search on the bench for a plan better than the recipe's."""


@dataclass(frozen=True)
class Wishes:
    """What a site or a person asks of a fit beyond the recipe."""

    directions: Directions = field(default_factory=dict)
    card: PointsTable | None = None
    explore: Explore | None = None


@dataclass(frozen=True, eq=False)
class Fitted:
    """The model that serves, the rows its promises come from, and how it was chosen.

    After a search, ``other`` is the model not taken: the recipe's if the search's was, else the search's.
    """

    model: Model
    last_fold: LastFold
    log: FitLog
    found: Found | None = None
    other: Model | None = None


NO_WISHES = Wishes()


def fit(
    X: pd.DataFrame,
    y: Labels,
    as_of: Moments,
    *,
    horizon: Micros,
    groups: Mapping[str, str],
    seed: int,
    workers: int,
    wishes: Wishes = NO_WISHES,
) -> Fitted:
    """Fit on train and calibration rows in time order; the same rows and seed give the same model, bit for bit.

    ``X`` has float64 number columns (NaN missing) and category columns of str or None, ``groups`` a reason group for
    each. How far up the ladder the model stands is up to the evidence: see ``Bench.recipe``.
    """
    _check(X, y, as_of, groups)
    weights = thin_negatives(y, seed=seed)
    folds = time_folds(y, as_of, horizon=horizon)
    last = folds[-1] if folds else last_fold(len(y))
    # linear algebra on several threads adds up in an order of its own: the bytes would depend on the machine's cores
    with threadpool_limits(limits=1), ThreadPoolExecutor(workers) as pool:
        judged = list(pool.map(lambda fold: encoded(X, y, weights, fold), folds))
        bench = Bench(judged, rarer(y), wishes.directions, seed)
        plan, other, found = _choose(bench, wishes, pool=pool)
        kept = np.flatnonzero(weights)
        levels = named_levels(plan.card)
        latest = encoded(X, y, weights, last, levels=levels)
        encoder = learn_encoder(X.iloc[kept], levels)
        ground = _Ground(
            latest=latest,
            rows=Sample(encoder.encode(X.iloc[kept]), y[kept], weights[kept]),
            encoder=encoder,
            groups=groups,
            wishes=wishes,
            seed=seed,
        )
        model, before = _calibrated(ground, plan, X.iloc[last.judge], y[last.judge], pool=pool)
        if other is not None:
            passed_over, _ = _calibrated(ground, other, X.iloc[last.judge], y[last.judge], pool=pool)
    return Fitted(
        model=model,
        last_fold=LastFold(last.judge, before, before + model.offset, y[last.judge]),
        log=_log(y, ground.rows, folds, plan, model.offset),
        found=found,
        other=None if other is None else passed_over,
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


def _choose(bench: Bench, wishes: Wishes, *, pool: Executor) -> tuple[Plan, Plan | None, Found | None]:
    """The plan to fit, the one passed over, and how the search for it went."""
    recipe = bench.recipe(wishes.card, pool=pool)
    if wishes.explore is None:
        return recipe, None, None
    if recipe.linear is None:
        return recipe, None, Found((), 0.0, 0.0, taken=False)
    best, found = wishes.explore(bench, recipe)
    if best is recipe:
        return recipe, None, found
    return (best, recipe, found) if found.taken else (recipe, best, found)


@dataclass(frozen=True, eq=False)
class _Ground:
    """The rows that a plan is fitted on: the last fold's training rows, and all of them."""

    latest: FoldRows
    rows: Sample
    encoder: Encoder
    groups: Mapping[str, str]
    wishes: Wishes
    seed: int


def _calibrated(
    ground: _Ground, plan: Plan, later: pd.DataFrame, labels: Labels, *, pool: Executor
) -> tuple[Model, FloatArray]:
    """The plan's model of all rows, and the last fold's margins by one that never saw them, which calibrate it."""
    fold = ground.latest
    trees = fold_part(plan.trees, -1, columns=len(fold.encoder.columns))
    before = _model(ground, fold.train, fold.encoder, trees, plan).margin(later)
    offset = shrunken_offset(before, labels)
    final = fit_trees(
        ground.rows, ground.encoder, plan.trees, directions=ground.wishes.directions, seed=ground.seed, pool=pool
    )
    model = _model(ground, ground.rows, ground.encoder, final, plan)
    return replace(model, offset=offset, interval=venn_abers(before + offset, labels)), before


def _model(ground: _Ground, rows: Sample, encoder: Encoder, trees: TreePart, plan: Plan) -> Model:
    """The planned model of these rows, before any calibration."""
    return Model(
        encoder=encoder,
        groups=tuple(ground.groups[name] for name in encoder.columns),
        linear=_linear(rows, encoder, plan, ground.wishes.directions),
        trees=trees,
        weight=plan.weight,
        offset=0.0,
        interval=UNSURE,
    )


def _linear(rows: Sample, encoder: Encoder, plan: Plan, directions: Directions) -> LinearPart | PointsPart:
    if plan.linear is not None:
        return fit_linear(rows, encoder, plan.linear, directions=directions)
    return constant_part(rows, encoder) if plan.card is None else fit_card(rows, encoder, plan.card)


def _log(y: Labels, rows: Sample, folds: Sequence[Fold], plan: Plan, offset: float) -> FitLog:
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
