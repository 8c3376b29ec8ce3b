"""The tree part's fit: a search over fixed, shrunken LightGBM candidates. The door through which LightGBM learns."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np

from leadlight.model.encoder import Encoder
from leadlight.model.margins import FloatArray
from leadlight.model.trees import TreePart
from training.fit.blend import pooled_loss
from training.fit.folds import FoldRows, Sample
from training.fit.monotone import Directions

ROUNDS = (10, 20, 30, 40, 60, 80, 100, 130, 160, 200, 250, 300, 400, 500, 650, 800, 1000)
PATIENCE = 50
BEST = 3
SAMPLED = {"feature_fraction": 0.7, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0}
SEARCHED = "S"
FAMILIES: dict[str, dict[str, Any]] = {
    "G": SAMPLED,
    "X": {**SAMPLED, "extra_trees": True},
    "F": {"lambda_l2": 0.3},
    SEARCHED: {"bagging_freq": 1},
}
FIXED: dict[str, Any] = {
    "objective": "binary",
    "metric": "binary_logloss",
    "learning_rate": 0.05,
    "min_data_in_leaf": 20,
    "max_bin": 127,
    "feature_pre_filter": False,
    "cat_smooth": 20.0,
    "cat_l2": 10.0,
    "min_data_per_group": 100,
    "max_cat_threshold": 16,
}
# LightGBM writes its parameters into the model's text: fixed here, so that the same rows give the same bytes
REPRODUCIBLE: dict[str, Any] = {"deterministic": True, "force_col_wise": True, "num_threads": 1, "verbosity": -1}


@dataclass(frozen=True)
class Candidate:
    """One shape of a booster; ``hessian`` is about the fewest expected positives in a leaf.

    ``drawn`` are parameters that a search drew, over those of the family.
    """

    family: str
    leaves: int
    hessian: float
    drawn: tuple[tuple[str, float], ...] = ()

    @property
    def name(self) -> str:
        """Such as G-8-5: family, leaves, hessian sum."""
        return f"{self.family}-{self.leaves}-{self.hessian:g}"


CANDIDATES = (
    Candidate("G", 2, 5),
    *(Candidate("G", leaves, hessian) for leaves in (4, 8, 16) for hessian in (1, 5, 20)),
    Candidate("G", 31, 5),
    Candidate("G", 31, 20),
    *(Candidate("X", leaves, 3) for leaves in (4, 8, 16)),
    Candidate("F", 4, 1),
    Candidate("F", 8, 1),
    Candidate("F", 8, 5),
    Candidate("F", 16, 5),
)


@dataclass(frozen=True, eq=False)
class TreeChoice:
    """A chosen candidate, its rounds and pooled fold loss, and the booster of each fold cut to those rounds."""

    candidate: Candidate
    rounds: int
    loss: float
    by_fold: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Trial:
    """A candidate on one fold: its booster, and its loss on the judging rows after each round."""

    booster: lgb.Booster
    losses: tuple[float, ...]

    def loss(self, rounds: int) -> float:
        """The loss after so many rounds; a trial that stopped early stays where it stopped."""
        return self.losses[min(rounds, len(self.losses)) - 1]


class Nursery:
    """The folds' rows in bins, on which candidates are tried; binned once."""

    def __init__(self, folds: Sequence[FoldRows], *, directions: Directions, seed: int) -> None:
        self.folds = folds
        self._bins = [_bins(fold) for fold in folds]
        self._directions = directions
        self._seed = seed

    def try_out(self, candidate: Candidate, fold: int) -> Trial:
        """The candidate grown on a fold's training rows until its judging rows see no more gain."""
        train, judge = self._bins[fold]
        history: dict[str, dict[str, list[float]]] = {}
        booster = lgb.train(
            _params(candidate, self.folds[fold].encoder, directions=self._directions, seed=self._seed),
            train,
            num_boost_round=ROUNDS[-1],
            valid_sets=[judge],
            valid_names=["judge"],
            callbacks=[lgb.early_stopping(PATIENCE, verbose=False), lgb.record_evaluation(history)],
        )
        return Trial(booster, tuple(history["judge"]["binary_logloss"]))

    def choose(self, candidate: Candidate, trials: Sequence[Trial]) -> TreeChoice:
        """The candidate at the number of rounds where its pooled loss, over the folds tried so far, is lowest."""
        folds = self.folds[: len(trials)]
        losses = {rounds: pooled_loss(folds, [trial.loss(rounds) for trial in trials]) for rounds in ROUNDS}
        rounds = min(ROUNDS, key=losses.__getitem__)
        texts = tuple(trial.booster.model_to_string(num_iteration=rounds) for trial in trials)
        return TreeChoice(candidate, rounds, losses[rounds], texts)


def choose_trees(nursery: Nursery, *, pool: Executor) -> tuple[TreeChoice, ...]:
    """The best three different candidates by pooled fold loss, each at its best number of rounds."""
    folds = len(nursery.folds)
    jobs = [(candidate, fold) for candidate in CANDIDATES for fold in range(folds)]
    trials = list(pool.map(lambda job: nursery.try_out(*job), jobs))
    choices = [
        nursery.choose(candidate, trials[place * folds : (place + 1) * folds])
        for place, candidate in enumerate(CANDIDATES)
    ]
    distinct = {choice.loss: choice for choice in reversed(choices)}  # a bound that never binds makes the same trees
    return tuple(distinct[loss] for loss in sorted(distinct)[:BEST])


def _bins(fold: FoldRows) -> tuple[lgb.Dataset, lgb.Dataset]:
    train = _dataset(fold.train, fold.encoder).construct()
    return train, _dataset(fold.judge, fold.encoder, reference=train).construct()


def _dataset(rows: Sample, encoder: Encoder, *, reference: lgb.Dataset | None = None) -> lgb.Dataset:
    return lgb.Dataset(
        encoder.for_trees(rows.matrix),
        label=rows.labels,
        weight=rows.weights,
        reference=reference,
        feature_name=list(encoder.columns),
        categorical_feature=encoder.categories,
        params={**FIXED, **REPRODUCIBLE},
        free_raw_data=False,
    )


def _params(candidate: Candidate, encoder: Encoder, *, directions: Directions, seed: int) -> dict[str, Any]:
    shape = {"num_leaves": candidate.leaves, "min_sum_hessian_in_leaf": candidate.hessian, "seed": seed}
    ways = [0 if name in encoder.levels else directions.get(name, 0) for name in encoder.columns]
    directed = {"monotone_constraints": ways} if any(ways) else {}
    return {**FIXED, **REPRODUCIBLE, **FAMILIES[candidate.family], **dict(candidate.drawn), **shape, **directed}


def fold_part(choices: Sequence[TreeChoice], fold: int, *, columns: int) -> TreePart:
    """The chosen candidates as one fold's training rows made them."""
    return TreePart.of(tuple(choice.by_fold[fold] for choice in choices), columns=columns)


def fit_trees(
    rows: Sample,
    encoder: Encoder,
    choices: Sequence[TreeChoice],
    *,
    directions: Directions,
    seed: int,
    pool: Executor,
) -> TreePart:
    """The chosen candidates, each fitted on all these rows for its number of rounds."""
    bins = _dataset(rows, encoder).construct()

    def refit(choice: TreeChoice) -> str:
        params = _params(choice.candidate, encoder, directions=directions, seed=seed)
        booster = lgb.train(params, bins, num_boost_round=choice.rounds)
        return booster.model_to_string()

    return TreePart.of(tuple(pool.map(refit, choices)), columns=len(encoder.columns))


def default_trees(matrix: FloatArray, labels: np.ndarray, *, categories: list[int], seed: int) -> lgb.Booster:
    """LightGBM as it comes: its own default parameters and 100 rounds, made reproducible and nothing else."""
    bins = lgb.Dataset(matrix, label=labels, categorical_feature=categories, params=REPRODUCIBLE)
    return lgb.train({"objective": "binary", "seed": seed, **REPRODUCIBLE}, bins, num_boost_round=100)
