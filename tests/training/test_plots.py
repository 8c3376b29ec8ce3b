"""The plots of a run, and shap's word on our contributions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leadlight.model.blended import Model
from leadlight.model.trees import TreePart
from tests.training.training_builders import as_dataset, made_place, made_rows
from training.evaluate import Scored
from training.pipeline import fit_rows
from training.plots import draw_scores, draw_shap, tree_shap

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Model, Path]:
    """A model with trees, and the folder of its site."""
    folder = tmp_path_factory.mktemp("plots")
    rows = made_rows(1200)
    place = made_place(folder, rows)
    return fit_rows(as_dataset(place, rows), place.site.targets["sale"], seed=1).model, folder


def test_our_contributions_are_those_of_shap(fitted: tuple[Model, Path]) -> None:
    """For the trees' part, column by column, to 1e-9; with the base they sum to the trees' margin."""
    model, _ = fitted
    rows = made_rows(120, seed=9)

    matrix, values = tree_shap(model, rows)

    assert len(model.trees.boosters) == 3
    assert np.abs(values).max() > 0.1
    np.testing.assert_allclose(model.trees.contributions(matrix, threads=1), values, rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        model.trees.base + values.sum(axis=1), model.trees.margin(matrix, threads=1), rtol=0, atol=1e-9
    )


def test_every_picture_is_drawn(fitted: tuple[Model, Path], tmp_path: Path) -> None:
    """Calibration, gain, scores, summary and three dependence plots are PNG files."""
    model, _ = fitted
    rows = made_rows(200, seed=9)
    probabilities = model.score(rows).probability
    scored = Scored.of(rows["lead_id"].to_numpy(dtype=object), rows["label"].to_numpy(), probabilities, threshold=0.4)

    draw_scores(scored, threshold=0.4, folder=tmp_path)
    draw_shap(model, rows, seed=1, folder=tmp_path)

    names = sorted(path.name for path in tmp_path.iterdir())
    dependences = [name for name in names if name.startswith("shap_dependence_")]
    assert len(dependences) == 3
    assert sorted(set(names) - set(dependences)) == ["calibration.png", "gain.png", "scores.png", "shap_summary.png"]
    assert all((tmp_path / name).read_bytes().startswith(PNG) for name in names)


def test_a_model_without_trees_has_no_shap_plots(fitted: tuple[Model, Path], tmp_path: Path) -> None:
    """A linear model is drawn without its missing part."""
    model, _ = fitted
    linear = replace(model, trees=TreePart.of((), columns=len(model.encoder.columns)))

    draw_shap(linear, made_rows(50), seed=1, folder=tmp_path)

    assert list(tmp_path.iterdir()) == []
