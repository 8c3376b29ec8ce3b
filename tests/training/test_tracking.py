"""The record of a training in MLflow."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadlight import registry
from leadlight.settings import SiteError
from leadlight.settings.stores import Stores
from tests import builders
from tests.training.training_builders import made_place, made_rows
from training.pipeline import train
from training.tracking import Record, Rows, track


def test_a_run_holds_what_was_chosen(tmp_path: Path) -> None:
    """Parameters, metrics that exist, tags, data digests and files; further runs join the same experiment."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "verdict.json").write_text("{}", encoding="utf-8")
    rows = (Rows("training", "d" * 64, 100, 20),)
    record = Record(
        "train until 2025-01-01: reject",
        {"seed": 7},
        {"auc": 0.8, "recall": None},
        {"verdict": "reject"},
        rows,
        tmp_path / "files",
    )

    runs = [track(builders.site(), "first_order", record, state=tmp_path / "state") for _ in range(2)]

    client = registry.mlflow_client(builders.site(), tmp_path / "state")
    first, second = (client.get_run(run_id) for run_id in runs)
    assert first.info.experiment_id == second.info.experiment_id
    assert first.info.run_name == "train until 2025-01-01: reject"
    assert first.data.params == {"seed": "7"}
    assert first.data.metrics == {"auc": 0.8}
    assert first.data.tags["verdict"] == "reject"
    assert [file.path for file in client.list_artifacts(runs[0])] == ["verdict.json"]
    assert first.inputs is not None
    assert first.inputs.dataset_inputs[0].dataset.digest == "d" * 36


def test_an_mlflow_that_is_away_is_told_before_anything_is_fitted(tmp_path: Path) -> None:
    """No workshop is opened for a training whose record nobody could keep."""
    rows = made_rows(400)
    place = made_place(tmp_path, rows)
    site = place.site.model_copy(update={"stores": Stores(tracking="postgresql://nobody@127.0.0.1:9/none")})

    with pytest.raises(SiteError, match="MLflow did not do its part"):
        train(site, place.catalogue, "sale", state=place.state)

    assert not (place.state / "bundles").exists()


def test_a_run_that_breaks_is_marked_failed(tmp_path: Path) -> None:
    """A training that cannot be recorded leaves no run that looks finished."""
    record = Record("a run", {}, {"no\nname": 1.0}, {}, (), tmp_path)

    with pytest.raises(SiteError, match="Invalid"):
        track(builders.site(), "first_order", record, state=tmp_path / "state")

    client = registry.mlflow_client(builders.site(), tmp_path / "state")
    experiment = client.get_experiment_by_name("tiny-first_order")
    assert experiment is not None
    assert [run.info.status for run in client.search_runs([experiment.experiment_id])] == ["FAILED"]
