"""Rows with a known truth and the model fitted on them: what the tests of ``leadlight.model`` and its fit look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadlight.model.bundle import write_bundle
from leadlight.model.manifest import Origin
from leadlight.model.margins import sigmoid
from leadlight.schema import DAY
from leadlight.settings import Grades, Operate
from training.calibrate import freeze_cuts
from training.fit import Fitted, fit

ORIGIN = Origin(
    target="purchase",
    question="q" * 64,
    catalogue_hash="c" * 64,
    data_digest="d" * 64,
    seed=7,
    rows=1500,
    positives=400,
    trained_until=0,
)


class Rows(NamedTuple):
    """Feature rows in time order, their labels, moments and reason groups, and the true margins."""

    X: pd.DataFrame
    y: npt.NDArray[np.int8]
    as_of: npt.NDArray[np.int64]
    groups: dict[str, str]
    truth: npt.NDArray[np.float64]


def made_rows(*, rows: int = 1500, seed: int = 7, base: float = -1.5) -> Rows:
    """Made rows: visits and the channel matter; some columns are empty, constant or of many rare levels."""
    rng = np.random.default_rng(seed)
    channels = np.array(["ads", "referral", "search", None], dtype=object)
    cities = np.array([f"city {place}" for place in range(60)], dtype=object)
    X = pd.DataFrame(
        {
            "visits": rng.poisson(2, rows).astype(float),
            "minutes": np.where(rng.random(rows) < 0.3, np.nan, rng.exponential(20, rows)),
            "channel": rng.choice(channels, rows, p=[0.4, 0.2, 0.3, 0.1]),
            "city": rng.choice(cities, rows, p=np.arange(60, 0, -1) / 1830),
            "empty": np.full(rows, np.nan),
            "always": np.ones(rows),
            "nothing": np.full(rows, None, dtype=object),
        }
    )
    truth = base + 0.6 * (X["visits"] - 2) + 0.03 * X["minutes"].fillna(5) + 1.2 * (X["channel"] == "referral")
    margins = truth.to_numpy()
    y = (rng.random(rows) < sigmoid(margins)).astype(np.int8)
    groups = {name: "behaviour" if name in {"visits", "minutes"} else "profile" for name in X.columns}
    return Rows(X, y, np.arange(rows, dtype=np.int64) * DAY // 10, groups, margins)


def fit_rows(rows: Rows, *, workers: int = 2) -> Fitted:
    """The fit of these rows with a horizon of one day."""
    return fit(rows.X, rows.y, rows.as_of, horizon=DAY, groups=rows.groups, seed=7, workers=workers)


@cache
def fitted() -> Fitted:
    """The fit of the made rows, made once."""
    return fit_rows(made_rows())


def written(folder: Path, fit_result: Fitted | None = None) -> str:
    """A bundle in a new folder; its SHA-256."""
    result = fit_result or fitted()
    rows = made_rows()
    scores = result.model.score(rows.X.iloc[result.last_fold.rows])
    return write_bundle(
        folder,
        result.model,
        origin=ORIGIN,
        cuts=freeze_cuts(scores.probability, operate=Operate(), grades=Grades()),
        rows=rows.X,
        reference={"rows": len(rows.X)},
    )


def in_columns(rows: Sequence[Mapping[str, object]]) -> dict[str, list[object]]:
    """Rows given one by one as columns; all have the first one's names."""
    return {name: [row[name] for row in rows] for name in rows[0]}
