"""The columns that raw tables must have, and their types."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import ibis
import ibis.expr.datatypes as types

from features.canonical import attribute_types
from features.catalogue import Attribute, Catalogue
from features.checks.finding import Finding, count_rows
from leadlight.schema import AMOUNT, ARRIVED_AT, AT, CHANNEL, CREATED_AT, EVENT_COLUMNS, LEAD_COLUMNS, NOT_RECORDED
from leadlight.settings import Site

ColumnFaults = Iterator[tuple[str, Finding]]

_FITS: dict[str, Callable[[types.DataType], bool]] = {
    "text": lambda given: given.is_string(),
    "number": lambda given: given.is_numeric() or given.is_boolean(),
    "whole number": lambda given: given.is_integer() or (given.is_decimal() and given.scale == 0),
    "time": lambda given: given.is_timestamp() or given.is_date() or given.is_string(),
}


def lead_column_faults(leads: ibis.Table, catalogue: Catalogue) -> ColumnFaults:
    """Each column that is at fault, with its finding; the columns of versions come as a pair or not at all."""
    yield from _column_faults("leads", leads, dict.fromkeys(LEAD_COLUMNS, "text") | {CREATED_AT: "time"})
    moments = [column for column in (AT, ARRIVED_AT) if column in leads.columns]
    yield from _column_faults("leads", leads, dict.fromkeys(moments, "time"))
    if len(moments) == 1:
        advice = "versions of a lead need both at and arrived_at; a lead without versions has neither"
        yield moments[0], Finding("leads", f"column {moments[0]} stands alone", advice)
    read = {e.column: e.type for e in catalogue.feature if isinstance(e, Attribute) and e.column != CHANNEL}
    wanted = read | attribute_types(leads, catalogue)
    for column in wanted:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", column):
            advice = "name it with small letters, digits and _, such as AS lead_origin, or leave it out"
            yield column, Finding("leads", f"column {column!r} cannot be an attribute", advice)
    yield from _column_faults("leads", leads, wanted)


def event_column_faults(events: ibis.Table, site: Site) -> ColumnFaults:
    """Each column that is at fault, with its finding; beside the fixed ones there are only declared labels."""
    wanted = dict.fromkeys(EVENT_COLUMNS, "text") | {AT: "time", ARRIVED_AT: "time", AMOUNT: "whole number"}
    wanted |= dict.fromkeys(site.labels, "text")
    yield from _column_faults("events", events, wanted)
    for column in events.columns:
        if column not in wanted:
            advice = f'declare it in leadlight.toml, labels = ["{column}"] under its [kinds.NAME], or leave it out'
            yield column, Finding("events", f"column {column!r} is no declared label", advice)


def _column_faults(table: str, rows: ibis.Table, wanted: dict[str, str]) -> ColumnFaults:
    for column, kind in wanted.items():
        if column not in rows.columns:
            stand_in = f"'{NOT_RECORDED}'" if column == CHANNEL else "NULL"
            returned = ", ".join(rows.columns)
            advice = f"sources/{table}.sql returns {returned}; add it, if need be as {stand_in} AS {column}"
            yield column, Finding(table, f"column {column} is missing", advice)
        elif not _FITS[kind](rows[column].type()) and count_rows(
            rows.filter(rows[column].notnull())
        ):  # NULL has any type
            advice = "amounts are whole thousandths: round(x * 1000)::BIGINT" if column == AMOUNT else "cast it"
            problem = f"column {column} is {rows[column].type()}, not {kind}"
            yield column, Finding(table, problem, f"{advice} in sources/{table}.sql")
