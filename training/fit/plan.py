"""What the folds decide of a model: its rung of the ladder, the parts of it and their weight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

import numpy as np

from leadlight.model.linear import LinearPart
from leadlight.model.margins import FloatArray
from leadlight.settings.points import PointsTable
from training.fit.blend import EVEN, choose_weight, log_loss, pooled_loss
from training.fit.folds import FoldRows
from training.fit.linear import HINGED, PLAIN, LinearChoice, Terms, choose_linear, fit_linear
from training.fit.monotone import Directions
from training.fit.trees import Candidate, Nursery, TreeChoice, Trial, choose_trees, fold_part

FEWEST_FOR_LINEAR = 10
FEWEST_FOR_TREES = 30
FEWEST_FOR_WEIGHT = 150


@dataclass(frozen=True, eq=False)
class Plan:
    """Without a linear choice the site's card, or else the base rate; without tree choices the linear part alone."""

    linear: LinearChoice | None = None
    trees: tuple[TreeChoice, ...] = ()
    weight: float = 0.0
    card: PointsTable | None = None


@dataclass(frozen=True)
class Draft:
    """What one trial of a search tries: a linear part, and a candidate to stand beside the recipe's two best."""

    linear: tuple[Terms, ...]
    strength: float
    candidate: Candidate | None


@dataclass(frozen=True, eq=False)
class Bench:
    """The folds, ready to judge any plan for them; ``rare`` is how many rows have the rarer outcome."""

    folds: Sequence[FoldRows]
    rare: int
    directions: Directions
    seed: int
    nursery: Nursery = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nursery", Nursery(self.folds, directions=self.directions, seed=self.seed))

    def recipe(self, card: PointsTable | None, *, pool: Executor) -> Plan:
        """The plan that the recipe makes.

        With fewer than 10 rows of the rarer outcome it is the site's card or the base rate, with fewer than 30 the
        linear part alone. With fewer than 150 the folds choose between that and an even blend: a weight of its own is
        more than so few can tell.
        """
        if not self.folds or self.rare < FEWEST_FOR_LINEAR:
            return Plan(card=card)
        linear = choose_linear(self.folds, forms=(HINGED, PLAIN), directions=self.directions, pool=pool)
        if self.rare < FEWEST_FOR_TREES:
            return Plan(linear)
        trees = choose_trees(self.nursery, pool=pool)
        return self.weighed(Plan(linear, trees), list(pool.map(lambda fold: self._linear(linear, fold), self.folds)))

    def try_out(self, draft: Draft, recipe: Plan) -> Iterator[tuple[Plan, float]]:
        """The draft's plan after one fold, after two, and so on, with its mean loss over them."""
        trials: list[Trial] = []
        linear: list[LinearPart] = []
        for place, fold in enumerate(self.folds):
            choice = LinearChoice(tuple((terms, draft.strength) for terms in draft.linear), loss=float("nan"))
            linear.append(self._linear(choice, fold))
            plan = Plan(choice)
            if draft.candidate is not None:
                trials.append(self.nursery.try_out(draft.candidate, place))
                plan = replace(plan, trees=(self.nursery.choose(draft.candidate, trials), *recipe.trees[:2]))
            plan = self.weighed(plan, linear)
            yield plan, self._pooled(self.losses(plan, linear))

    def running(self, plan: Plan) -> Iterator[float]:
        """The plan's mean loss over the first fold, over two, and so on."""
        losses = self.losses(plan)
        for folds in range(1, len(losses) + 1):
            yield self._pooled(losses[:folds])

    def weighed(self, plan: Plan, linear: Sequence[LinearPart]) -> Plan:
        """The plan with the weight that the folds choose; ``linear`` are its linear parts, one for each fold tried."""
        if not plan.trees:
            return plan
        folds, trees = self.folds[: len(linear)], self._trees(plan, len(linear))
        straight = [
            part.margin(part.contributions(fold.judge.matrix)) for part, fold in zip(linear, folds, strict=True)
        ]
        if self.rare >= FEWEST_FOR_WEIGHT:
            return replace(plan, weight=choose_weight(folds, trees=trees, linear=straight))
        even = [EVEN * of_trees + (1.0 - EVEN) * of_linear for of_trees, of_linear in zip(trees, straight, strict=True)]
        alone, blended = (
            pooled_loss(folds, [log_loss(margins, fold.judge) for margins, fold in zip(each, folds, strict=True)])
            for each in (straight, even)
        )
        return replace(plan, trees=(), weight=0.0) if alone < blended else replace(plan, weight=EVEN)

    def losses(self, plan: Plan, linear: Sequence[LinearPart] | None = None) -> list[FloatArray]:
        """The loss of each judging row under the plan, fold by fold; a plan needs a linear choice."""
        if linear is None:
            linear = [self._linear(plan.linear, fold) for fold in self.folds] if plan.linear else []
        trees = self._trees(plan, len(linear))
        found = []
        for fold, part, of_trees in zip(self.folds, linear, trees, strict=False):
            margins = part.margin(part.contributions(fold.judge.matrix))
            margins = plan.weight * of_trees + (1.0 - plan.weight) * margins
            found.append(np.logaddexp(0.0, margins) - fold.judge.labels * margins)
        return found

    def _pooled(self, losses: Sequence[FloatArray]) -> float:
        folds = self.folds[: len(losses)]
        means = [float(np.average(of, weights=fold.judge.weights)) for of, fold in zip(losses, folds, strict=True)]
        return pooled_loss(folds, means)

    def _linear(self, choice: LinearChoice, fold: FoldRows) -> LinearPart:
        return fit_linear(fold.train, fold.encoder, choice, directions=self.directions)

    def _trees(self, plan: Plan, folds: int) -> list[FloatArray]:
        return [
            fold_part(plan.trees, place, columns=len(fold.encoder.columns)).margin(
                fold.encoder.for_trees(fold.judge.matrix), threads=1
            )
            for place, fold in enumerate(self.folds[:folds])
        ]
