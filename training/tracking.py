"""The record of a training in MLflow: chosen parameters, metrics, the data's digest, and every file it made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leadlight.registry import mlflow_client, model_name
from leadlight.registry.mlflow_client import artifacts_of, reached
from leadlight.settings import Site

if TYPE_CHECKING:
    from mlflow import MlflowClient

PARENT = "mlflow.parentRunId"  # what MLflow's pages nest runs by
DIGEST_LENGTH = 36  # the longest that MLflow keeps


@dataclass(frozen=True)
class Rows:
    """Which rows a training used for what: ``training`` or ``test``."""

    context: str
    digest: str
    rows: int
    positives: int


@dataclass(frozen=True)
class Record:
    """What one training leaves behind: ``name`` says what it was, ``files`` is the folder of all that it made."""

    name: str

    parameters: Mapping[str, object]
    metrics: Mapping[str, float | None]
    tags: Mapping[str, str]
    rows: tuple[Rows, ...]
    files: Path


def check_reached(site: Site, target_name: str, *, state: Path) -> None:
    """``SiteError`` if MLflow cannot have the target's experiment: before the work whose record it would be."""
    client = mlflow_client(site, state)
    with reached():
        _experiment(client, site, target_name, state)


def track(site: Site, target_name: str, record: Record, *, state: Path) -> str:
    """Write one run into the target's experiment and return its id."""
    from mlflow.entities import Metric, Param, RunTag

    client = mlflow_client(site, state)
    with reached(), _run(client, _experiment(client, site, target_name, state), record.name) as run_id:
        client.log_batch(
            run_id,
            metrics=[Metric(name, value, 0, 0) for name, value in record.metrics.items() if value is not None],
            params=[Param(name, str(value)) for name, value in record.parameters.items()],
            tags=[RunTag(name, value) for name, value in record.tags.items()],
        )
        _log_rows(client, run_id, target_name, record.rows)
        client.log_artifacts(run_id, str(record.files))
    return run_id


@dataclass(frozen=True)
class TrialRecord:
    """One trial of a search: its name, what it tried, and its loss over the folds."""

    name: str
    parameters: Mapping[str, object]
    loss: float
    tags: Mapping[str, str]


def track_trials(site: Site, target_name: str, run_id: str, trials: tuple[TrialRecord, ...], *, state: Path) -> None:
    """Write the trials of a search as runs nested in the training's own."""
    from mlflow.entities import Metric, Param, RunTag

    client = mlflow_client(site, state)
    with reached():
        experiment = _experiment(client, site, target_name, state)
        for trial in trials:
            with _run(client, experiment, trial.name) as nested:
                client.log_batch(
                    nested,
                    metrics=[Metric("fold_log_loss", trial.loss, 0, 0)],
                    params=[Param(name, str(value)) for name, value in trial.parameters.items()],
                    tags=[RunTag(name, value) for name, value in {**trial.tags, PARENT: run_id}.items()],
                )


def attach(site: Site, run_id: str, files: Iterable[Path], *, state: Path) -> None:
    """Lay further files beside those of a run."""
    client = mlflow_client(site, state)
    with reached():
        for file in files:
            client.log_artifact(run_id, str(file))


def _experiment(client: MlflowClient, site: Site, target_name: str, state: Path) -> str:
    name = model_name(site, target_name)
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(name, artifact_location=artifacts_of(site, state, name)))


@contextmanager
def _run(client: MlflowClient, experiment: str, name: str) -> Iterator[str]:
    run_id: str = client.create_run(experiment, run_name=name).info.run_id
    try:
        yield run_id
    except BaseException:
        client.set_terminated(run_id, status="FAILED")
        raise
    client.set_terminated(run_id)


def _log_rows(client: MlflowClient, run_id: str, target_name: str, used: tuple[Rows, ...]) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = [
        DatasetInput(
            Dataset(
                name=target_name,
                digest=rows.digest[:DIGEST_LENGTH],
                source_type="feast",
                source=json.dumps({"spine": target_name}),
                profile=json.dumps({"rows": rows.rows, "positives": rows.positives}),
            ),
            [InputTag("mlflow.data.context", rows.context)],
        )
        for rows in used
    ]
    client.log_inputs(run_id, datasets=inputs)
