"""The store of one site: training rows through Feast's point-in-time join, online rows through one guarded door."""

from __future__ import annotations

import features.store.unchecked  # isort: skip  # noqa: F401  # before Feast

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc
from feast import FeatureStore, RepoConfig
from feast.infra.registry.sql import SqlRegistry

from features.catalogue import Catalogue
from features.store.definitions import EVERYBODY_COLUMN, LEAD, define
from features.store.online import OnlineView, Row
from features.store.repo import repo_settings, write_repo_file
from features.store.rows import RowStore
from leadlight.schema import (
    AS_OF,
    CHANNEL,
    CLOSED_AT,
    EVERYBODY,
    LEAD_ID,
    ROW_AS_OF,
    ROW_CLOSED_AT,
    ROW_SEQ,
    VALID_UNTIL,
    Micros,
)
from leadlight.settings import Site, SiteError

__all__ = ["Row", "Store"]

_EVENT_TIMESTAMP = "event_timestamp"
_SPINE_ROW = "spine_row"


class Store:
    """One site's Feast store in one state folder. Open it once and keep it: opening is slow, reading is quick."""

    def __init__(self, *, site: Site, catalogue: Catalogue, state: Path) -> None:
        self._site, self._state = site, state
        self._definitions = define(site, catalogue, state)
        self._feast = FeatureStore(config=RepoConfig(**repo_settings(site, state)))
        config, view = self._feast.config, self._definitions.context
        self._online = online = cast("RowStore", self._feast.provider.online_store)
        online.connect(config)
        self._leads = OnlineView(online, config, self._definitions.lead, time=(AS_OF, ROW_AS_OF))
        self._context = OnlineView(online, config, view, time=(CLOSED_AT, ROW_CLOSED_AT)) if view else None

    def apply(self) -> None:
        """Register the site's entities, views and services with Feast, and make room for their online rows."""
        write_repo_file(self._site, self._state)
        self._feast.apply(self._definitions.objects())

    def close(self) -> None:
        """Give up the connections to servers and files."""
        self._online.disconnect()
        registry = self._feast._registry  # noqa: SLF001 - asked for by its name, Feast would open one to be closed
        if isinstance(registry, SqlRegistry):
            registry.write_engine.dispose()

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
        """Take out every online row, of other catalogues too; a reader then finds none, never a wrong one."""
        self._leads.clear()
        if self._context:
            self._context.clear()

    def write_leads(self, rows: pa.Table) -> None:
        """Write online lead rows: ``lead_id``, ``as_of``, ``valid_until`` (µs), ``row_seq`` and every lead column.

        ``row_seq`` is the log sequence that the row's facts were read at; without the column it is 0. A row is left out
        if its (``row_seq``, ``as_of``) is less than that of the row stored for its lead.
        """
        if ROW_SEQ not in rows.column_names:
            rows = rows.append_column(ROW_SEQ, pa.repeat(pa.scalar(0, pa.int64()), len(rows)))
        self._leads.write(rows)

    def read_leads(self, lead_ids: Iterable[str]) -> dict[str, Row | None]:
        """Each lead's newest row; ``None`` if this catalogue has none for it."""
        return self._leads.read(lead_ids)

    def delete_leads(self, lead_ids: Iterable[str]) -> None:
        """Take out the rows of leads that were merged into another or erased; one without a row is passed over."""
        self._leads.delete(lead_ids)

    def expired(self, before: Micros, limit: int) -> list[str]:
        """Up to ``limit`` leads whose row has a ``valid_until`` of ``before`` or earlier, the longest expired first."""
        return self._leads.expired(before, limit)

    def write_context(self, rows: pa.Table) -> None:
        """Write online context rows: ``context_key``, ``closed_at`` (µs) and every context column.

        A day older than the one stored for its key is left out.
        """
        self._contexts().write(rows)

    def read_context(self, keys: Iterable[str]) -> dict[str, Row | None]:
        """The newest closed day of each key, ``EVERYBODY`` or a channel; ``None`` as for leads."""
        return self._contexts().read(keys)

    def _contexts(self) -> OnlineView:
        if self._context is None:
            message = "this site's catalogue has no context features"
            raise LookupError(message)
        return self._context


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
