"""A tiny site with every column type and both context scopes, and rows for its store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.catalogue import Catalogue, load_catalogue
from features.store import context_table, lead_table
from features.store.door import Store
from leadlight.schema import FOREVER, Micros
from leadlight.settings import Site, load_site

T0: Micros = 1_700_000_000_123_456
EMBEDDED: Mapping[str, str | int] = {}

SITE = """
[site]
name = "tiny"
title = {zh = "小站", en = "Tiny"}
utc_offset = "+08:00"
[kinds.view]
[kinds.buy]
[targets.sale]
outcome = ["buy"]
horizon = "30d"
observe = {offsets = ["7d"]}
gate = {precision = 0.3, recall = 0.2}
exclude = []
"""
LEAD_FEATURES = """
[[feature]]
name = "views"
kind = "count"
events = ["view"]
zh = "浏览"
en = "views"
[[feature]]
name = "spent"
kind = "sum"
events = ["buy"]
zh = "金额"
en = "spent"
[[feature]]
name = "channel"
kind = "attribute"
column = "channel"
zh = "渠道"
en = "channel"
"""
CONTEXT_FEATURES = """
[[feature]]
name = "crowd"
kind = "context"
events = ["view"]
windows = ["7d"]
zh = "全体"
en = "crowd"
[[feature]]
name = "peers"
kind = "context"
events = ["view"]
scope = "channel"
windows = ["7d"]
zh = "渠道"
en = "peers"
"""
FEATURES = LEAD_FEATURES + CONTEXT_FEATURES
LEAD_TYPES = {
    "lead_id": pa.string(),
    "as_of": pa.int64(),
    "valid_until": pa.int64(),
    "views": pa.int64(),
    "spent": pa.float64(),
    "channel": pa.string(),
}
CONTEXT_TYPES = {"context_key": pa.string(), "closed_at": pa.int64(), "crowd_7d": pa.int64(), "peers_7d": pa.int64()}
SPINE_TYPES = {"lead_id": pa.string(), "as_of": pa.int64(), "channel": pa.string(), "label": pa.int8()}


def tiny_site(
    folder: Path,
    features: str = FEATURES,
    exclude: str = "",
    *,
    stores: Mapping[str, str | int] = EMBEDDED,
    name: str = "tiny",
) -> tuple[Site, Catalogue]:
    """A site written to ``folder`` and read back, with the target ``sale``."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = "".join(f"{name} = {json.dumps(where)}\n" for name, where in stores.items())
    text = f"{SITE.replace('[]', f'[{exclude}]').replace('tiny', name, 1)}[stores]\n{kept}"
    (folder / "leadlight.toml").write_text(text, encoding="utf-8")
    (folder / "catalogue.toml").write_text(features, encoding="utf-8")
    site = load_site(folder)
    return site, load_catalogue(site)


def tiny_store(
    folder: Path,
    features: str = FEATURES,
    exclude: str = "",
    *,
    stores: Mapping[str, str | int] = EMBEDDED,
    name: str = "tiny",
) -> Store:
    """An applied store of the tiny site, its state in ``folder/state``."""
    site, catalogue = tiny_site(folder, features, exclude, stores=stores, name=name)
    store = Store(site=site, catalogue=catalogue, state=folder / "state")
    store.apply()
    return store


def table(types: dict[str, pa.DataType], *rows: tuple[object, ...]) -> pa.Table:
    """``rows`` as a table with the columns of ``types``."""
    return pa.table([pa.array([row[i] for row in rows], kind) for i, kind in enumerate(types.values())], list(types))


def ordered_rows(*rows: tuple[object, ...]) -> pa.Table:
    """Rows of (lead_id, row_seq, as_of, valid_until, views, spent, channel)."""
    types = {"lead_id": pa.string(), "row_seq": pa.int64(), **LEAD_TYPES}
    return table(types, *rows)


def lead_rows(*rows: tuple[object, ...]) -> pa.Table:
    """Rows of (lead_id, as_of, views, spent, channel), valid for ever."""
    return table(LEAD_TYPES, *((lead, as_of, FOREVER, *values) for lead, as_of, *values in rows))


def write_offline(state: Path, *, leads: pa.Table, context: pa.Table | None = None) -> None:
    """The offline tables as a build leaves them."""
    lead_table(state).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(_with_event_time(leads, "as_of"), lead_table(state))
    if context is not None:
        pq.write_table(_with_event_time(context, "closed_at"), context_table(state))


def _with_event_time(rows: pa.Table, name: str) -> pa.Table:
    moments = rows[name]
    return rows.set_column(
        rows.column_names.index(name), name, moments.cast(pa.timestamp("us", tz="UTC"))
    ).append_column(f"row_{name}", moments)
