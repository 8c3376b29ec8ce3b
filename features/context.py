"""Context features: what everybody, or a channel, did in the last complete days, counted when each day closed.

A day closes at its midnight plus the site's largest source delay. What had not arrived by then, or had been superseded,
does not count in that day's windows, but what came late may count in a later day's. The facts of a lead that was not
known by then, whose channel nobody could tell, do not count either. Leads count as recorded, whoever is one person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import ibis

from features.catalogue import Catalogue, Column, Context
from features.facts import Tables
from features.relational.rows import as_int64, floor_div
from leadlight.schema import (
    ARRIVED_AT,
    AT,
    CHANNEL,
    CLOSED_AT,
    CONTEXT_KEY,
    CREATED_AT,
    DAY,
    EVERYBODY,
    FOREVER,
    KIND,
    KNOWN_AT,
    LEAD_CREATED,
    LEAD_ID,
    UNTIL,
    Micros,
    midnight,
)
from leadlight.settings import Site

_DAY = "_day"
_SINCE = "_since"
_TILL = "_till"
_FACTS = "_facts"


def closing(site: Site, day: int) -> Micros:
    """The moment at which local ``day`` closes: the midnight that ends it plus the site's largest source delay."""
    return midnight(day + 1, site.offset) + _largest_delay(site)


def close(catalogue: Catalogue, site: Site, tables: Tables, first_day: int, last_day: int) -> ibis.Table:
    """One row per local day from ``first_day`` to ``last_day`` and key: its key, ``closed_at`` and the context columns.

    Keys are ``all`` and every channel that a lead was known to have come through; a lead's facts count for its channel.
    Columns are int64; those of the other scope are null. A range of one day closes a missing newest one.
    """
    columns = catalogue.context_columns
    rows = _keys_and_days(tables.leads, site, first_day, last_day)
    if columns:
        facts = _facts(columns, site, tables, first_day, last_day)
        rows = _running_totals(rows, _steps(columns, facts, first_day), columns)
    rows = rows.filter(rows[_SINCE] <= rows[_DAY])
    closed_at = rows[_DAY] * DAY + closing(site, 0)
    return rows.select(CONTEXT_KEY, **{CLOSED_AT: closed_at}, **{column.name: rows[column.name] for column in columns})


def _keys_and_days(leads: ibis.Table, site: Site, first_day: int, last_day: int) -> ibis.Table:
    """Every key on every day, with the day since which the key exists."""
    days = ibis.range(first_day, last_day + 1).unnest().cast("int64").name(_DAY).as_table()
    channels = leads.group_by(**{CONTEXT_KEY: leads[CHANNEL]}).aggregate(**{_SINCE: _counts_from(leads, site).min()})
    of_all = days.select(**{CONTEXT_KEY: ibis.literal(EVERYBODY), _SINCE: days[_DAY], _DAY: days[_DAY]})
    return channels.cross_join(days).union(of_all)


def _facts(columns: Sequence[Column], site: Site, tables: Tables, first_day: int, last_day: int) -> ibis.Table:
    """How many facts of a kind each channel had on a day, by the days of closing ``[since, till)`` that knew them."""
    longest = max(_days(column) for column in columns)
    earliest, end = midnight(first_day - longest + 1, site.offset), midnight(last_day + 1, site.offset)
    kinds = {kind for column in columns for kind in _entry(column).events}
    leads = tables.leads.select(LEAD_ID, CHANNEL, CREATED_AT, KNOWN_AT)
    events = tables.events.filter(lambda e: e[KIND].isin(sorted(kinds)) & (e[AT] >= earliest) & (e[AT] < end))
    events = events.select(LEAD_ID, KIND, AT, ARRIVED_AT, UNTIL).join(leads, LEAD_ID)
    created = leads.filter(leads[CREATED_AT] >= earliest, leads[CREATED_AT] < end)
    day = floor_div(events[AT] + site.offset, DAY)
    known = events.select(
        CHANNEL,
        KIND,
        **{_DAY: day},
        **{_SINCE: ibis.greatest(day, _first_closing(ibis.greatest(events[ARRIVED_AT], events[KNOWN_AT]), site))},
        **{_TILL: _first_closing(events[UNTIL].fill_null(FOREVER), site)},
    )
    new = created.select(
        CHANNEL,
        **{KIND: ibis.literal(LEAD_CREATED), _DAY: floor_div(created[CREATED_AT] + site.offset, DAY)},
        **{_SINCE: _counts_from(created, site), _TILL: ibis.literal(FOREVER, "int64")},
    )
    facts = known.union(new)
    return facts.group_by([CHANNEL, KIND, _DAY, _SINCE, _TILL]).aggregate(**{_FACTS: facts.count()})


def _counts_from(leads: ibis.Table, site: Site) -> ibis.Value:
    """The first day at whose closing a lead had been created and was known."""
    born = floor_div(leads[CREATED_AT] + site.offset, DAY)
    return ibis.greatest(born, _first_closing(leads[KNOWN_AT], site))


def _first_closing(moment: ibis.Value, site: Site) -> ibis.Value:
    """The first day that closes at or after ``moment``."""
    return floor_div(moment + (site.offset - _largest_delay(site) - 1), DAY)


def _steps(columns: Sequence[Column], facts: ibis.Table, first_day: int) -> ibis.Table:
    """By how much each column of a key differs from the day before; what lies before ``first_day`` is in its step."""
    steps = ibis.union(*_changes(columns, facts, first_day))
    return steps.group_by([CONTEXT_KEY, _DAY]).aggregate(**{c.name: steps[c.name].sum() for c in columns})


def _changes(columns: Sequence[Column], facts: ibis.Table, first_day: int) -> Iterator[ibis.Table]:
    """Each fact enters a window on the day that first knew it, and leaves when it is too old or superseded."""
    for scope, days in sorted({(_entry(column).scope, _days(column)) for column in columns}):
        key = ibis.literal(EVERYBODY) if scope == EVERYBODY else facts[CHANNEL]
        leaves = ibis.least(facts[_DAY] + days, facts[_TILL])
        for day, sign in ((facts[_SINCE], 1), (leaves, -1)):
            amounts = {
                column.name: ibis.cases((facts[KIND].isin(_entry(column).events), sign * facts[_FACTS]), else_=0)
                if (_entry(column).scope, _days(column)) == (scope, days)
                else ibis.literal(0, "int64")
                for column in columns
            }
            counted = facts.select(
                key.name(CONTEXT_KEY),
                **{_DAY: ibis.greatest(day, first_day), _SINCE: facts[_SINCE], _TILL: leaves},
                **amounts,
            )
            yield counted.filter(counted[_SINCE] < counted[_TILL]).drop(_SINCE, _TILL)


def _running_totals(rows: ibis.Table, steps: ibis.Table, columns: Sequence[Column]) -> ibis.Table:
    rows = rows.left_join(steps, [CONTEXT_KEY, _DAY])
    so_far = ibis.window(group_by=rows[CONTEXT_KEY], order_by=rows[_DAY], preceding=None, following=0)
    totals = {}
    for column in columns:
        of_scope = (
            rows[CONTEXT_KEY] == EVERYBODY if _entry(column).scope == EVERYBODY else rows[CONTEXT_KEY] != EVERYBODY
        )
        total = as_int64(rows[column.name].sum().over(so_far)).fill_null(0)
        totals[column.name] = ibis.cases((of_scope, total), else_=None)
    return rows.select(CONTEXT_KEY, _SINCE, _DAY, **totals)


def _entry(column: Column) -> Context:
    if not isinstance(column.entry, Context):
        raise TypeError(column.name)
    return column.entry


def _days(column: Column) -> int:
    return (column.window or 0) // DAY


def _largest_delay(site: Site) -> Micros:
    return max((kind.delay for kind in site.kinds.values()), default=0)
