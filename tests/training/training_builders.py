"""A small site with its feature tables as a build leaves them, of rows whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.catalogue import Catalogue, load_catalogue, target_columns
from features.spine import spine_file
from features.store import lead_table
from features.store.door import Store
from leadlight.model.margins import sigmoid
from leadlight.schema import DAY, FOREVER
from leadlight.settings import Site, load_site
from training.dataset import Dataset, split_rows

START = 20_000 * DAY
SITE = """
[site]
name = "tiny"
title = {{zh = "小站", en = "Tiny"}}
utc_offset = "+08:00"
[kinds.buy]
[targets.sale]
outcome = ["buy"]
horizon = "3d"
observe = {{offsets = ["7d"]}}
[targets.sale.operate]
flag_share = 0.2
[targets.sale.gate]
precision = {precision}
recall = {recall}
[leaks]
{leaks}
"""
FEATURE = """
[[feature]]
name = "{name}"
kind = "attribute"
column = "{name}"
type = "{type}"
zh = "{name}"
en = "{name}"
"""


class Place(NamedTuple):
    """A site with what its build left behind, ready to train on."""

    site: Site
    catalogue: Catalogue
    state: Path


def made_rows(rows: int = 2500, *, seed: int = 3) -> pd.DataFrame:
    """Leads seen once each, in time order: visits, minutes (often missing) and city count, noise does not."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "lead_id": [f"lead-{number:05d}" for number in range(rows)],
            "as_of": START + np.arange(rows, dtype=np.int64) * (100 * DAY // rows),
            "channel": random.choice(np.array(["ads", "search", "referral"], dtype=object), rows),
            "visits": random.poisson(2, rows).astype(np.float64),
            "minutes": np.where(random.random(rows) < 0.3, np.nan, random.exponential(20, rows)),
            "city": random.choice(np.array(["Beijing", "Wuhan", None], dtype=object), rows),
            "noise": random.normal(size=rows),
        }
    )
    margin = -2.2 + 0.7 * (frame["visits"] - 2) + 0.03 * frame["minutes"].fillna(10) + 0.8 * (frame["city"] == "Wuhan")
    frame["label"] = (random.random(rows) < sigmoid(margin.to_numpy())).astype(np.int8)
    return frame


def made_place(
    folder: Path, rows: pd.DataFrame, *, precision: float = 0.2, recall: float = 0.2, leaks: str = ""
) -> Place:
    """The tiny site in ``folder``, its lead table and labelled spine made of ``rows``; extra columns are features."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = SITE.format(precision=precision, recall=recall, leaks=leaks)
    (folder / "leadlight.toml").write_text(settings, encoding="utf-8")
    features = [name for name in rows.columns if name not in {"lead_id", "as_of", "channel", "label"}]
    kinds = {name: "text" if rows[name].dtype == object else "number" for name in features}
    entries = [FEATURE.format(name=name, type=kind) for name, kind in kinds.items()]
    (folder / "catalogue.toml").write_text("".join(entries), encoding="utf-8")
    site = load_site(folder)
    place = Place(site, load_catalogue(site), folder / "state")
    write_state(place, rows)
    return place


def write_state(place: Place, rows: pd.DataFrame) -> None:
    """The offline lead table, the spine and Feast's registry."""
    lead_table(place.state).parent.mkdir(parents=True, exist_ok=True)
    spine_file(place.state, "sale").parent.mkdir(parents=True, exist_ok=True)
    keys = pa.Table.from_pandas(rows[["lead_id", "as_of", "channel", "label"]], preserve_index=False)
    pq.write_table(keys, spine_file(place.state, "sale"))
    features = pa.Table.from_pandas(rows.drop(columns=["channel", "label"]), preserve_index=False)
    moments = features["as_of"]
    table = features.set_column(1, "as_of", moments.cast(pa.timestamp("us", tz="UTC")))
    table = table.append_column("row_as_of", moments).append_column("valid_until", pa.array([FOREVER] * len(rows)))
    pq.write_table(table, lead_table(place.state))
    Store(site=place.site, catalogue=place.catalogue, state=place.state).apply()


def as_dataset(place: Place, rows: pd.DataFrame) -> Dataset:
    """``rows`` as ``load`` would return them, without going through Feast."""
    target = place.site.targets["sale"]
    columns = target_columns(place.catalogue, target.exclude)
    as_of: npt.NDArray[np.int64] = rows["as_of"].to_numpy()
    return Dataset(
        columns=columns,
        lead_id=_objects(rows["lead_id"]),
        as_of=as_of,
        channel=_objects(rows["channel"]),
        X=rows[[column.name for column in columns]].copy(),
        y=rows["label"].to_numpy(),
        split=split_rows(as_of, target=target, offset=place.site.offset),
    )


def _objects(values: pd.Series[Any]) -> npt.NDArray[np.object_]:
    return values.to_numpy(dtype=object)
