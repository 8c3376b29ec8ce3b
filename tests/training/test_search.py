"""A search beyond the recipe: where it begins, that it goes on as if never stopped, and what it says of itself."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import optuna
import pytest

from leadlight import registry
from leadlight.schema import DAY
from leadlight.settings import SiteError
from leadlight.shelf import bundle_folder
from tests.leadlight.model.fit_builders import Rows, written
from tests.leadlight.model.fit_builders import made_rows as rows_to_fit
from tests.training.training_builders import Place, as_dataset, made_place, made_rows
from training.fit import Fitted, Found, Wishes, fit
from training.fit.recipe import Tried
from training.pipeline import Result, train
from training.search import Clusters, Search, explorer, search_notes


class Searched(NamedTuple):
    """A training with a search, at a place of its own."""

    place: Place
    result: Result
    heard: list[int]


@cache
def rows() -> Rows:
    """Rows with 25 positives: a search over regressions alone, which is quick."""
    made = rows_to_fit(rows=300)
    found = np.flatnonzero(made.y)
    y = np.zeros(300, dtype=np.int8)
    y[found[np.linspace(0, len(found) - 1, 25).astype(np.intp)]] = 1
    return made._replace(y=y)


def clusters() -> Clusters:
    """A lead and a day of its own for each row."""
    each = np.arange(len(rows().y))
    return Clusters(each.astype(str).astype(object), each)


def search(folder: Path, trials: int, *, seed: int = 7, **more: object) -> Fitted:
    """The fit of these rows after so many trials, kept in ``folder``."""
    made = rows()
    limits = Search(trials, **more)  # type: ignore[arg-type]  # of Search
    explore = explorer(limits, clusters(), folder=folder, name="rows", seed=seed)
    wishes = Wishes(explore=explore)
    return fit(made.X, made.y, made.as_of, horizon=DAY, groups=made.groups, seed=7, workers=1, wishes=wishes)


def test_a_search_goes_on_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    """Two trials and then four in all find what four at once find: the same trials, the same plan, the same bytes."""
    at_once = search(tmp_path / "once", 4)
    search(tmp_path / "parts", 2)
    later = search(tmp_path / "parts", 4)

    assert at_once.found is not None
    assert at_once.found == later.found
    assert len(at_once.found.tried) == 4
    assert written(tmp_path / "a", at_once) == written(tmp_path / "b", later)


def test_a_second_search_at_once_says_so(tmp_path: Path) -> None:
    """It would take the first one's trial for one that was ended from outside; when that is done, it goes on."""
    with (tmp_path / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        with pytest.raises(SiteError, match="another search is at work"):
            search(tmp_path, 2)

    assert search(tmp_path, 2).found is not None


KILLED = """
import os, signal, sys
from pathlib import Path
import optuna
from tests.training.test_search import search

def kill(done):
    if done == 2:
        optuna.load_study(study_name=None, storage=f"sqlite:///{folder / 'trials.db'}").ask()  # one is begun
        os.kill(os.getpid(), signal.SIGKILL)

folder = Path(sys.argv[1])
search(folder, 4, tell=kill)
"""


@pytest.mark.proof
def test_a_search_killed_in_a_trial_goes_on_in_another_process(tmp_path: Path) -> None:
    """What was half done is begun again: the same trials as if nobody had been killed."""
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "killed")], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert search(tmp_path / "killed", 4).found == search(tmp_path / "once", 4).found


def test_a_search_killed_before_its_first_trial_began_goes_on(tmp_path: Path) -> None:
    """The recipe was put down to be tried and nobody took it up: it is tried now, and nothing is tried twice."""
    search(tmp_path / "killed", 1, over=lambda: True)  # makes the study and no trial
    (study,) = studies(tmp_path / "killed")
    study.enqueue_trial({"hinges": True, "strength": 0.1})

    assert search(tmp_path / "killed", 2).found == search(tmp_path / "once", 2).found


def test_fewer_trials_than_were_made_find_the_best_of_all(tmp_path: Path) -> None:
    """A longer search of the same rows and seed is not forgotten: asking for less then makes no trial."""
    longer = search(tmp_path, 4)

    assert search(tmp_path, 2).found == longer.found


def studies(folder: Path) -> list[optuna.Study]:
    """What Optuna keeps in a folder."""
    storage = f"sqlite:///{folder / 'trials.db'}"
    return [optuna.load_study(study_name=name, storage=storage) for name in optuna.get_all_study_names(storage)]


def test_the_recipe_is_the_first_trial_and_stands_if_none_is_better(tmp_path: Path) -> None:
    """One trial is the recipe itself, at its own loss; the model is the one without a search."""
    made = rows()
    plain = fit(made.X, made.y, made.as_of, horizon=DAY, groups=made.groups, seed=7, workers=1)

    result = search(tmp_path, 1)

    assert result.found is not None
    assert plain.log.linear is not None
    assert result.found.tried[0].loss == pytest.approx(plain.log.linear.loss, abs=1e-6)
    assert result.found.tried[0].parameters["strength"] == plain.log.linear.forms[0][1]
    assert not result.found.taken
    assert result.model.margin(made.X).tobytes() == plain.model.margin(made.X).tobytes()


@pytest.mark.parametrize("taken", [True, False])
def test_a_search_that_wins_on_the_folds_and_loses_on_later_rows_says_so(tmp_path: Path, *, taken: bool) -> None:
    """Whether it was taken or not, the two models are judged in pairs on the test rows, and the loss is told."""
    made, frame = rows(), made_rows(400)
    good = fit(made.X, made.y, made.as_of, horizon=DAY, groups=made.groups, seed=7, workers=1)
    blind = replace(good.model, offset=good.model.offset + 3.0)
    tried = (Tried(0, pruned=False, loss=0.3, parameters={"strength": 1.0}),)
    found = Found(tried, gain=-0.01, error=0.002, taken=taken)
    test = as_dataset(made_place(tmp_path, frame), frame)
    test = replace(test, X=test.X.reindex(columns=list(made.X.columns)))
    best, recipe = (blind, good.model)
    result = replace(good, model=best if taken else recipe, other=recipe if taken else best, found=found)

    (note,) = search_notes(result, test, np.arange(len(test.y)))

    assert "better than the recipe on the folds by 0.01000 (standard error 0.00200)" in note
    assert ("so it was taken" in note) is taken
    assert note.endswith("it won on the folds and lost on later rows")


def test_a_search_ends_when_the_time_is_over(tmp_path: Path) -> None:
    """No trial is begun after that; each that ends is told; a seed of its own is a search of its own."""
    heard: list[int] = []

    first = search(tmp_path, 9, over=lambda: len(heard) == 2, tell=heard.append)
    none = search(tmp_path, 9, over=lambda: True, seed=8)

    assert heard == [1, 2]
    assert first.found is not None
    assert len(first.found.tried) == 2
    assert none.found == Found((), 0.0, 0.0, taken=False)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """A site with few conversions, trained with a search of three trials."""
    frame = made_rows(500)
    frame.loc[frame["label"].cumsum() % 3 != 0, "label"] = 0
    place = made_place(tmp_path_factory.mktemp("searched"), frame)
    heard: list[int] = []
    limits = Search(3, tell=heard.append)
    result = train(place.site, place.catalogue, "sale", state=place.state, search=limits)
    return Searched(place, result, heard)


@pytest.mark.proof
def test_a_training_with_a_search_keeps_every_trial_in_mlflow(searched: Searched) -> None:
    """The trials are runs nested in the training's own, with their loss; the verdict tells how the search went."""
    place, result, heard = searched
    client = registry.mlflow_client(place.site, place.state)

    parent = str(client.get_model_version("tiny-sale", "1").run_id)
    experiment = client.get_run(parent).info.experiment_id
    nested = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}'")

    assert heard == [1, 2, 3]
    assert sorted(str(run.info.run_name) for run in nested) == ["recipe", "trial 1", "trial 2"]
    assert all(0 < run.data.metrics["fold_log_loss"] < 1 for run in nested)
    assert [note for note in result.judgement.verdict.notes if note.startswith("search: 3 trials")]
    assert result.to_json()["rung"] == "logistic"
    assert result.lines()[1] == "model: a shrunken logistic regression"
    assert (bundle_folder(place.state, "sale", 1) / "blend.json").read_text().count('"rung":"logistic"') == 1
