"""Any features of any leads at any moment, as a table: the values that training and serving read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import ibis
import pyarrow as pa

from features import context, relational
from features.catalogue import Catalogue, Column, ColumnType, Context
from features.facts import Tables
from features.naming import named
from features.people import as_people, without_merged
from features.rows import newest_closed_day
from leadlight.schema import (
    AS_OF,
    CANONICAL_ID,
    CHANNEL,
    CONTEXT_KEY,
    CREATED_AT,
    EVERYBODY,
    KNOWN_AT,
    LEAD_ID,
    SINCE,
    UNTIL,
    Micros,
    from_micros,
)
from leadlight.settings import Site, UsageError

NEAR_TOLD = 20
"""For how many unknown leads the nearest known id is looked up: each costs a scan of all ids."""

_TYPES: dict[ColumnType, pa.DataType] = {"int": pa.int64(), "float": pa.float64(), "str": pa.string()}
_ASKED = "_asked"
_FROM = "_channel"
_NEAREST = "_nearest"
_EDITS = "_edits"
_FAR = 3


def chosen_columns(columns: Sequence[Column], names: Sequence[str]) -> tuple[Column, ...]:
    """The columns that ``names`` mean, of columns or entries; without names all. Every unknown one is told at once."""
    if not names:
        return tuple(columns)
    found, unknown = named(columns, names)
    if unknown:
        raise UsageError([f"--features: {name!r} is no feature; {_near(close)}" for name, close in unknown.items()])
    return found


def schema_of(columns: Iterable[Column]) -> pa.Schema:
    """``lead_id``, ``as_of`` (timestamp, UTC) and ``columns``."""
    own = [(column.name, _TYPES[column.type]) for column in columns]
    return pa.schema([(LEAD_ID, pa.string()), (AS_OF, pa.timestamp("us", tz="UTC")), *own])


def export_rows(
    site: Site,
    catalogue: Catalogue,
    tables: Tables,
    *,
    columns: Sequence[Column],
    leads: Sequence[str] | None,
    as_of: Micros,
) -> pa.Table:
    """``columns`` of each of ``leads`` (``None``: of all known at ``as_of``), ordered by ``lead_id``.

    A person whose leads were merged has one row, under the lead it was named after at ``as_of``, whichever of them was
    asked for. A ``UsageError`` lists every lead that was not known at ``as_of``.
    """
    spine = _known(tables, as_of)
    if leads is not None:
        asked = _memtable(LEAD_ID, sorted(set(leads)))
        _check_leads(asked, tables.leads, spine, as_of)
        spine = spine.semi_join(_persons(asked, tables, as_of), LEAD_ID)
    rows = relational.evaluate(catalogue, site, as_people(tables), without_merged(spine, tables))
    if any(isinstance(column.entry, Context) for column in columns):
        rows = _with_context(rows, site, catalogue, tables, as_of)
    rows = rows.select(LEAD_ID, AS_OF, *(column.name for column in columns)).order_by(LEAD_ID)
    found = rows.to_pyarrow()
    schema = schema_of(columns)
    return pa.table([found[field.name].cast(field.type) for field in schema], schema=schema)


def _known(tables: Tables, as_of: Micros) -> ibis.Table:
    leads = tables.leads
    known = leads.filter(leads[CREATED_AT] < as_of, leads[KNOWN_AT] <= as_of)
    return known.select(LEAD_ID, **{AS_OF: ibis.literal(as_of, "int64")})


def _persons(asked: ibis.Table, tables: Tables, as_of: Micros) -> ibis.Table:
    """The leads that the persons of ``asked`` were named after at ``as_of``."""
    then = tables.identity.filter(tables.identity[SINCE] <= as_of, as_of < tables.identity[UNTIL])
    persons = asked.left_join(then.select(LEAD_ID, CANONICAL_ID), LEAD_ID)
    return persons.select(**{LEAD_ID: persons[CANONICAL_ID].fill_null(persons[LEAD_ID])}).distinct()


def _with_context(rows: ibis.Table, site: Site, catalogue: Catalogue, tables: Tables, as_of: Micros) -> ibis.Table:
    """``rows`` with the context columns of the day that had closed last, joined by key as the server reads them."""
    day = newest_closed_day(site, as_of)
    closed = context.close(catalogue, site, tables, day, day)
    own, everybody = (
        closed.select(CONTEXT_KEY, *(column.name for column in catalogue.context_columns if _scope(column) == scope))
        for scope in (CHANNEL, EVERYBODY)
    )
    rows = rows.inner_join(tables.leads.select(LEAD_ID, **{_FROM: tables.leads[CHANNEL]}), LEAD_ID)
    rows = rows.left_join(own, rows[_FROM] == own[CONTEXT_KEY]).drop(CONTEXT_KEY)
    return rows.left_join(everybody, everybody[CONTEXT_KEY] == EVERYBODY)


def _scope(column: Column) -> str | None:
    return column.entry.scope if isinstance(column.entry, Context) else None


def _check_leads(asked: ibis.Table, leads: ibis.Table, known: ibis.Table, as_of: Micros) -> None:
    moment = from_micros(as_of).isoformat()
    later = asked.semi_join(leads, LEAD_ID).anti_join(known, LEAD_ID)
    unknown = _ids(asked.anti_join(leads, LEAD_ID))
    nearest = _nearest(unknown[:NEAR_TOLD], leads)
    faults = [f"lead {lead!r} is not in the history; {_near(nearest.get(lead, ()))}" for lead in unknown]
    faults += [f"lead {lead!r} was not known yet at {moment}: ask for a later --as-of" for lead in _ids(later)]
    if faults:
        raise UsageError(faults)


def _nearest(unknown: Sequence[str], leads: ibis.Table) -> dict[str, tuple[str, ...]]:
    """The known id with the fewest edits from each of ``unknown``, where these are few."""
    if not unknown:
        return {}
    pairs = _memtable(_ASKED, unknown).cross_join(leads.select(LEAD_ID))
    edits = pairs[_ASKED].levenshtein(pairs[LEAD_ID])
    pairs = pairs.mutate(**{_EDITS: edits}).filter(edits <= _FAR)
    order = [pairs[_EDITS], pairs[LEAD_ID]]
    found = pairs.group_by(_ASKED).aggregate(**{_NEAREST: pairs[LEAD_ID].first(order_by=order)})
    return {row[_ASKED]: (row[_NEAREST],) for row in found.to_pyarrow().to_pylist()}


def _near(names: Sequence[str]) -> str:
    return f"did you mean {' or '.join(names)}?" if names else "nothing is called nearly so"


def _ids(leads: ibis.Table) -> list[str]:
    found: list[str] = leads.order_by(LEAD_ID)[LEAD_ID].to_pyarrow().to_pylist()
    return found


def _memtable(name: str, values: Sequence[str]) -> ibis.Table:
    return ibis.memtable(pa.table({name: pa.array(values, pa.string())}))
