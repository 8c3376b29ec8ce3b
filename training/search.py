"""A search beyond the recipe: trials of its parameters on the same folds, kept so that it can go on. Door to Optuna."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from leadlight.locking import alone
from leadlight.model.margins import IntArray, sigmoid
from leadlight.settings import SiteError
from training.dataset import Dataset, Names
from training.evaluate import Scored, loss_difference
from training.evaluate.clusters import sum_error
from training.fit import (
    HINGED,
    PLAIN,
    SEARCHED,
    Bench,
    Candidate,
    Draft,
    Explore,
    Fitted,
    Found,
    LinearChoice,
    Plan,
    Tried,
)
from training.tracking import TrialRecord

if TYPE_CHECKING:
    from optuna import Study, Trial

PATIENCE = 5
"""Trials before one may be cut short for being in the worse half after a fold."""
CONFIDENCE = 2.0
"""Standard errors by which the best trial must beat the recipe: the best of many is in part luck."""
SPREAD = 1_000_003  # keeps the seeds of two searches' trials apart
LINEAR = {"hinged": (HINGED,), "plain": (PLAIN,), "mean": (HINGED, PLAIN)}
"""What the linear part may be: the regressions it is the mean of."""
VERSION = 2  # of what is tried: another is another study


@dataclass(frozen=True)
class Search:
    """How many trials in all, those of an earlier run counted; ``over`` says that the time given has passed.

    ``tell`` hears after each trial how many there are.
    """

    trials: int
    over: Callable[[], bool] = lambda: False
    tell: Callable[[int], None] = lambda _: None


@dataclass(frozen=True, eq=False)
class Clusters:
    """The lead and the local day of each row that is fitted on: what says how unsure the gain of a search is."""

    lead_id: Names
    day: IntArray


def explorer(search: Search, clusters: Clusters, *, folder: Path, name: str, seed: int) -> Explore:
    """The search as a fit runs it, its trials kept in ``folder`` under ``name``; the same name must be the same rows.

    The same seed and number of trials find the same plan, in one run or in several; where an earlier run made more
    trials than are asked for now, the best of all of them is found. While another process searches in this folder it is
    a ``SiteError``.
    """

    def explore(bench: Bench, recipe: Plan) -> tuple[Plan, Found]:
        with alone(folder / "lock", lambda: _taken(folder)), _study(folder, f"{name}-v{VERSION}-seed{seed}") as study:
            _go_on(study, search, bench, recipe, seed=seed)
            return _best(study, bench, recipe, clusters)

    return explore


def _taken(folder: Path) -> None:
    """Two searches would take each other's trials for those of a run that was ended from outside."""
    raise SiteError([f"another search is at work in {folder}: let it end, then this one goes on"])


@contextmanager
def _study(folder: Path, name: str) -> Iterator[Study]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder / 'trials.db'}")
    try:
        pruner = optuna.pruners.MedianPruner(n_startup_trials=PATIENCE)
        yield optuna.create_study(storage=storage, study_name=name, load_if_exists=True, pruner=pruner)
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _go_on(study: Study, search: Search, bench: Bench, recipe: Plan, *, seed: int) -> None:
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    # what a run that was ended from outside had begun, or only put down to begin with: Optuna ends begun trials alone
    for _ in study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        study.ask()
    for left in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(left.number, state=TrialState.FAIL)
    while (done := len(_finished(study))) < search.trials and not search.over():
        # a sampler of its own for every trial: going on later draws what going on at once would have drawn
        study.sampler = TPESampler(seed=(seed * SPREAD + done) % 2**32)
        if done == 0:
            study.enqueue_trial(_recipe_parameters(recipe))
        trial = study.ask()
        draft = _draft(trial, with_trees=bool(recipe.trees))
        steps = bench.try_out(draft, recipe) if done else ((recipe, loss) for loss in bench.running(recipe))
        _run(study, trial, (loss for _, loss in steps), last=len(bench.folds) - 1)
        search.tell(len(_finished(study)))


def _run(study: Study, trial: Trial, losses: Iterator[float], *, last: int) -> None:
    from optuna.trial import TrialState

    for step, loss in enumerate(losses):
        trial.report(loss, step)
        if step < last and trial.should_prune():
            study.tell(trial, state=TrialState.PRUNED)
            return
    study.tell(trial, loss)


def _finished(study: Study) -> Sequence[Tried]:
    """The trials that came to an end of their own, in order."""
    from optuna.trial import TrialState

    ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return [
        Tried(
            number=place,
            pruned=trial.state == TrialState.PRUNED,
            loss=trial.intermediate_values[max(trial.intermediate_values)],
            parameters=dict(trial.params),
        )
        for place, trial in enumerate(ended)
    ]


def _recipe_parameters(recipe: Plan) -> dict[str, float | str]:
    """The recipe, trial 0, entered under its strength and the shape of its best candidate."""
    parameters: dict[str, float | str] = {}
    if recipe.linear is not None:
        parameters |= {"linear": _name_of(recipe.linear), "strength": recipe.linear.forms[0][1]}
    if recipe.trees:
        best = recipe.trees[0].candidate
        parameters |= {"leaves": best.leaves, "hessian": best.hessian}
    return parameters


def _name_of(choice: LinearChoice) -> str:
    chosen = tuple(terms for terms, _ in choice.forms)
    return next(name for name, forms in LINEAR.items() if forms == chosen)


def _draft(trial: Trial, *, with_trees: bool) -> Draft:
    """What a trial tries; the ranges hold all that the recipe chooses among, and as much again around it."""
    linear = LINEAR[trial.suggest_categorical("linear", list(LINEAR))]
    strength = trial.suggest_float("strength", 0.001, 10.0, log=True)
    if not with_trees:
        return Draft(linear, strength, None)
    leaves = trial.suggest_int("leaves", 2, 63, log=True)
    hessian = trial.suggest_float("hessian", 0.5, 50.0, log=True)
    drawn = (
        ("bagging_fraction", trial.suggest_float("bagging_fraction", 0.5, 1.0)),
        ("cat_smooth", trial.suggest_float("cat_smooth", 5.0, 100.0, log=True)),
        ("extra_trees", trial.suggest_categorical("extra_trees", [False, True])),
        ("feature_fraction", trial.suggest_float("feature_fraction", 0.3, 1.0)),
        ("lambda_l2", trial.suggest_float("lambda_l2", 0.1, 50.0, log=True)),
        ("learning_rate", trial.suggest_float("learning_rate", 0.02, 0.1, log=True)),
    )
    return Draft(linear, strength, Candidate(SEARCHED, leaves, hessian, drawn))


def _best(study: Study, bench: Bench, recipe: Plan, clusters: Clusters) -> tuple[Plan, Found]:
    """The plan of the best trial, grown again, and its gain with its error over leads and days."""
    from optuna.trial import FixedTrial

    tried = tuple(_finished(study))
    whole = [each for each in tried if not each.pruned]
    best = min(whole, key=lambda each: each.loss, default=None)
    if best is None or best.number == 0:
        return recipe, Found(tried, 0.0, 0.0, taken=False)
    draft = _draft(FixedTrial(dict(best.parameters)), with_trees=bool(recipe.trees))  # type: ignore[arg-type]  # a trial for reading
    *_, (plan, _) = bench.try_out(draft, recipe)
    gaps = [ours - theirs for ours, theirs in zip(bench.losses(plan), bench.losses(recipe), strict=True)]
    gap = np.concatenate(gaps)
    weights = np.concatenate([fold.judge.weights for fold in bench.folds])
    gain = float(np.average(gap, weights=weights))
    judged = np.concatenate([fold.judged for fold in bench.folds])
    lead = np.unique(clusters.lead_id[judged].astype(str), return_inverse=True)[1]
    day = np.unique(clusters.day[judged], return_inverse=True)[1]
    error = sum_error(weights * (gap - gain) / weights.sum(), lead, day)
    return plan, Found(tried, gain, error, taken=gain < -CONFIDENCE * error)


def trials_of(found: Found) -> tuple[TrialRecord, ...]:
    """The trials as MLflow keeps them."""
    return tuple(
        TrialRecord(
            name="recipe" if each.number == 0 else f"trial {each.number}",
            parameters={} if each.number == 0 else each.parameters,
            loss=each.loss,
            tags={"state": "pruned" if each.pruned else "complete"},
        )
        for each in found.tried
    )


def search_notes(fitted: Fitted, test: Dataset, day: IntArray) -> tuple[str, ...]:
    """How the search went, and on the test rows the model taken against the one passed over: told, never a choice.

    ``day`` are the local days of the test rows.
    """
    found = fitted.found
    if found is None:
        return ()
    if not found.tried:
        return ("search: no trial was made, for want of time or of outcomes to choose by, so the recipe stands",)
    pruned = sum(each.pruned for each in found.tried)
    done = f"search: {len(found.tried)} trials, {pruned} of them cut short"
    if fitted.other is None:
        return (f"{done}; none was better than the recipe on the folds, so the recipe stands",)
    choice = "so it was taken" if found.taken else "too little to be more than luck, so the recipe stands"
    on_folds = (
        f"the best is better than the recipe on the folds by {-found.gain:.5f} (standard error {found.error:.5f})"
    )
    ours, theirs = fitted.model, fitted.other
    best, recipe = (ours, theirs) if found.taken else (theirs, ours)
    scored = Scored.of(test.lead_id, test.y, sigmoid(best.margin(test.X)), threshold=1.0, day=day)
    gap = loss_difference(scored, sigmoid(recipe.margin(test.X)))
    word = "worse" if gap.mean > 0 else "better"
    warning = ": it won on the folds and lost on later rows" if gap.mean > 0 else ""
    on_test = f"on the test rows it is {word} by {abs(gap.mean):.5f} (standard error {gap.error:.5f}){warning}"
    return (f"{done}; {on_folds}, {choice}; {on_test}",)
