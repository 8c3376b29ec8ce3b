"""The linear part's fit: a clipped, hinged logistic regression, its strength chosen on the folds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from leadlight.model.encoder import FIRST, Encoder
from leadlight.model.linear import TERMS, LinearPart, NumberTerms
from leadlight.model.margins import FloatArray, logit
from training.fit.blend import log_loss, pooled_loss
from training.fit.folds import FoldRows, Sample
from training.fit.monotone import Directions, Slopes, fit_directed
from training.fit.terms import learn_terms

STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
Terms = tuple[int, ...]
HINGED: Terms = tuple(range(TERMS))
PLAIN: Terms = (0, 2)  # the missing flag and the number itself
NOTHING: Terms = ()
COMMON, NUMBER = 1, 2  # the places of the flag for a common value, and of the number, before its hinges


@dataclass(frozen=True)
class LinearChoice:
    """The linear part that the folds chose: a regression, or the mean of several, and its pooled fold loss.

    ``forms`` are the terms of a number and the C of each.
    """

    forms: tuple[tuple[Terms, float], ...]
    loss: float

    @property
    def words(self) -> str:
        """Such as hinged C 0.1, plain C 3."""
        return ", ".join(f"{'hinged' if terms == HINGED else 'plain'} C {strength:g}" for terms, strength in self.forms)


def choose_linear(
    folds: Sequence[FoldRows], *, forms: Sequence[Terms], directions: Directions, pool: Executor
) -> LinearChoice:
    """The form with the lowest pooled fold loss, each at its best strength; or their mean, if that is lower still."""
    choices = []
    for terms in forms:
        losses = pool.map(lambda fold, terms=terms: _fold_losses(fold, terms, directions), folds)
        of_strengths = [pooled_loss(folds, of_folds) for of_folds in zip(*losses, strict=True)]
        loss, strength = min(zip(of_strengths, STRENGTHS, strict=True))
        choices.append(LinearChoice(((terms, strength),), loss))
    together = LinearChoice(tuple(form for choice in choices for form in choice.forms), float("nan"))
    of_mean = list(pool.map(lambda fold: _fold_loss(fold, together, directions), folds))
    return min([*choices, replace(together, loss=pooled_loss(folds, of_mean))], key=lambda choice: choice.loss)


def _fold_loss(fold: FoldRows, choice: LinearChoice, directions: Directions) -> float:
    part = fit_linear(fold.train, fold.encoder, choice, directions=directions)
    return log_loss(part.margin(part.contributions(fold.judge.matrix)), fold.judge)


def _fold_losses(fold: FoldRows, terms: Terms, directions: Directions) -> list[float]:
    parts = fit_path(fold.train, fold.encoder, terms=terms, strengths=STRENGTHS, directions=directions)
    return [log_loss(part.margin(part.contributions(fold.judge.matrix)), fold.judge) for part in parts]


def fit_linear(rows: Sample, encoder: Encoder, choice: LinearChoice, *, directions: Directions) -> LinearPart:
    """The chosen linear part, fitted on these rows; the mean of linear parts is one."""
    first, *others = (
        fit_path(rows, encoder, terms=terms, strengths=[strength], directions=directions)[0]
        for terms, strength in choice.forms
    )
    parts = [first, *others]
    return replace(
        first,
        slopes=np.mean([part.slopes for part in parts], axis=0),
        effects=np.mean([part.effects for part in parts], axis=0),
        centre=np.mean([part.centre for part in parts], axis=0),
        base=float(np.mean([part.base for part in parts])),
    )


def fit_path(
    rows: Sample, encoder: Encoder, *, terms: Terms, strengths: Iterable[float], directions: Directions
) -> list[LinearPart]:
    """One linear part for each strength, from weak to strong, each started from the one before."""
    design = _Design.learn(rows, encoder, terms=terms, directions=directions)
    columns = design.columns(rows.matrix)
    if columns.shape[1] == 0:
        return [constant_part(rows, encoder) for _ in strengths]
    slopes = list(design.directed(directions))
    if slopes:
        fits = fit_directed(columns, rows.labels, rows.weights, strengths, slopes)
        return [design.part(rows, coefficients, intercept) for coefficients, intercept in fits]
    regression = LogisticRegression(solver="newton-cholesky", warm_start=True)
    parts = []
    for strength in strengths:
        regression.set_params(C=strength).fit(columns, rows.labels, sample_weight=rows.weights)
        parts.append(design.part(rows, regression.coef_[0], float(regression.intercept_[0])))
    return parts


def constant_part(rows: Sample, encoder: Encoder) -> LinearPart:
    """The part that says the base rate of these rows, whatever the lead."""
    rate = (float(rows.weights @ rows.labels) + 0.5) / (float(rows.weights.sum()) + 1.0)
    return _Design.learn(rows, encoder, terms=NOTHING, directions={}).part(rows, np.empty(0), logit(rate))


@dataclass(frozen=True, eq=False)
class _Design:
    """The columns a regression sees: terms of numbers, then codes of categories, without those that never vary."""

    encoder: Encoder
    numbers: NumberTerms
    slots: npt.NDArray[np.bool_]  # (terms x number columns)
    codes: npt.NDArray[np.bool_]  # (category columns x codes)

    @classmethod
    def learn(cls, rows: Sample, encoder: Encoder, *, terms: Terms, directions: Directions) -> _Design:
        values = rows.matrix[:, encoder.numbers]
        numbers = learn_terms(values)
        slots = [(term in terms) & (np.ptp(seen, axis=0) > 0) for term, seen in enumerate(numbers.of(values))]
        # a step up at one value and down after it has no direction
        slots[COMMON] &= np.array([encoder.columns[column] not in directions for column in encoder.numbers], bool)
        width = FIRST + max((len(levels) for levels in encoder.levels.values()), default=0)
        codes = np.zeros((len(encoder.categories), width), dtype=np.bool_)
        for place, column in enumerate(encoder.categories):
            held = np.unique(rows.matrix[:, column]).astype(np.intp)
            codes[place, held] = terms != NOTHING and len(held) > 1
        return cls(encoder, numbers, np.array(slots), codes)

    def directed(self, directions: Directions) -> Iterator[Slopes]:
        """Where the coefficients of each column with a direction stand: the number's, then those of its hinges."""
        places = np.cumsum(self.slots.ravel()).reshape(self.slots.shape) - 1
        for position, column in enumerate(self.encoder.numbers):
            used = self.slots[NUMBER:, position]
            direction = directions.get(self.encoder.columns[column], 0)
            if direction and used.any():
                yield Slopes(tuple(places[NUMBER:, position][used].tolist()), direction)

    def columns(self, matrix: FloatArray) -> FloatArray:
        """The design matrix of these rows."""
        seen = self.numbers.of(matrix[:, self.encoder.numbers])
        terms = [term[:, used] for term, used in zip(seen, self.slots, strict=True)]
        levels = [
            (matrix[:, [column]] == np.flatnonzero(used)).astype(np.float64)
            for column, used in zip(self.encoder.categories, self.codes, strict=True)
        ]
        return np.concatenate([*terms, *levels], axis=1)

    def part(self, rows: Sample, coefficients: FloatArray, intercept: float) -> LinearPart:
        """The linear part with these coefficients, centred on the rows' weighted mean."""
        slopes, effects = np.zeros(self.slots.shape), np.zeros(self.codes.shape)
        slopes[self.slots] = coefficients[: self.slots.sum()]
        effects[self.codes] = coefficients[self.slots.sum() :]
        raw = LinearPart(
            numbers=np.array(self.encoder.numbers, dtype=np.intp),
            categories=np.array(self.encoder.categories, dtype=np.intp),
            terms=self.numbers,
            slopes=slopes,
            effects=effects,
            centre=np.zeros(len(self.encoder.columns)),
            base=intercept,
        )
        centre = np.average(raw.contributions(rows.matrix), axis=0, weights=rows.weights)
        return replace(raw, centre=centre, base=intercept + float(centre.sum()))
