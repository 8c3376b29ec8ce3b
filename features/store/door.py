"""The store of one site: training rows through Feast's point-in-time join, online rows through one guarded door."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc
from feast import FeatureStore, FeatureView, RepoConfig
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.types import FeastType, Float64, Int64, String

from features.catalogue import Catalogue
from features.store import PROJECT, feast_folder
from features.store.definitions import EVERYBODY_COLUMN, LEAD, define
from features.store.online_sqlite import NewestWinsSqliteOnlineStore, OnlineRow
from leadlight.schema import (
    AS_OF,
    CHANNEL,
    CLOSED_AT,
    CONTEXT_KEY,
    EVERYBODY,
    LEAD_ID,
    ROW_AS_OF,
    ROW_CLOSED_AT,
    VALID_UNTIL,
    from_micros,
)
from leadlight.settings import Site, SiteError

Row = dict[str, int | float | str | None]
"""One online row: its time (``as_of`` or ``closed_at``), a lead's ``valid_until``, and every column by name."""

_ONLINE_STORE = f"{NewestWinsSqliteOnlineStore.__module__}.{NewestWinsSqliteOnlineStore.__name__}"
_EVENT_TIMESTAMP = "event_timestamp"
_SPINE_ROW = "spine_row"
_WRITTEN_AT_ONCE = 5_000  # bounds memory, and how long another writer waits; a row is never parted
_VALUE_FIELDS: dict[FeastType, str] = {Int64: "int64_val", Float64: "double_val", String: "string_val"}


class Store:
    """One site's Feast store in one state folder. Open it once and keep it: opening is slow, reading is quick."""

    def __init__(self, *, site: Site, catalogue: Catalogue, state: Path) -> None:
        self._folder = feast_folder(state)
        self._definitions = define(site, catalogue, state)
        self._feast = FeatureStore(config=_config(self._folder))

    def apply(self) -> None:
        """Register the site's entities, views and services with Feast, and make room for their online rows."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._feast.apply(self._definitions.objects())

    def training_rows(self, *, target: str, spine: pa.Table) -> pa.Table:
        """``spine`` with the target's feature columns as they were known at each ``as_of``, by (as_of, lead_id).

        ``spine`` has ``lead_id``, ``as_of`` (µs), ``channel`` and whatever else shall ride along, such as ``label``.
        Where a feature has a spine column's name (``channel``), the feature is returned. A pair without a row of its
        own in the lead table is a ``SiteError``: an older row never stands in for it.
        """
        spine = spine.sort_by([(AS_OF, "ascending"), (LEAD_ID, "ascending")])
        service = self._definitions.services[target]
        job = self._feast.get_historical_features(
            entity_df=_questions(spine).to_pandas(), features=service, full_feature_names=True
        )
        joined = job.to_arrow().sort_by(_SPINE_ROW)
        _check_exact(spine, joined)
        features = {
            field.name: joined[f"{view.name_alias or view.name}__{field.name}"]
            for view in service.feature_view_projections
            for field in view.features
            if field.name not in {ROW_AS_OF, VALID_UNTIL, ROW_CLOSED_AT}
        }
        kept = {name: spine[name] for name in spine.column_names if name not in features}
        return pa.table({**kept, **features})

    def clear(self) -> None:
        """Take out every online row of this catalogue; a reader then finds none, never a wrong one."""
        for view in (self._definitions.lead, self._definitions.context):
            if view is not None:
                self._online.clear(self._feast.config, view)

    def write_leads(self, rows: pa.Table) -> None:
        """Write online lead rows: ``lead_id``, ``as_of``, ``valid_until`` (µs) and every lead column.

        A row older than the one stored for its lead is left out.
        """
        self._write(self._definitions.lead, rows.append_column(ROW_AS_OF, rows[AS_OF]), key=LEAD_ID, time=ROW_AS_OF)

    def read_leads(self, lead_ids: Iterable[str]) -> dict[str, Row | None]:
        """Each lead's newest row; ``None`` if this catalogue has none for it."""
        return self._read(self._definitions.lead, lead_ids, key=LEAD_ID, times={ROW_AS_OF: AS_OF})

    def write_context(self, rows: pa.Table) -> None:
        """Write online context rows: ``context_key``, ``closed_at`` (µs) and every context column."""
        rows = rows.append_column(ROW_CLOSED_AT, rows[CLOSED_AT])
        self._write(self._context_view(), rows, key=CONTEXT_KEY, time=ROW_CLOSED_AT)

    def read_context(self, keys: Iterable[str]) -> dict[str, Row | None]:
        """The newest closed day of each key, ``EVERYBODY`` or a channel; ``None`` as for leads."""
        return self._read(self._context_view(), keys, key=CONTEXT_KEY, times={ROW_CLOSED_AT: CLOSED_AT})

    @property
    def _online(self) -> NewestWinsSqliteOnlineStore:
        store = self._feast.provider.online_store
        if not isinstance(store, NewestWinsSqliteOnlineStore):
            raise TypeError(type(store).__name__)
        return store

    def _context_view(self) -> FeatureView:
        if self._definitions.context is None:
            message = "this site's catalogue has no context features"
            raise LookupError(message)
        return self._definitions.context

    def _write(self, view: FeatureView, rows: pa.Table, *, key: str, time: str) -> None:
        for part in rows.to_batches(max_chunksize=_WRITTEN_AT_ONCE):
            self._feast.provider.online_write_batch(self._feast.config, view, _encoded(view, part, key, time), None)

    def _read(self, view: FeatureView, ids: Iterable[str], *, key: str, times: dict[str, str]) -> dict[str, Row | None]:
        wanted = list(dict.fromkeys(ids))
        names = [(field.name, times.get(field.name, field.name)) for field in view.features]
        keys = [_entity_key(key, value) for value in wanted]
        # Feast's provider, not get_online_features: the same rows without its resolving of names at every call
        found = self._feast.provider.online_read(self._feast.config, view, keys)
        return {value: _decoded(names, values) for value, (_, values) in zip(wanted, found, strict=True)}


def _config(folder: Path) -> RepoConfig:
    return RepoConfig(
        project=PROJECT,
        provider="local",
        registry=str(folder / "registry.db"),
        offline_store={"type": "duckdb"},
        online_store={"type": _ONLINE_STORE, "path": str(folder / "online.db")},
        entity_key_serialization_version=3,
    )


def _questions(spine: pa.Table) -> pa.Table:
    """What Feast joins on: the spine's keys and times, with the number of the spine row that puts answers in order."""
    return pa.table(
        {
            _SPINE_ROW: pa.array(range(len(spine)), pa.int64()),
            LEAD_ID: spine[LEAD_ID],
            CHANNEL: spine[CHANNEL],
            EVERYBODY_COLUMN: pa.repeat(EVERYBODY, len(spine)),
            _EVENT_TIMESTAMP: spine[AS_OF].cast(pa.timestamp("us", tz="UTC")),
        }
    )


def _check_exact(spine: pa.Table, joined: pa.Table) -> None:
    if len(joined) != len(spine):
        raise SiteError([f"the join returned {len(joined)} rows for a spine of {len(spine)}: run `leadlight build`"])
    exact = pc.fill_null(pc.equal(joined[f"{LEAD.name}__{ROW_AS_OF}"], spine[AS_OF]), fill_value=False)
    missing = spine.filter(pc.invert(exact)).select([LEAD_ID, AS_OF])
    if len(missing):
        first = missing.slice(0, 1).to_pylist()[0]
        fault = f"{len(missing)} of {len(spine)} spine rows have no row of their own in the lead table, such as {first}"
        raise SiteError([f"{fault}: run `leadlight build`"])


def _encoded(view: FeatureView, rows: pa.RecordBatch, key: str, time: str) -> list[OnlineRow]:
    names = [field.name for field in view.features]
    columns = [_values(rows[field.name], _VALUE_FIELDS[field.dtype]) for field in view.features]
    return [
        (_entity_key(key, value), dict(zip(names, values, strict=True)), from_micros(moment), None)
        for value, moment, *values in zip(rows[key].to_pylist(), rows[time].to_pylist(), *columns, strict=True)
    ]


def _values(column: pa.Array, field: str) -> list[Value]:
    missing = Value()
    return [missing if value is None else Value(**{field: value}) for value in column.to_pylist()]


def _entity_key(key: str, value: str) -> EntityKey:
    return EntityKey(join_keys=[key], entity_values=[Value(string_val=value)])


def _decoded(names: list[tuple[str, str]], values: dict[str, Value] | None) -> Row | None:
    return None if values is None else {name: _python(values[stored]) for stored, name in names}


def _python(value: Value) -> int | float | str | None:
    field = value.WhichOneof("val")
    return None if field is None else cast("int | float | str", getattr(value, field))
