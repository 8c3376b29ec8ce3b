"""What became of leads: labels of any rows, the moments looked at since, and how late outcomes arrive."""

from __future__ import annotations

from pathlib import Path

import ibis
import pyarrow as pa

from features import context, relational
from features.catalogue import Catalogue, Context
from features.facts import Tables
from features.history import open_history
from features.labels import CONVERTED, MATURE, judge
from features.people import as_people
from features.rows import newest_closed_day
from features.spine import training_spine
from leadlight.schema import (
    ARRIVED_AT,
    AS_OF,
    AT,
    CHANNEL,
    CLOSED_AT,
    CONTEXT_KEY,
    CREATED_AT,
    EVENT_ID,
    EVERYBODY,
    KIND,
    LABEL,
    LEAD_ID,
    Micros,
)
from leadlight.settings import Site

_NONE = pa.schema(
    [
        (LEAD_ID, pa.string()),
        (AS_OF, pa.int64()),
        (LABEL, pa.int8()),
        (MATURE, pa.bool_()),
        (CONVERTED, pa.bool_()),
        (CREATED_AT, pa.int64()),
    ]
)


def outcomes(site: Site, target_name: str, state: Path, *, rows: pa.Table, end: Micros) -> pa.Table:
    """``lead_id, as_of, label, mature, converted, created_at`` of ``rows`` (``lead_id``, ``as_of``) up to ``end``.

    ``created_at`` is null of a lead that the history does not hold. Outcomes of leads that are one person with the
    row's count as in training.
    """
    if len(rows) == 0:
        return _NONE.empty_table()
    with open_history(state).reading() as tables:
        spine = ibis.memtable(rows.select([LEAD_ID, AS_OF]).group_by([LEAD_ID, AS_OF]).aggregate([]))
        judged = judge(site.targets[target_name], tables, spine, end=end)
        found = judged.left_join(tables.leads, LEAD_ID).select(judged, tables.leads[CREATED_AT])
        return found.order_by(AS_OF, LEAD_ID).to_pyarrow()


def scheduled_rows(
    site: Site, catalogue: Catalogue, target_name: str, state: Path, *, after: Micros, end: Micros
) -> pa.Table:
    """Every moment in ``(after, end]`` that the target's schedule looks at, judged, with all columns of the catalogue.

    ``lead_id, as_of, channel, label, mature, converted`` and the columns as they were known at ``as_of``; unlike the
    training spine it has the rows whose label is not mature yet.
    """
    target = site.targets[target_name]
    with open_history(state).reading() as tables:
        people = as_people(tables)
        spine = training_spine(site, target, people, end=end)
        judged = judge(target, tables, spine.filter(spine[AS_OF] > after), end=end).order_by(AS_OF, LEAD_ID)
        found = judged.to_pyarrow()
        moments = ibis.memtable(found.select([LEAD_ID, AS_OF]))
        rows = relational.evaluate(catalogue, site, people, moments).order_by(AS_OF, LEAD_ID).to_pyarrow()
        whole = {name: found[name] for name in found.column_names}
        own = {name: rows[name] for name in rows.column_names}
        return pa.table({**whole, **own, **_context_columns(site, catalogue, tables, found)})


def outcome_delays(site: Site, target_name: str, state: Path, *, since: Micros, end: Micros) -> pa.Table:
    """``kind, delay`` (µs from happening to first arriving) of every outcome that happened in ``[since, end)``."""
    with open_history(state).reading() as tables:
        events = tables.events.filter(tables.events[KIND].isin(site.targets[target_name].outcome))
        first = events.group_by(EVENT_ID, KIND).aggregate(
            **{AT: events[AT].min(), ARRIVED_AT: events[ARRIVED_AT].min()}
        )
        within = first.filter(first[AT] >= since, first[AT] < end)
        return within.select(KIND, delay=within[ARRIVED_AT] - within[AT]).order_by(KIND, "delay").to_pyarrow()


def _context_columns(site: Site, catalogue: Catalogue, tables: Tables, rows: pa.Table) -> dict[str, pa.Array]:
    """The context columns of each row's channel, and of everybody, at its newest closed day."""
    if not catalogue.context_columns or len(rows) == 0:
        return {column.name: pa.nulls(len(rows), pa.int64()) for column in catalogue.context_columns}
    days = [newest_closed_day(site, moment) for moment in rows[AS_OF].to_pylist()]
    closed = context.close(catalogue, site, tables, min(days), max(days)).to_pyarrow().to_pylist()
    by_day = {(row[CONTEXT_KEY], row[CLOSED_AT]): row for row in closed}
    closings = [context.closing(site, day) for day in days]
    keys = {"channel": rows[CHANNEL].to_pylist(), EVERYBODY: [EVERYBODY] * len(rows)}
    columns = {}
    for column in catalogue.context_columns:
        scope = column.entry.scope if isinstance(column.entry, Context) else EVERYBODY
        found = (by_day.get(place, {}) for place in zip(keys[scope], closings, strict=True))
        columns[column.name] = pa.array([row.get(column.name) for row in found], pa.int64())
    return columns
