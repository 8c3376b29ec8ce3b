"""A target's rows as a model sees them: features, label and part of the time-ordered split. Knows no model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.catalogue import Catalogue, Column, target_columns
from features.spine import spine_file
from leadlight.schema import AS_OF, CHANNEL, DAY, LABEL, LEAD_ID, Micros, day_number, midnight
from leadlight.settings import Site, SiteError, Target
from training.fit import calibration_start

Part = Literal["train", "calibration", "test", "gap"]
TRAIN: Final = "train"
CALIBRATION: Final = "calibration"
TEST: Final = "test"
GAP: Final = "gap"

Names = npt.NDArray[np.object_]
Moments = npt.NDArray[np.int64]
Labels = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows by (as_of, lead_id); ``X`` has the model's columns: float64 with NaN, or object with None."""

    columns: tuple[Column, ...]
    lead_id: Names
    as_of: Moments
    channel: Names
    X: pd.DataFrame
    y: Labels
    split: Names

    def part(self, *parts: Part) -> Dataset:
        """The rows of these parts of the split, in order."""
        return self.where(np.isin(self.split, parts))

    def where(self, rows: npt.NDArray[np.bool_]) -> Dataset:
        """Some of the rows, in order."""
        return Dataset(
            columns=self.columns,
            lead_id=self.lead_id[rows],
            as_of=self.as_of[rows],
            channel=self.channel[rows],
            X=self.X[rows].reset_index(drop=True),
            y=self.y[rows],
            split=self.split[rows],
        )

    @property
    def outcomes(self) -> tuple[int, int]:
        """How many leads converted in some row, and how many in none."""
        converted = len(set(self.lead_id[self.y == 1]))
        return converted, len(set(self.lead_id)) - converted

    @property
    def digest(self) -> str:
        """SHA-256 of everything a fit or a judgement depends on: keys, labels, split and feature values."""
        values = (self.X[name].to_numpy() for name in self.X)
        return _digest([self.lead_id, self.as_of, self.y, self.split, *values], self.X.columns)

    @property
    def keys_digest(self) -> str:
        """SHA-256 of who is seen when and with what outcome: two candidates face the same test if it is the same."""
        return _digest([self.lead_id, self.as_of, self.y], ())


def load(site: Site, catalogue: Catalogue, target_name: str, *, state: Path) -> Dataset:
    """The target's mature rows from Feast's point-in-time join, split by time.

    ``build`` must have made the spine; a target without rows to learn from or to judge by is a ``SiteError``.
    """
    from features.store.door import Store

    spine = pq.read_table(spine_file(state, target_name)).sort_by([(AS_OF, "ascending"), (LEAD_ID, "ascending")])
    _, target = site.target(target_name)
    rows = Store(site=site, catalogue=catalogue, state=state).training_rows(target=target_name, spine=spine)
    columns = target_columns(catalogue, target.exclude)
    as_of = spine[AS_OF].to_numpy()
    split = split_rows(as_of, target=target, offset=site.offset)
    _check_parts(split, target_name)
    return Dataset(
        columns=columns,
        lead_id=_texts(spine[LEAD_ID]),
        as_of=as_of,
        channel=_texts(spine[CHANNEL]),
        X=pd.DataFrame({column.name: _values(rows[column.name], column) for column in columns}),
        y=spine[LABEL].to_numpy().astype(np.int8),
        split=split,
    )


def split_rows(as_of: Moments, *, target: Target, offset: Micros) -> Names:
    """The part of each row; ``as_of`` is sorted.

    The test is every row from the site's date on, or the latest share of rows (all rows of the first moment included).
    A training row's outcome must be known before the test begins: ``as_of + horizon + outcome delay <= test start``.
    What is neither is ``gap``. The last fold of the training rows is ``calibration``.
    """
    starts, ends = _borders(as_of, target=target, offset=offset)
    split = np.full(len(as_of), GAP, dtype=object)
    split[as_of >= starts] = TEST
    known = as_of + target.horizon + target.outcome_delay
    training = np.flatnonzero((as_of < min(ends, starts)) & (known <= starts))
    split[training] = TRAIN
    split[training[calibration_start(len(training)) :]] = CALIBRATION
    return split


def local_days(as_of: Moments, offset: Micros) -> Moments:
    """The number of the local day of each moment, as ``leadlight.schema.local_day`` counts them."""
    return (as_of + offset) // DAY


def local_months(as_of: Moments, offset: Micros) -> Names:
    """The local month of each moment, such as ``2025-03``."""
    return (as_of + offset).astype("datetime64[us]").astype("datetime64[M]").astype(str).astype(object)


def _borders(as_of: Moments, *, target: Target, offset: Micros) -> tuple[Micros, Micros]:
    """The moment the test begins, and the one before which training rows lie."""
    split = target.split
    if split.train_until is not None and split.test_from is not None:
        return midnight(day_number(split.test_from), offset), midnight(day_number(split.train_until) + 1, offset)
    if len(as_of) == 0:
        return 0, 0
    starts = int(as_of[len(as_of) - max(round(len(as_of) * split.test_share), 1)])
    return starts, starts


def _check_parts(split: Names, target_name: str) -> None:
    rows = {part: int((split == part).sum()) for part in (TRAIN, CALIBRATION, TEST, GAP)}
    if not (rows[TRAIN] and rows[CALIBRATION] and rows[TEST]):
        counts = ", ".join(f"{part} {number}" for part, number in rows.items())
        fault = f"targets.{target_name}.split leaves a part without mature rows ({counts})"
        raise SiteError([f"{fault}: give more history, a shorter horizon, or other dates"])


def _values(values: pa.ChunkedArray, column: Column) -> npt.NDArray[Any]:
    return _texts(values) if column.type == "str" else values.cast(pa.float64()).to_numpy()


def _texts(values: pa.ChunkedArray) -> Names:
    texts = np.empty(len(values), dtype=object)
    texts[:] = values.to_pylist()
    return texts


def _digest(arrays: Iterable[npt.NDArray[Any]], names: Iterable[str]) -> str:
    seen = hashlib.sha256("\n".join(names).encode())
    for values in arrays:
        # repr keeps None apart from "None", and one text from two
        seen.update(values.tobytes() if values.dtype != object else "\n".join(map(repr, values)).encode())
    return seen.hexdigest()
