"""The spine: which person is looked at when. Knows no outcome but as a fact that closes a lead."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import ibis
import pyarrow as pa

from features.facts import Tables
from features.people import without_merged
from leadlight.schema import (
    ARRIVED_AT,
    AS_OF,
    AT,
    CHANNEL,
    CREATED_AT,
    KIND,
    KNOWN_AT,
    LEAD_ID,
    UNTIL,
    Micros,
    local_day,
    midnight,
)
from leadlight.settings import WEEKDAYS, Observe, Site, Target
from leadlight.settings.target import Population

ONE_DAY = dt.timedelta(days=1)
THURSDAY = WEEKDAYS.index("thursday")
"""The weekday of day 0, 1970-01-01."""

ROW = (LEAD_ID, AS_OF, CHANNEL)


def spine_file(state: Path, target: str) -> Path:
    """Where the build leaves a target's labelled spine: ``lead_id``, ``as_of`` (µs), ``channel``, ``label``."""
    return state / "spines" / f"{target}.parquet"


def training_spine(site: Site, target: Target, tables: Tables, *, end: Micros) -> ibis.Table:
    """``lead_id, as_of, channel`` of every moment up to ``end`` at which ``target`` looks at a person it is about.

    ``tables`` are those of ``as_people``. A person has one row a moment, under the lead it is then named after. Who had
    converted by then is still among them: ``features.labels`` drops and counts those.
    """
    observe = target.observe
    if observe.every is None:
        moments = _offset_moments(tables.leads, observe.offsets)
    else:
        moments = _calendar_moments(site, observe, tables.leads, end)
    within = [moments[AS_OF] <= end]
    if observe.first is not None:
        within.append(moments[AS_OF] >= site.midnight(observe.first))
    if observe.last is not None:
        within.append(moments[AS_OF] < site.midnight(observe.last + ONE_DAY))
    return _belonging(without_merged(moments.filter(within), tables), target.population, tables)


def open_leads(target: Target, tables: Tables, *, as_of: Micros) -> ibis.Table:
    """``lead_id, as_of, channel`` of the persons ``target`` is about and that are not known to have converted.

    ``tables`` are those of ``as_people``.
    """
    leads = tables.leads.filter(tables.leads[CREATED_AT] < as_of)
    looked_at = without_merged(_looked_at(leads, ibis.literal(as_of, "int64")), tables)
    rows = _belonging(looked_at, target.population, tables)
    closing = tables.events.filter(tables.events[KIND].isin(target.lacks))
    return rows.anti_join(closing, _known(closing, rows))


def _offset_moments(leads: ibis.Table, offsets: tuple[Micros, ...]) -> ibis.Table:
    """An offset of 0 means 1 µs after creation, so that what was given at creation counts."""
    distinct = sorted({max(offset, 1) for offset in offsets})
    return ibis.union(*(_looked_at(leads, leads[CREATED_AT] + offset) for offset in distinct))


def _calendar_moments(site: Site, observe: Observe, leads: ibis.Table, end: Micros) -> ibis.Table:
    """The local midnights of the cadence at which a lead is known and at most ``until`` old."""
    oldest = leads[CREATED_AT].min().to_pyarrow().as_py()
    midnights = [] if oldest is None else _midnights(site, observe, oldest, end)
    days = ibis.memtable(pa.table({AS_OF: pa.array(midnights, pa.int64())}))
    is_young = [leads[CREATED_AT] < days[AS_OF], days[AS_OF] <= leads[CREATED_AT] + observe.until]
    return leads.join(days, [*is_young, leads[KNOWN_AT] <= days[AS_OF]]).select(*ROW)


def _midnights(site: Site, observe: Observe, oldest: Micros, end: Micros) -> list[Micros]:
    days = range(local_day(oldest, site.offset), local_day(end, site.offset) + 1)
    weekday = WEEKDAYS.index(observe.every) if observe.every in WEEKDAYS else None
    return [midnight(day, site.offset) for day in days if weekday in {None, (day + THURSDAY) % 7}]


def _looked_at(leads: ibis.Table, as_of: ibis.Value) -> ibis.Table:
    """The leads that are known at ``as_of``, which lies after their creation."""
    rows = leads.mutate(**{AS_OF: as_of})
    return rows.filter(rows[KNOWN_AT] <= rows[AS_OF]).select(*ROW)


def _belonging(rows: ibis.Table, population: Population, tables: Tables) -> ibis.Table:
    """The rows whose lead is by then known to have what ``population`` asks for, and to be quiet where it asks so."""
    rows = _having(rows, population.has, tables.events)
    quiet = population.quiet
    if quiet is None:
        return rows
    signs = tables.events.filter(tables.events[KIND].isin(quiet.kinds))
    rows = rows.anti_join(signs, [*_known(signs, rows), signs[AT] >= rows[AS_OF] - quiet.length])
    leads = tables.leads
    return rows.semi_join(leads, [leads[LEAD_ID] == rows[LEAD_ID], leads[CREATED_AT] < rows[AS_OF] - quiet.length])


def _having(rows: ibis.Table, kinds: tuple[str, ...], events: ibis.Table) -> ibis.Table:
    """The rows whose lead is known to have had an event of every one of ``kinds``."""
    for kind in kinds:
        needed = events.filter(events[KIND] == kind)
        rows = rows.semi_join(needed, _known(needed, rows))
    return rows


def _known(events: ibis.Table, rows: ibis.Table) -> list[ibis.Value]:
    return [
        events[LEAD_ID] == rows[LEAD_ID],
        events[AT] < rows[AS_OF],
        events[ARRIVED_AT] <= rows[AS_OF],
        events[UNTIL].isnull() | (events[UNTIL] > rows[AS_OF]),
    ]
