"""An honest comparison: Leadlight and three plain models learn from the same past and score the same later rows."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import average_precision_score, roc_auc_score

from features.catalogue import Catalogue
from leadlight.model.margins import FloatArray, IntArray, sigmoid
from leadlight.schema import AS_OF, LABEL, LEAD_ID, Micros, from_micros
from leadlight.settings import Site, Target
from training.dataset import CALIBRATION, TEST, TRAIN, Dataset, load, local_days
from training.deep import Deep, Predict, deep
from training.evaluate import Scored, log_losses, loss_difference
from training.judgement import window_of
from training.looks import look
from training.pipeline import SEED, fit_rows, freeze
from training.plain import PlainName, fit_plain
from training.points import load_points

LEADLIGHT = "leadlight"
TOP_SHARE = 0.10


@dataclass(frozen=True)
class Backtest:
    """Metrics by model, and for each plain model how much lower Leadlight's log loss is, with a clustered error."""

    target: str
    rows: int
    positives: int
    train_until: str
    test_from: str
    models: Mapping[str, Mapping[str, float | None]]
    differences: Mapping[str, Mapping[str, float]]
    look: int
    made: bool
    deep: Deep | None = None

    def to_json(self) -> dict[str, Any]:
        """The whole comparison as one object; ``deep`` only where it was asked for."""
        found = asdict(self)
        return found if self.deep else {name: value for name, value in found.items() if name != "deep"}

    def lines(self) -> list[str]:
        """The same as a table."""
        names = list(self.models[LEADLIGHT])
        head = f"{self.target}{' (made data)' if self.made else ''}: {self.rows} rows, {self.positives} positive;"
        table = [f"{'':<10}" + "".join(f"{name.replace('_', ' '):>20}" for name in names)]
        for model, metrics in self.models.items():
            table.append(f"{model:<10}" + "".join(f"{_shown(metrics[name]):>20}" for name in names))
        compared = [
            f"log loss against {name}: {gap['log_loss_difference']:+.5f} (standard error {gap['standard_error']:.5f})"
            for name, gap in self.differences.items()
        ]
        looked = f"this was look {self.look} at these test rows: a later candidate must prove more on them"
        deeper = self.deep.lines() if self.deep else []
        return [
            f"{head} learned until {self.train_until}, tested from {self.test_from}",
            *table,
            *compared,
            *deeper,
            looked,
        ]


def backtest(
    site: Site,
    catalogue: Catalogue,
    target_name: str,
    *,
    state: Path,
    predictions: Path | None = None,
    dataset: Path | None = None,
    with_deep: bool = False,
    seed: int = SEED,
) -> Backtest:
    """Fit all four on train and calibration rows and score the test; Leadlight's offset stays as it was frozen.

    ``predictions`` and ``dataset`` are Parquet files to write: the test rows' probabilities, and all feature rows.
    ``with_deep`` refits for ablation, stability and ageing. Whoever reads this has seen the test: it counts as a look,
    the same one as training the same model.
    """
    for file in (predictions, dataset):
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
    _, target = site.target(target_name)
    rows = load(site, catalogue, target_name, state=state)
    learned, test = rows.part(TRAIN, CALIBRATION), rows.part(TEST)
    fitted = fit_rows(learned, target, seed=seed, card=load_points(site, target, learned.columns))
    said = {LEADLIGHT: sigmoid(fitted.model.margin(test.X))}
    plain: tuple[PlainName, ...] = get_args(PlainName)
    said |= {name: fit_plain(name, learned.X, learned.y, seed=seed)(test.X) for name in plain}
    if predictions is not None:
        _write_predictions(test, said, predictions)
    if dataset is not None:
        _write_dataset(rows, dataset)
    with tempfile.TemporaryDirectory() as folder:
        asked = (target_name, target, catalogue)
        bundle = freeze(fitted, learned, Path(folder) / "bundle", asked, site=site, seed=seed)
    place = look(state, target_name, window=window_of(test), bundle_sha256=bundle.sha256)
    return Backtest(
        target=target_name,
        rows=len(test.y),
        positives=int(test.y.sum()),
        train_until=_moment(int(learned.as_of[-1]), site),
        test_from=_moment(int(test.as_of[0]), site),
        models={name: measures(test.y, p) for name, p in said.items()},
        differences=_differences(test, said, local_days(test.as_of, site.offset)),
        look=place,
        made=site.site.made,
        deep=_deep(site, target, learned, test, said[LEADLIGHT], seed=seed) if with_deep else None,
    )


def _deep(site: Site, target: Target, learned: Dataset, test: Dataset, whole: FloatArray, *, seed: int) -> Deep:
    def refit(rows: Dataset, other: int) -> Predict:
        model = fit_rows(rows, target, seed=other).model
        return lambda frame: sigmoid(model.margin(frame))

    return deep(learned, test, whole, local_days(test.as_of, site.offset), refit=refit, seed=seed)


def measures(y: np.ndarray[Any, np.dtype[np.int8]], p: FloatArray) -> dict[str, float | None]:
    """The metrics of one model; those that need both outcomes are ``None`` where there is but one."""
    top = np.argsort(-p, kind="stable")[: max(round(len(p) * TOP_SHARE), 1)]
    found, positives = int(y[top].sum()), int(y.sum())
    both = 0 < positives < len(y)
    return {
        "auc": float(roc_auc_score(y, p)) if both else None,
        "average_precision": float(average_precision_score(y, p)) if both else None,
        "log_loss": float(log_losses(y, p).mean()),
        "brier": float(np.mean((p - y) ** 2)),
        "precision_at_10": found / len(top),
        "recall_at_10": found / positives if positives else None,
    }


def _differences(test: Dataset, said: Mapping[str, FloatArray], day: IntArray) -> dict[str, dict[str, float]]:
    ours = Scored.of(test.lead_id, test.y, said[LEADLIGHT], threshold=1.0, day=day)
    gaps = {name: loss_difference(ours, p) for name, p in said.items() if name != LEADLIGHT}
    return {name: {"log_loss_difference": gap.mean, "standard_error": gap.error} for name, gap in gaps.items()}


def _write_predictions(test: Dataset, said: Mapping[str, FloatArray], path: Path) -> None:
    pq.write_table(pa.table({**_keys(test), **{name: pa.array(p) for name, p in said.items()}}), path)


def _write_dataset(rows: Dataset, path: Path) -> None:
    used = rows.part(TRAIN, CALIBRATION, TEST)
    features = {
        column.name: pa.array(
            used.X[column.name], pa.string() if column.type == "str" else pa.float64(), from_pandas=True
        )
        for column in used.columns
    }
    pq.write_table(pa.table({**_keys(used), "split": pa.array(used.split, pa.string()), **features}), path)


def _keys(rows: Dataset) -> dict[str, pa.Array]:
    return {
        LEAD_ID: pa.array(rows.lead_id, pa.string()),
        AS_OF: pa.array(rows.as_of, pa.timestamp("us", tz="UTC")),
        LABEL: pa.array(rows.y, pa.int8()),
    }


def _moment(as_of: Micros, site: Site) -> str:
    """In the site's own time, so that midnights look like midnights."""
    return from_micros(as_of).astimezone(dt.timezone(dt.timedelta(microseconds=site.offset))).isoformat()


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"
